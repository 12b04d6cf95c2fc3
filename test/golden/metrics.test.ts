import golden from './metrics.json';
import { auc, aucOver } from '../../src/metrics/auc.ts';
import { bootstrapIntervals, bootstrapMean } from '../../src/metrics/bootstrap.ts';
import { brier } from '../../src/metrics/brier.ts';
import { expectedCalibrationError } from '../../src/metrics/calibration-error.ts';
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

describe.each(golden.scores.map((sample, i) => ({ i, ...sample })))('scores $i', ({ truth, probability, weights, patients, ...by }) => {
  test('area, Brier score and calibration error as scikit-learn', () => {
    expect(auc(probability, truth)).toBeCloseTo(by.auc, 12);
    expect(aucOver(probability, truth)(weights)).toBeCloseTo(by.weightedAuc, 12);
    expect(probability.reduce((sum, p, i) => sum + brier(p, truth[i]!), 0) / truth.length).toBeCloseTo(by.brier, 12);
    expect(expectedCalibrationError(probability, truth)).toBeCloseTo(by.calibrationError, 12);
  });

  test('the interval over patients, within the noise of drawing', () => {
    const area = aucOver(probability, truth);
    const [interval] = bootstrapIntervals(patients, drawn => [area(drawn)], { resamples: 4000 });
    const tolerance = 0.08 * (by.high - by.low);
    expect(Math.abs(interval!.low - by.low)).toBeLessThan(tolerance);
    expect(Math.abs(interval!.high - by.high)).toBeLessThan(tolerance);
  });
});
