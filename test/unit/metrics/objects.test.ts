import { isOverreadError } from '../../../src/errors.ts';
import { aggregatedJaccard } from '../../../src/metrics/aggregated-jaccard.ts';
import { averagePrecision, averagePrecisionOf } from '../../../src/metrics/average-precision.ts';
import { matchObjects, objectOverlaps } from '../../../src/metrics/object-matching.ts';
import { panopticQuality } from '../../../src/metrics/panoptic-quality.ts';

// Truth: 7 (4 pixels), 3 (4 pixels). Prediction: 1 hits 3 of 7's pixels and one beside, 9 hits one of 3's, 2 hits none.
const truth = [7, 7, 7, 7, 0, 0, 3, 3, 3, 3, 0, 0];
const prediction = [0, 1, 1, 1, 1, 0, 9, 0, 0, 0, 2, 2];
const overlaps = objectOverlaps(truth, prediction);

function thrown(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
}

test('counts the objects and their overlaps, whatever their labels', () => {
  expect(overlaps.truthSizes).toEqual([4, 4]);
  expect(overlaps.predictionSizes).toEqual([4, 1, 2]);
  expect(overlaps.pairs).toEqual([
    { truth: 0, prediction: 0, intersection: 3, iou: 3 / 5 },
    { truth: 1, prediction: 1, intersection: 1, iou: 1 / 4 },
  ]);
});

test('matches at a threshold, reached or passed', () => {
  expect(matchObjects(overlaps)).toMatchObject({ truePositives: 1, falsePositives: 2, falseNegatives: 1 });
  expect(matchObjects(overlaps, 0.6)).toMatchObject({ truePositives: 1 });
  expect(matchObjects(overlaps, 0.61)).toMatchObject({ truePositives: 0, falsePositives: 3, falseNegatives: 2 });
});

test('scores by hand', () => {
  expect(averagePrecision(overlaps)).toBe(1 / 4);
  // C = 3 + 1; U = 5 + 4, and 2 pixels that nobody took.
  expect(aggregatedJaccard(overlaps)).toBeCloseTo(4 / 11, 12);
  const { panopticQuality: pq, segmentationQuality, recognitionQuality } = panopticQuality(overlaps);
  expect(segmentationQuality).toBeCloseTo(0.6, 12);
  expect(recognitionQuality).toBeCloseTo(2 / 5, 12);
  expect(pq).toBeCloseTo(0.24, 12);
});

test('an object that two halves share has one partner at 0.5 and none above', () => {
  const halves = objectOverlaps([1, 1, 1, 1], [1, 1, 2, 2]);
  expect(matchObjects(halves)).toMatchObject({ truePositives: 1, falsePositives: 1, falseNegatives: 0 });
  expect(panopticQuality(halves)).toEqual({ panopticQuality: 0, segmentationQuality: 0, recognitionQuality: 0 });
});

test('one predicted object may be taken by two true ones, as in Kumar', () => {
  // C = 2 + 2, U = 4 + 4.
  expect(aggregatedJaccard(objectOverlaps([1, 1, 2, 2], [5, 5, 5, 5]))).toBe(0.5);
});

test.each([
  { name: 'both empty', t: [0, 0], p: [0, 0], expected: 1 },
  { name: 'nothing predicted', t: [1, 0], p: [0, 0], expected: 0 },
  { name: 'nothing there', t: [0, 0], p: [1, 0], expected: 0 },
])('no objects, $name', ({ t, p, expected }) => {
  const empty = objectOverlaps(t, p);
  expect([averagePrecision(empty), aggregatedJaccard(empty), panopticQuality(empty).panopticQuality]).toEqual([expected, expected, expected]);
});

test('matches of several images are pooled by their sums', () => {
  expect(averagePrecisionOf({ truePositives: 3, falsePositives: 1, falseNegatives: 2 })).toBe(0.5);
});

test('refuses other lengths, and thresholds under which an object has several partners', () => {
  expect(isOverreadError(thrown(() => objectOverlaps([1, 2], [1])), 'internal')).toBe(true);
  expect(isOverreadError(thrown(() => matchObjects(overlaps, 0.3)), 'internal')).toBe(true);
});
