import { isOverreadError } from '../../../src/errors.ts';
import { dice } from '../../../src/metrics/dice.ts';
import { iou } from '../../../src/metrics/iou.ts';
import { overlap } from '../../../src/metrics/overlap.ts';
import { precision } from '../../../src/metrics/precision.ts';
import { recall } from '../../../src/metrics/recall.ts';

const truth = [0, 1, 1, 2, 2, 0];
const prediction = [1, 1, 0, 2, 1, 0];

test('counts one class by hand', () => {
  expect(overlap(truth, prediction, 1)).toEqual({ truePositives: 1, falsePositives: 2, falseNegatives: 1, trueNegatives: 2 });
});

test('counts any label but 0 as the positive class', () => {
  expect(overlap(truth, prediction)).toEqual({ truePositives: 3, falsePositives: 1, falseNegatives: 1, trueNegatives: 1 });
});

test('scores by hand', () => {
  const counts = overlap(truth, prediction, 1);
  expect(dice(counts)).toBeCloseTo(2 / 5, 12);
  expect(iou(counts)).toBeCloseTo(1 / 4, 12);
  expect(precision(counts)).toBeCloseTo(1 / 3, 12);
  expect(recall(counts)).toBeCloseTo(1 / 2, 12);
});

test.each([
  { name: 'both empty', t: [0, 0], p: [0, 0], expected: [1, 1, 1, 1] },
  { name: 'nothing predicted', t: [1, 0], p: [0, 0], expected: [0, 0, 1, 0] },
  { name: 'nothing there', t: [0, 0], p: [1, 0], expected: [0, 0, 0, 1] },
])('empty masks, $name', ({ t, p, expected }) => {
  const counts = overlap(t, p);
  expect([dice(counts), iou(counts), precision(counts), recall(counts)]).toEqual(expected);
});

test('refuses masks of other lengths', () => {
  let thrown: unknown;
  try {
    overlap([0, 1], [0]);
  } catch (error) {
    thrown = error;
  }
  expect(isOverreadError(thrown, 'internal')).toBe(true);
  expect(String(thrown)).toContain('2 and 1');
});
