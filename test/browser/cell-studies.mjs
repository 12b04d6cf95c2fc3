/** Generated pictures of cells with every centre known, as DICOM studies in a folder. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import dcmjs from 'dcmjs';
import { PNG } from 'pngjs';
import { ROOT } from './harness.mjs';

/** Numbers from 0 to 1 that are the same in every run. */
export function randomFrom(seed) {
  let state = seed;
  return () => (state = (state * 48271) % 2147483647) / 2147483647;
}

/**
 * Discs of two stains on a light ground, none touching another: [{ x, y, class }], class 0 blue, 1 brown.
 * @param cells of each class
 */
export function cellPicture({ columns, rows, cells, seed, radius = 6 }) {
  const random = randomFrom(seed);
  const dots = [];
  const png = new PNG({ width: columns, height: rows });
  for (let i = 0; i < columns * rows; i++) png.data.set([238, 230, 236, 255], 4 * i);
  const stains = [[84, 70, 150], [120, 72, 30]];
  for (const [kind, n] of cells.entries()) {
    for (let k = 0, tries = 0; k < n && tries < 20_000; tries++) {
      const [x, y] = [Math.round(radius + 2 + random() * (columns - 2 * radius - 4)), Math.round(radius + 2 + random() * (rows - 2 * radius - 4))];
      if (dots.some(dot => Math.hypot(dot.x - x, dot.y - y) < 2 * radius + 4)) continue;
      dots.push({ x, y, class: kind });
      k++;
      for (let v = y - radius; v <= y + radius; v++) for (let u = x - radius; u <= x + radius; u++) {
        if (Math.hypot(u - x, v - y) <= radius) png.data.set([...stains[kind], 255], 4 * (v * columns + u));
      }
    }
  }
  assert.equal(dots.length, cells[0] + (cells[1] ?? 0), 'the cells did not fit');
  return { png: PNG.sync.write(png), dots };
}

/**
 * Writes pictures as the images of one study.
 * @param studyInstanceUID of a study of this patient that they are added to; a new one when left out
 * @param pictures [{ name, png, spacing, attributes }]; `attributes` are set on the DICOM object, by keyword
 * @returns [{ sopInstanceUID, seriesInstanceUID, studyInstanceUID }] in the order of the pictures
 */
export function writeStudy(folder, { patientId, patientName, pictures, studyInstanceUID: uid = dcmjs.data.DicomMetaDictionary.uid() }) {
  return pictures.map(({ name, png, spacing, attributes = {} }) => {
    const file = path.join(folder, `${name}.png`);
    writeFileSync(file, png);
    const out = path.join(folder, name);
    const done = spawnSync(process.execPath, [
      path.join(ROOT, 'dist/cli/main.mjs'), 'dicomize', '--modality', 'OT', ...(spacing ? ['--spacing', String(spacing)] : []),
      '--patient-id', patientId, '--patient-name', patientName, '--study-uid', uid, '--description', 'Cells', '--out', out, file,
    ], { encoding: 'utf8' });
    assert.equal(done.status, 0, done.stderr);
    const [written] = readdirSync(out, { recursive: true }).filter(entry => entry.endsWith('.dcm')).map(entry => path.join(out, entry));
    const dicom = dcmjs.data.DicomMessage.readFile(readFileSync(written).buffer);
    const dataset = dcmjs.data.DicomMetaDictionary.naturalizeDataset(dicom.dict);
    if (Object.keys(attributes).length > 0) {
      Object.assign(dataset, attributes);
      dicom.dict = dcmjs.data.DicomMetaDictionary.denaturalizeDataset(dataset);
      writeFileSync(written, Buffer.from(dicom.write()));
    }
    return { sopInstanceUID: dataset.SOPInstanceUID, seriesInstanceUID: dataset.SeriesInstanceUID, studyInstanceUID: uid };
  });
}
