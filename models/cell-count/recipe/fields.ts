import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cellField } from '../../../src/phantoms/cells.ts';

/**
 * Writes the generated fields that the recipe trains on, tunes with and is measured by, with an index:
 * `node --import ./test/generators/typescript.mjs models/cell-count/recipe/fields.ts FOLDER [TRAINING TUNING VALIDATION]`.
 * A file a field: RGB as uint8 [rows, columns, 3], then the instances as uint16 [rows, columns].
 */
const SIZE = 256;
/** Seeds of each part start far from those of the others. */
const FIRST = { training: 1, tuning: 1_000_000, validation: 2_000_000, golden: 3_000_000 };

const [folder, ...counts] = process.argv.slice(2);
if (folder === undefined) throw new Error('Say where to write: fields.ts FOLDER');
mkdirSync(folder, { recursive: true });

const [training = 120, tuning = 24, validation = 40] = counts.map(Number);
const index = Object.entries({ training, tuning, validation, golden: 1 }).flatMap(([part, count]) =>
  Array.from({ length: count }, (_, i) => {
    const seed = FIRST[part as keyof typeof FIRST] + i;
    // That of the golden files has both classes for certain.
    const { columns, rows, rgb, instances, dots } = cellField({ seed, size: SIZE, ...(part === 'golden' && { cells: 70, positive: 0.4 }) });
    const file = `${part}-${seed}.bin`;
    writeFileSync(join(folder, file), Buffer.concat([rgb, new Uint8Array(instances.buffer)]));
    return { id: `generated-${seed}`, part, file, columns, rows, dots };
  }));
writeFileSync(join(folder, 'index.json'), `${JSON.stringify(index)}\n`);
