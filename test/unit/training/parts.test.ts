/** Augmentation, schedules, batches and checkpoints. */
import { seededRandom } from '../../../src/phantoms/random.ts';
import { sampled, sampledNearest, samplingMap } from '../../../src/training/augmentation/geometry.ts';
import { changeIntensity } from '../../../src/training/augmentation/intensity.ts';
import { changeStain } from '../../../src/training/augmentation/stain.ts';
import { Batches } from '../../../src/training/batches.ts';
import { readState, writeState, type TrainingState } from '../../../src/training/checkpoint.ts';
import { parseRecipe } from '../../../src/training/recipe.ts';
import { afterValidation, rateShare, START } from '../../../src/training/schedule.ts';
import { tinyManifest } from '../runtime/tiny.ts';
import { discs, recipe } from './made.ts';

const STILL = { flip: 'none', quarterTurns: false, rotateDegrees: 0, scale: 0, shift: 0 } as const;
const plane = { values: Float32Array.from({ length: 35 }, (_, i) => i), columns: 7, rows: 5, channels: 1 };

test('without augmentation a patch is what lies there, and beyond the border the last pixels go on', () => {
  const whole = new Float32Array(35);
  sampled(plane, samplingMap([3, 2], [5, 7], STILL, seededRandom(1)), whole);
  expect([...whole]).toEqual([...plane.values]);
  const corner = new Float32Array(9);
  sampledNearest(plane, samplingMap([0, 0], [3, 3], STILL, seededRandom(1)), corner);
  expect([...corner]).toEqual([0, 0, 1, 0, 0, 1, 7, 7, 8]);
});

test('quarter turns and mirrors move pixels and lose none; a bent patch differs', () => {
  const square = { ...plane, values: Float32Array.from({ length: 25 }, (_, i) => i), columns: 5 };
  const seen = new Set<string>();
  for (let seed = 0; seed < 40; seed++) {
    const out = new Float32Array(25);
    sampledNearest(square, samplingMap([2, 2], [5, 5], { ...STILL, flip: 'both', quarterTurns: true }, seededRandom(seed)), out);
    expect([...out].sort((a, b) => a - b)).toEqual([...square.values]);
    seen.add(out.join());
  }
  expect(seen.size).toBe(8);
  const bent = samplingMap([2, 2], [5, 5], { ...STILL, elastic: { pixels: 2, gridPixels: 3 } }, seededRandom(1));
  expect([...bent.x]).not.toEqual([...samplingMap([2, 2], [5, 5], STILL, seededRandom(1)).x]);
});

test('intensity and stain change a picture within reason, and nothing at strength 0', () => {
  const make = () => Float32Array.from({ length: 30 }, (_, i) => (i % 10) / 10 + 0.05);
  const same = make();
  changeIntensity(same, { gain: 0, offset: 0, noise: 0 }, [0, 1], seededRandom(1));
  changeStain(same, 0, [0, 1], seededRandom(1));
  same.forEach((v, i) => expect(v).toBeCloseTo(make()[i]!, 5));
  const stained = make();
  changeStain(stained, 0.3, [0, 1], seededRandom(2));
  expect(stained).not.toEqual(make());
  expect(stained.every(v => v >= 0 && v <= 1)).toBe(true);
});

test('rates: warm-up, cosine, plateau', () => {
  const at = (kind: 'constant' | 'cosine' | 'plateau', step: number, falls = 0) => rateShare({ kind, warmUpSteps: 4, patience: 2, factor: 0.5 }, step, 24, falls);
  expect([0, 1, 3, 4, 23].map(step => at('constant', step))).toEqual([0.25, 0.5, 1, 1, 1]);
  expect(at('cosine', 14)).toBeCloseTo(0.5, 6);
  expect(at('plateau', 10, 2)).toBe(0.25);
  let progress = START;
  for (const [i, metric] of [0.5, 0.4, 0.4, 0.6, 0.1, 0.1].entries()) progress = afterValidation(progress, metric, i, { kind: 'plateau', warmUpSteps: 0, patience: 2, factor: 0.5 });
  expect(progress).toEqual({ best: 0.6, bestStep: 3, waited: 2, waitedForRate: 0, falls: 2 });
});

test('a batch is known from the seed and the step; an epoch of whole pictures sees each once', () => {
  const manifest = tinyManifest('tiny-unet');
  const examples = discs(manifest, 6, 1);
  const batches = new Batches(examples, manifest, recipe({ batch: 3 }));
  const later = batches.at(5);
  expect(new Batches(examples, manifest, recipe({ batch: 3 })).at(5)).toEqual(later);
  expect(batches.at(4).pictures).not.toEqual(later.pictures);
  expect(new Set([...batches.at(0).ids, ...batches.at(1).ids]).size).toBe(6);
  const scores = tinyManifest('tiny-scores');
  const balanced = new Batches(discs(scores, 9, 1).map((of, i) => ({ ...of, labels: Float32Array.from(scores.output.targets, () => Number(i === 0)) })), scores, recipe({ batch: 64, sampler: 'balanced' }));
  const positive = balanced.at(0).ids.filter(id => id === '1-0').length;
  expect(positive).toBeGreaterThan(20);
  expect(positive).toBeLessThan(44);
});

test('a checkpoint comes back as it was; a cut, changed or foreign one is refused', async () => {
  const state: TrainingState = {
    step: 7, weights: Float32Array.of(1, 2.5, -3), statistics: Float32Array.of(4), optimiser: { steps: 7, moments: [Float32Array.of(1, 2, 3), Float32Array.of(4, 5, 6)] },
    progress: START, best: { weights: Float32Array.of(9, 8, 7), statistics: Float32Array.of(6) }, sampler: undefined, curve: [{ step: 1, loss: 0.5, rate: 0.1 }],
  };
  const bytes = await writeState(state, 'run');
  expect(await readState(bytes, 'run')).toEqual(state);
  await expect(readState(bytes, 'another')).rejects.toMatchObject({ code: 'store/invalid', message: expect.stringMatching(/another training/) });
  await expect(readState(bytes.subarray(0, bytes.length - 3), 'run')).rejects.toMatchObject({ code: 'store/invalid' });
  const changed = bytes.slice();
  changed[changed.length - 1]! ^= 1;
  await expect(readState(changed, 'run')).rejects.toMatchObject({ code: 'store/invalid', message: expect.stringMatching(/changed or cut/) });
  await expect(readState(Uint8Array.of(1, 2, 3), 'run')).rejects.toMatchObject({ code: 'store/invalid' });
});

test('a recipe that does not fit is refused with the path of what is wrong', () => {
  expect(() => parseRecipe({ schemaVersion: 1, loss: { kind: 'dice' }, optimiser: { kind: 'adam' }, rate: -1, steps: 5, batch: 1, lr: 3 }, 'r.json')).toThrow(/r.json.*rate.*|lr/);
});
