import { seededRandom } from '../../../src/phantoms/random.ts';
import type { CheckpointStore } from '../../../src/training/checkpoint.ts';
import { exampleOf, type Example } from '../../../src/training/examples.ts';
import { parseRecipe, type Recipe } from '../../../src/training/recipe.ts';
import type { Split } from '../../../src/training/split.ts';
import type { ModelManifest } from '../../../src/manifest.ts';
import { picture } from '../runtime/tiny.ts';

export function recipe(changes: object = {}): Recipe {
  return parseRecipe({
    schemaVersion: 1, loss: { kind: 'dice-cross-entropy' }, optimiser: { kind: 'adam' }, rate: 0.01, steps: 12, batch: 2,
    augmentation: { flip: 'both', rotateDegrees: 20, intensity: { noise: 0.02 } }, validation: { every: 6 }, checkpointEvery: 4, seed: 5, ...changes,
  }, 'made here');
}

/** Discs at places of their own, a patient each. */
export function discs(manifest: ModelManifest, count: number, seed: number, side = 32): Example[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, (_, i) => {
    const [cx, cy, radius] = [random.uniform(8, side - 8), random.uniform(8, side - 8), random.uniform(3, 7)];
    const inside = (x: number, y: number) => Math.hypot(x - cx, y - cy) < radius;
    const image = picture(side, side, (x, y) => (inside(x, y) ? 160 : 60) + 30 * random.gaussian());
    const mask = picture(side, side, (x, y) => Number(inside(x, y)));
    return exampleOf({ id: `${seed}-${i}`, patientId: `patient ${seed}-${i}`, images: [{ path: 'a.png' }], labels: { Bright: i % 2 } }, image, { mask }, manifest);
  });
}

export function discSplit(manifest: ModelManifest, side = 32): Split<Example> {
  return { train: discs(manifest, 4, 1, side), validation: discs(manifest, 3, 2, side) };
}

export function memoryStore(): CheckpointStore & { bytes: Uint8Array | undefined; writes: number } {
  return {
    bytes: undefined,
    writes: 0,
    async read() {
      return this.bytes;
    },
    async write(bytes) {
      this.writes++;
      this.bytes = bytes.slice();
    },
  };
}
