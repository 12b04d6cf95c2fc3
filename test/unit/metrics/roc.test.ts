import { reliability } from '../../../src/metrics/reliability.ts';
import { chooseOperatingPoint, rocPoints } from '../../../src/metrics/roc.ts';

const scores = [0.9, 0.8, 0.8, 0.6, 0.4, 0.2];
const truths = [true, true, false, true, false, false];

test('every threshold that parts the items in another way, ties together', () => {
  const points = rocPoints(scores, truths);
  expect(points.map(({ sensitivity, specificity }) => [sensitivity, specificity].map(v => Number(v.toFixed(3))))).toEqual([[0.333, 1], [0.667, 0.667], [1, 0.667], [1, 0.333], [1, 0]]);
  // What a threshold says of itself is so.
  for (const { threshold, sensitivity, ppv } of points) {
    const called = scores.map(s => s >= threshold);
    expect(called.filter((c, i) => c && truths[i]).length / 3).toBeCloseTo(sensitivity, 9);
    expect(called.filter((c, i) => c && truths[i]).length / called.filter(Boolean).length).toBeCloseTo(ppv!, 9);
  }
});

test('the point that reaches a goal and gives away least', () => {
  const points = rocPoints(scores, truths);
  expect(chooseOperatingPoint(points, { by: 'sensitivity', least: 0.9 })).toMatchObject({ sensitivity: 1, specificity: expect.closeTo(2 / 3, 9), threshold: 0.5 });
  expect(chooseOperatingPoint(points, { by: 'specificity', least: 0.9 })).toMatchObject({ specificity: 1, sensitivity: expect.closeTo(1 / 3, 9) });
  expect(chooseOperatingPoint(points, { by: 'ppv', least: 0.75 })).toMatchObject({ sensitivity: 1, ppv: 0.75 });
  expect(chooseOperatingPoint(rocPoints([0.9, 0.1], [false, true]), { by: 'ppv', least: 0.9 })).toBeUndefined();
});

test('one class only is refused', () => {
  expect(() => rocPoints([0.1, 0.2], [true, true])).toThrow(/2 with and 0 without/);
});

test('reliability: each item in its bin, 1 in the last', () => {
  expect(reliability([0.05, 0.95, 1, 0.97], [false, true, true, false], 10)).toEqual([
    { low: 0, high: 0.1, n: 1, meanProbability: 0.05, positives: 0 },
    { low: 0.9, high: 1, n: 3, meanProbability: expect.closeTo(2.92 / 3, 9), positives: 2 },
  ]);
});
