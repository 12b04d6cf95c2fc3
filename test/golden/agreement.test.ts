import golden from './agreement.json';
import { blandAltman } from '../../src/metrics/bland-altman.ts';
import { cohenKappa } from '../../src/metrics/cohen-kappa.ts';
import { delong } from '../../src/metrics/delong.ts';
import { OverreadError } from '../../src/errors.ts';

const Z = 1.959963984540054;

test.each(golden.kappas.map((sample, i) => ({ i, ...sample })))('kappa $i, weights $weights: as scikit-learn, its error as the delta method', ({ a, b, weights, kappa, error }) => {
  const estimate = cohenKappa(a, b, { ...(weights !== null && { weights: weights as 'linear' | 'quadratic' }) })!;
  expect(estimate.value).toBeCloseTo(kappa, 12);
  expect(estimate.high).toBeCloseTo(Math.min(1, kappa + Z * error), 6);
  expect(estimate.low).toBeCloseTo(Math.max(-1, kappa - Z * error), 6);
});

test('kappa is undefined where both raters know one class, and refuses what is no class', () => {
  expect(cohenKappa([0, 0, 0], [0, 0, 0])).toBeUndefined();
  expect(() => cohenKappa([0, 0.5], [0, 1])).toThrow(OverreadError);
  expect(() => cohenKappa([0], [0, 1])).toThrow(OverreadError);
  expect(() => cohenKappa([], [])).toThrow(OverreadError);
});

test.each(golden.limits.map((sample, i) => ({ i, ...sample })))('limits of agreement $i: as SciPy', sample => {
  const { bias, deviation, lower, upper } = blandAltman(sample.a, sample.b);
  expect(bias.value).toBeCloseTo(sample.bias, 10);
  expect(bias.low).toBeCloseTo(sample.low, 5);
  expect(bias.high).toBeCloseTo(sample.high, 5);
  expect(deviation).toBeCloseTo(sample.deviation, 10);
  expect(lower.value).toBeCloseTo(sample.lower, 10);
  expect(upper.value).toBeCloseTo(sample.upper, 10);
  expect((lower.high - lower.low) / 2 / sample.half).toBeCloseTo(1, 6);
  expect((upper.high - upper.low) / 2 / sample.half).toBeCloseTo(1, 6);
});

test('limits of agreement refuse one item and what is not finite', () => {
  expect(() => blandAltman([1], [1])).toThrow(OverreadError);
  expect(() => blandAltman([1, NaN], [1, 2])).toThrow(/at 1/);
});

test.each(golden.areas.map((sample, i) => ({ i, ...sample })))('paired areas $i: as pROC', sample => {
  const paired = delong(sample.a, sample.b, sample.truth)!;
  expect(paired.a.value).toBeCloseTo(sample.aucA, 12);
  expect(paired.b.value).toBeCloseTo(sample.aucB, 12);
  expect(paired.z).toBeCloseTo(sample.z, 4);
  expect(paired.p).toBeCloseTo(sample.p, 5);
  expect(paired.a.low).toBeCloseTo(sample.aucA - Z * Math.sqrt(sample.varianceA), 6);
  expect(paired.b.high).toBeCloseTo(Math.min(1, sample.aucB + Z * Math.sqrt(sample.varianceB)), 6);
  const variance = sample.varianceA + sample.varianceB - 2 * sample.covariance;
  expect(paired.difference.high).toBeCloseTo(Math.min(1, sample.aucA - sample.aucB + Z * Math.sqrt(variance)), 6);
});

test('paired areas of one model beside itself: no difference, no z', () => {
  const scores = [0.1, 0.4, 0.35, 0.8, 0.7];
  const truths = [false, false, true, true, true];
  const paired = delong(scores, scores, truths)!;
  expect(paired.difference).toEqual({ value: 0, low: 0, high: 0 });
  expect(paired.z).toBeUndefined();
  expect(delong(scores, scores, [true, true, true, true, false])).toBeUndefined();
});
