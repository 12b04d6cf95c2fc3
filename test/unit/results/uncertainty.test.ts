import { stopsOf } from '../../../src/results/probability-planes.ts';
import type { LabelmapResult } from '../../../src/results/result.ts';
import { uncertaintyOf } from '../../../src/results/uncertainty.ts';
import { image, result, score, scoresResult, source } from '../extension/made.ts';

/** One target's probabilities, to the half percent that is kept. */
function mask(probabilities: readonly number[]): LabelmapResult {
  const made = result(image(source()), { labels: Uint8Array.from(probabilities, p => Number(p >= 0.5)) });
  return { ...made, probabilities: { values: Uint8Array.from(probabilities, p => stopsOf(0.5).filter(stop => stop <= p).length), labels: made.labels, operatingPoints: [0.5] } };
}

test('a model in doubt has one bit, a sure one none', () => {
  expect(uncertaintyOf(scoresResult([score('A', 0.5), score('B', 1)]))).toBe(0.5);
  expect(uncertaintyOf(mask([0.5, 0.5, 0, 0]))).toBeCloseTo(1, 3);
  expect(uncertaintyOf(mask([0.9999, 0.9999, 0, 0]))!).toBeLessThan(0.03);
  const entropy = -0.2 * Math.log2(0.2) - 0.8 * Math.log2(0.8);
  expect(uncertaintyOf(mask([0.2, 0.8, 0, 0]))!).toBeCloseTo(entropy, 1);
});

test('more background makes a picture no less doubtful; one with nothing to doubt has no number', () => {
  expect(uncertaintyOf(mask([0.5, 0, 0, 0]))!).toBeCloseTo(uncertaintyOf(mask([0.5, 0.5, 0.5, 0]))!, 12);
  expect(uncertaintyOf(mask([0, 0, 0.01, 0]))).toBeUndefined();
  expect(uncertaintyOf(result())).toBeUndefined();
});
