import { part10, UID } from '../../../fixtures/build-dicom.ts';

const SIDE = 32;

/** A film of a study of its own: bright within a radius of its middle; what is no CR is read by no test model. */
export function film(n: number, radius: number, modality = 'CR'): Uint8Array {
  const pixels = Array.from({ length: SIDE * SIDE }, (_, i) => (Math.hypot((i % SIDE) - 16, Math.floor(i / SIDE) - 16) < radius ? 250 : (i * 7 + n) % 40));
  return part10({
    '00080016': UID.cr, '00080018': `1.2.3.4.${n}`, '00080060': modality, '0020000D': studyUid(n), '0020000E': `1.2.3.${n}.1`, '00185101': 'PA', '00100020': `P${n}`,
    '00280002': 1, '00280004': 'MONOCHROME2', '00280010': SIDE, '00280011': SIDE, '00280100': 16, '00280101': 8, '00280102': 7, '00280103': 0, '00280030': [0.5, 0.5],
    '7FE00010': pixels,
  });
}

export const studyUid = (n: number): string => `1.2.3.${n}`;
