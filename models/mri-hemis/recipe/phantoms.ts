import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brainPhantom, BRAIN_SEQUENCES } from '../../../src/phantoms/brain.ts';

/**
 * Writes the generated heads that the recipe trains on and is measured by, with an index:
 * `node --import ./test/generators/typescript.mjs models/mri-hemis/recipe/phantoms.ts FOLDER [TRAINING VALIDATION]`.
 * A file a head: the sequences as uint16, then the lesion and the brain as uint8, [slices, rows, columns] each.
 */
const GRID = { columns: 128, slices: 40 };
/** Seeds of the heads that are only measured on start here, far from those that are trained on. */
const VALIDATION_SEED = 1_000_000;

const [folder, training = '40', validation = '24'] = process.argv.slice(2);
if (folder === undefined) throw new Error('Say where to write: phantoms.ts FOLDER');
mkdirSync(folder, { recursive: true });

const heads = [
  ...Array.from({ length: Number(training) }, (_, i) => ({ part: 'training', seed: 1 + i })),
  ...Array.from({ length: Number(validation) }, (_, i) => ({ part: 'validation', seed: VALIDATION_SEED + i })),
].map((head, i) => ({ ...head, lesions: i % 2 === 0 ? ('tumour' as const) : ('plaques' as const) }));

const index = heads.map(({ part, seed, lesions }) => {
  const { shape, spacingMm, volumes, lesion, brain } = brainPhantom({ seed, lesions, ...GRID });
  const file = `${part}-${seed}.bin`;
  const parts = [...BRAIN_SEQUENCES.map(name => volumes[name]), lesion, brain];
  writeFileSync(join(folder, file), Buffer.concat(parts.map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength))));
  return { id: `${lesions}-${seed}`, part, lesions, file, shape, spacingMm };
});
writeFileSync(join(folder, 'index.json'), `${JSON.stringify(index, undefined, 1)}\n`);
