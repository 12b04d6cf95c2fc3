import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { brainPhantom, type BrainPhantom } from '../../../src/phantoms/brain.ts';

/**
 * Writes generated sections of heads for `experiment.py`:
 * `node --import ./test/generators/typescript.mjs test/bench/translation/phantoms.ts FOLDER`.
 * A file a part, a head after the other: FLAIR healthy, T1 healthy, FLAIR sick, T1 sick (uint8) and the tumour (0, 1), each
 * [rows, columns]. The healthy and the sick one are the same head with the same noise, without and with its tumour.
 */
const [COLUMNS, ROWS] = [24, 32] as const;
/** Heads, far apart by their seeds: what translators learn from, what the detector learns from, and what is measured. */
const PARTS = { source: 400, target: 400, detector: 600, test: 400 } as const;
/** The tumours' centres lie between 18 and 34 mm; 5.9 mm a voxel. */
const SECTION = { columns: 29, slices: 1, fieldMm: [24, 28] } as const;
/** T1's white matter is 620 and FLAIR's oedema 900: what is over 1000 is noise. */
const FULL_SCALE = 1000;

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('Say where to write: phantoms.ts FOLDER');
mkdirSync(folder, { recursive: true });
for (const [i, [part, count]] of Object.entries(PARTS).entries()) {
  const heads = Array.from({ length: count }, (_, head) => {
    const seed = 1_000_000 * (i + 1) + head;
    const [healthy, sick] = [brainPhantom({ seed, lesions: 'none', ...SECTION }), brainPhantom({ seed, ...SECTION })];
    return [picture(healthy, 'FLAIR'), picture(healthy, 'T1'), picture(sick, 'FLAIR'), picture(sick, 'T1'), cut(sick, sick.lesion, value => Number(value === 1 || value === 3))];
  });
  writeFileSync(path.join(folder, `${part}.bin`), Buffer.concat(heads.flat()));
}
writeFileSync(path.join(folder, 'index.json'), `${JSON.stringify({ shape: [ROWS, COLUMNS], parts: PARTS })}\n`);

/** Without skull and scalp, as the pictures of the paper. */
function picture(phantom: BrainPhantom, sequence: 'FLAIR' | 'T1'): Uint8Array {
  return cut(phantom, phantom.volumes[sequence], (value, i) => (phantom.brain[i] ? Math.min(255, Math.round((255 * value) / FULL_SCALE)) : 0));
}

/** The middle of the section. */
function cut({ shape: [columns, rows] }: BrainPhantom, values: Uint16Array | Uint8Array, map: (value: number, i: number) => number): Uint8Array {
  const [left, top] = [Math.floor((columns - COLUMNS) / 2), Math.floor((rows - ROWS) / 2)];
  return Uint8Array.from({ length: ROWS * COLUMNS }, (_, o) => {
    const i = (top + Math.floor(o / COLUMNS)) * columns + left + (o % COLUMNS);
    return map(values[i]!, i);
  });
}
