import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brainPhantom, BRAIN_SEQUENCES } from '../../../src/phantoms/brain.ts';
import { chestPhantom, type ChestView } from '../../../src/phantoms/chest.ts';
import { histologyField } from '../../../src/phantoms/histology.ts';

/**
 * Writes the generated pictures that the recipe trains on, as 8-bit stacks [n, rows, columns] with an index:
 * `node --import ./test/generators/typescript.mjs models/cxr-view/recipe/phantoms.ts FOLDER`.
 */
const CHEST_SIZE = 160;
const TISSUE_SIZE = 256;
const BRAIN_COLUMNS = 96;
/** Seeds of the pictures that are only measured on start here, far from those that are trained on. */
const VALIDATION_SEED = 1_000_000;

interface Stack {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  readonly pictures: readonly Uint8Array[];
}

/** Linear from the smallest to the largest value, to 0..255. */
function stretched(values: ArrayLike<number>): Uint8Array {
  let low = Infinity;
  let high = -Infinity;
  for (let i = 0; i < values.length; i++) {
    low = Math.min(low, values[i]!);
    high = Math.max(high, values[i]!);
  }
  return Uint8Array.from(values, value => Math.round((255 * (value - low)) / Math.max(1, high - low)));
}

function chests(view: ChestView, count: number, firstSeed: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => stretched(chestPhantom({ seed: firstSeed + i, view, size: CHEST_SIZE, variation: 1 + (i % 3) * 0.25 }).pixels));
}

/** One slice of each sequence at four heights a head. */
function brains(count: number, firstSeed: number): { rows: number; pictures: Uint8Array[] } {
  const pictures: Uint8Array[] = [];
  let rows = 0;
  for (let head = 0; head < count; head++) {
    const { volumes, shape } = brainPhantom({ seed: firstSeed + head, columns: BRAIN_COLUMNS, slices: 16 });
    rows = shape[1];
    const area = shape[0] * shape[1];
    for (const slice of [3, 6, 9, 12]) {
      for (const sequence of BRAIN_SEQUENCES) pictures.push(stretched(volumes[sequence].subarray(slice * area, (slice + 1) * area)));
    }
  }
  return { rows, pictures };
}

function tissues(count: number, firstSeed: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => {
    const { rgb } = histologyField({ seed: firstSeed + i, size: TISSUE_SIZE });
    return Uint8Array.from({ length: TISSUE_SIZE ** 2 }, (_unused, p) => 0.299 * rgb[3 * p]! + 0.587 * rgb[3 * p + 1]! + 0.114 * rgb[3 * p + 2]!);
  });
}

function* stacks(): Generator<Stack> {
  for (const [part, seed, share] of [['train', 1, 1], ['validation', VALIDATION_SEED, 0.25]] as const) {
    const chest = { rows: CHEST_SIZE, columns: CHEST_SIZE };
    yield { name: `PA-${part}`, ...chest, pictures: chests('PA', 160 * share, seed) };
    yield { name: `AP-${part}`, ...chest, pictures: chests('AP', 160 * share, seed + 100_000) };
    yield { name: `LL-${part}`, ...chest, pictures: chests('LL', 480 * share, seed + 200_000) };
    const { rows, pictures } = brains(12 * share, seed);
    yield { name: `brain-${part}`, rows, columns: BRAIN_COLUMNS, pictures };
    yield { name: `tissue-${part}`, rows: TISSUE_SIZE, columns: TISSUE_SIZE, pictures: tissues(60 * share, seed) };
  }
}

const [folder] = process.argv.slice(2);
if (!folder) throw new Error('Expected a folder to write to, got none.');
mkdirSync(folder, { recursive: true });
const index: Record<string, readonly number[]> = {};
for (const { name, rows, columns, pictures } of stacks()) {
  writeFileSync(join(folder, `${name}.bin`), Buffer.concat(pictures));
  index[name] = [pictures.length, rows, columns];
  console.log(name, index[name]!.join(' × '));
}
writeFileSync(join(folder, 'index.json'), `${JSON.stringify(index, undefined, 1)}\n`);
