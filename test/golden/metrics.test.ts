import golden from './metrics.json';
import { bootstrapMean } from '../../src/metrics/bootstrap.ts';
import { dice } from '../../src/metrics/dice.ts';
import { iou } from '../../src/metrics/iou.ts';
import { overlap } from '../../src/metrics/overlap.ts';
import { precision } from '../../src/metrics/precision.ts';
import { recall } from '../../src/metrics/recall.ts';

test.each(golden.masks.map((mask, i) => ({ i, ...mask })))('mask $i, class $label: as scikit-learn', mask => {
  const counts = overlap(mask.truth, mask.prediction, mask.label);
  expect(dice(counts)).toBeCloseTo(mask.dice, 12);
  expect(iou(counts)).toBeCloseTo(mask.iou, 12);
  expect(precision(counts)).toBeCloseTo(mask.precision, 12);
  expect(recall(counts)).toBeCloseTo(mask.recall, 12);
});

test.each(golden.bootstrap.map((sample, i) => ({ i, ...sample })))('interval $i: as SciPy, within the noise of drawing', sample => {
  const { low, high } = bootstrapMean(sample.values, sample.groups, { resamples: 20_000 });
  // Both draw 20,000 times with other random numbers: the ends differ by some hundredths of the width.
  const tolerance = 0.05 * (sample.high - sample.low);
  expect(Math.abs(low - sample.low)).toBeLessThan(tolerance);
  expect(Math.abs(high - sample.high)).toBeLessThan(tolerance);
});
