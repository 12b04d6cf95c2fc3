import { auc, aucOver } from '../../../src/metrics/auc.ts';
import { bootstrapIntervals } from '../../../src/metrics/bootstrap.ts';
import { expectedCalibrationError } from '../../../src/metrics/calibration-error.ts';

describe('the area under the ROC curve', () => {
  test('is 1 apart, 0 the wrong way round, a half for ties', () => {
    expect(auc([0.1, 0.2, 0.8, 0.9], [false, false, true, true])).toBe(1);
    expect(auc([0.9, 0.8, 0.2, 0.1], [false, false, true, true])).toBe(0);
    expect(auc([0.5, 0.5, 0.5], [true, false, true])).toBe(0.5);
    // Pairs (0.4, 0.4) a tie, (0.4, 0.6) won by the negative, (0.7, both) won by the positive: 2.5 of 4.
    expect(auc([0.4, 0.4, 0.6, 0.7], [true, false, false, true])).toBe(0.625);
  });

  test('is not computable without both classes, in the weights too', () => {
    expect(auc([0.1, 0.9], [true, true])).toBeUndefined();
    expect(auc([0.1, 0.9], [false, false])).toBeUndefined();
    expect(auc([], [])).toBeUndefined();
    expect(aucOver([0.1, 0.9], [false, true])([1, 0])).toBeUndefined();
  });

  test('refuses lengths that differ and NaN, which has no place in an order', () => {
    expect(() => auc([1], [])).toThrow('1 scores and 0 truths');
    expect(() => auc([NaN, 1], [true, false])).toThrow('NaN at 0');
  });
});

describe('bootstrap intervals', () => {
  const truths = (positives: number, n = 40) => Array.from({ length: n }, (_, i) => i < positives);
  const intervalOf = (positives: number) => {
    const truth = truths(positives);
    const area = aucOver(truth.map((_, i) => (i * 7) % 11), truth);
    return bootstrapIntervals(truth.map((_, i) => `p${i}`), weights => [area(weights)])[0];
  };

  test('there is none where one or two patients are all the positives', () => {
    expect(intervalOf(1)).toBeUndefined();
    expect(intervalOf(2)).toBeUndefined();
    expect(intervalOf(5)).toBeDefined();
  });

  test('all statistics are taken of the same draws, repeatably', () => {
    const groups = ['a', 'a', 'b', 'c', 'd'];
    const count = (weights: Uint32Array) => [weights[0], weights[1], 5];
    const [first, second, third] = bootstrapIntervals(groups, count, { resamples: 50 });
    expect(first).toEqual(second);
    expect(third).toEqual({ low: 5, high: 5 });
    expect(bootstrapIntervals(groups, count, { resamples: 50 })[0]).toEqual(first);
  });
});

describe('the expected calibration error', () => {
  test('is the distance of what is said from what happens', () => {
    expect(expectedCalibrationError([0.7, 0.7, 0.7, 0.7], [true, true, true, false])).toBeCloseTo(0.05, 12);
    // Two bins of ten: 0.1 off in one item, 0.2 off in the mean of three.
    expect(expectedCalibrationError([0.1, 0.8, 0.8, 0.8], [false, true, true, true], 10)).toBeCloseTo((0.1 + 3 * 0.2) / 4, 12);
  });

  test('has 0 in its first bin and 1 in its last', () => {
    expect(expectedCalibrationError([0, 1], [false, true])).toBe(0);
    expect(expectedCalibrationError([0, 1], [true, false])).toBe(1);
  });

  test('refuses what is no probability, and nothing', () => {
    expect(() => expectedCalibrationError([1.5], [true])).toThrow('got 1.5 at 0');
    expect(() => expectedCalibrationError([], [])).toThrow('at least one probability');
  });
});
