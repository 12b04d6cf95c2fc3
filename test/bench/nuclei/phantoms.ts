/**
 * Slices of generated heads with a small target, for sparse.py: of each slice columns · rows bytes of FLAIR, as many of T1c
 * and as many of the target (1: the tumour's necrotic core). Prints their number, shape and the target's share as JSON.
 *
 *     node --import ./test/generators/typescript.mjs test/bench/nuclei/phantoms.ts --first SEED --heads N --out FILE
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { brainPhantom } from '../../../src/phantoms/brain.ts';

const [COLUMNS, SLICES] = [128, 24];
const NECROTIC_CORE = 1;
/** Of the 12 bits, what fills 8. */
const SCALE = 1 / 6;

const { values } = parseArgs({ options: { first: { type: 'string' }, heads: { type: 'string' }, out: { type: 'string' } } });
const [first, heads] = [values.first, values.heads].map(Number) as [number, number];
if (!values.out || ![first, heads].every(Number.isInteger)) throw new Error('expected --first SEED --heads N --out FILE');

const planes: Uint8Array[] = [];
const sizes = { columns: 0, rows: 0 };
let targets = 0;
for (let head = 0; head < heads; head++) {
  const { shape: [columns, rows, slices], volumes, lesion } = brainPhantom({ seed: first + head, columns: COLUMNS, slices: SLICES });
  Object.assign(sizes, { columns, rows });
  for (let slice = 0; slice < slices; slice++) {
    const [from, to] = [slice * columns * rows, (slice + 1) * columns * rows];
    const grey = (volume: Uint16Array) => Uint8Array.from(volume.subarray(from, to), value => Math.min(255, value * SCALE));
    const target = Uint8Array.from(lesion.subarray(from, to), value => Number(value === NECROTIC_CORE));
    targets += target.reduce((sum, value) => sum + value, 0);
    planes.push(grey(volumes.FLAIR), grey(volumes.T1c), target);
  }
}
writeFileSync(values.out, Buffer.concat(planes));
const share = targets / (sizes.columns * sizes.rows * (planes.length / 3));
console.log(JSON.stringify({ ...sizes, slicesPerHead: SLICES, heads, share }));
