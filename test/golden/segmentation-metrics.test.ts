import golden from './segmentation-metrics.json';
import { aggregatedJaccard } from '../../src/metrics/aggregated-jaccard.ts';
import { averagePrecision } from '../../src/metrics/average-precision.ts';
import type { Grid } from '../../src/metrics/distance-transform.ts';
import { hausdorff, hausdorff95 } from '../../src/metrics/hausdorff.ts';
import { matchObjects, objectOverlaps } from '../../src/metrics/object-matching.ts';
import { overlap } from '../../src/metrics/overlap.ts';
import { panopticQuality } from '../../src/metrics/panoptic-quality.ts';
import { averageSurfaceDistance, surfaceDistances } from '../../src/metrics/surface-distance.ts';
import { relativeVolumeDifference, volumeDifference } from '../../src/metrics/volume-difference.ts';

/** Run lengths, the first of zeros, as a mask. */
function expand(runs: readonly number[]): Uint8Array {
  return Uint8Array.from(runs.flatMap((length, i) => Array.from({ length }, () => i % 2)));
}

test.each(golden.surfaces.map((sample, i) => ({ i, ...sample })))('surfaces $i, $shape at $spacing mm: as SciPy and scikit-image', sample => {
  const grid = { shape: sample.shape, spacing: sample.spacing } as unknown as Grid;
  const truth = expand(sample.truth);
  const prediction = expand(sample.prediction);
  const found = surfaceDistances(truth, prediction, grid);
  expect([found.fromTruth.length, found.fromPrediction.length]).toEqual(sample.elements);
  expect(hausdorff(found)).toBeCloseTo(sample.hausdorff, 10);
  expect(hausdorff95(found)).toBeCloseTo(sample.hausdorff95, 10);
  expect(averageSurfaceDistance(found)).toBeCloseTo(sample.averageSurfaceDistance, 10);
  const counts = overlap(truth, prediction);
  expect(volumeDifference(counts, grid.spacing[0] * grid.spacing[1] * grid.spacing[2])).toBeCloseTo(sample.volumeDifference, 8);
  expect(relativeVolumeDifference(counts)).toBeCloseTo(sample.relativeVolumeDifference, 12);
});

test.each(golden.objects.map((sample, i) => ({ i, ...sample })))('objects $i: as SciPy\'s best assignment and the papers\' algorithms', sample => {
  const overlaps = objectOverlaps(sample.truth, sample.prediction);
  for (const [threshold, { tp, fp, fn }] of Object.entries(sample.matched)) {
    expect(matchObjects(overlaps, Number(threshold))).toMatchObject({ truePositives: tp, falsePositives: fp, falseNegatives: fn });
    expect(averagePrecision(overlaps, Number(threshold))).toBeCloseTo(tp / (tp + fp + fn), 12);
  }
  expect(aggregatedJaccard(overlaps)).toBeCloseTo(sample.aggregatedJaccard, 12);
  const quality = panopticQuality(overlaps);
  expect(quality.panopticQuality).toBeCloseTo(sample.panopticQuality, 12);
  expect(quality.segmentationQuality).toBeCloseTo(sample.segmentationQuality, 12);
  expect(quality.recognitionQuality).toBeCloseTo(sample.recognitionQuality, 12);
});
