/** Films with one bright disc each, a patient each, and the model that is to find it. */
import path from 'node:path';
import { PNG } from 'pngjs';
import { modelsWith } from './broken-models.mjs';
import { randomFrom, writeStudy } from './cell-studies.mjs';
import { ROOT } from './harness.mjs';

export const MODEL = 'tiny-unet';
const SIDE = 64;

/** @returns a study a patient: [{ studyInstanceUID, seriesInstanceUID, disc: { x, y, radius } }] in pixels of 64 × 64 */
export function discStudies(folder, count, { patientId, patientName }) {
  return Array.from({ length: count }, (_, i) => {
    const random = randomFrom(101 + 7 * i);
    const disc = { x: 18 + random() * 28, y: 18 + random() * 28, radius: 8 + random() * 6 };
    const png = new PNG({ width: SIDE, height: SIDE });
    for (let p = 0; p < SIDE * SIDE; p++) {
      const inside = Math.hypot((p % SIDE) - disc.x, Math.floor(p / SIDE) - disc.y) < disc.radius;
      const value = Math.round((inside ? 150 : 60) + 40 * random());
      png.data.set([value, value, value, 255], 4 * p);
    }
    const [study] = writeStudy(folder, { patientId: `${patientId}-${i}`, patientName: `${patientName}${i}`, pictures: [{ name: `disc-${i}`, png: PNG.sync.write(png), spacing: 1, attributes: { Modality: 'OT', SeriesDescription: `${patientName} film` } }] });
    return { ...study, disc };
  });
}

/** Reads pictures of any view, which these state none of. */
export function discModel(models) {
  modelsWith(models, path.join(ROOT, 'test/fixtures', MODEL), MODEL, (_, { input: { viewPosition: _views, ...input }, ...manifest }) => ({ ...manifest, input }));
}

export const SCORES = 'tiny-scores';

/** The same of one that scores. */
export function scoresModel(models) {
  modelsWith(models, path.join(ROOT, 'test/fixtures', SCORES), SCORES, (_, { input: { viewPosition: _views, ...input }, ...manifest }) => ({ ...manifest, input: { ...input, modality: ['OT'] } }));
}
