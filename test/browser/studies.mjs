/** Finds the demo studies and their truth in the embedded store's folder. */
import { readFileSync } from 'node:fs';

/** All studies that the origin's DICOMweb lists: [{ uid, description, patientName, modalities }] */
export async function listStudies(origin, headers = {}) {
  const response = await fetch(`${origin}/dicom-web/studies?includefield=00081030&includefield=00080061`, { headers: { accept: 'application/dicom+json', ...headers } });
  if (!response.ok) throw new Error(`QIDO answered ${response.status}`);
  const studies = await response.json();
  const text = (study, tag) => study[tag]?.Value?.map(v => v?.Alphabetic ?? v).join('\\') ?? '';
  return studies.map(s => ({ uid: text(s, '0020000D'), description: text(s, '00081030'), patientName: text(s, '00100010'), modalities: text(s, '00080061') }));
}

export function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}
