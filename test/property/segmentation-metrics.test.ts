import fc from 'fast-check';
import { aggregatedJaccard } from '../../src/metrics/aggregated-jaccard.ts';
import { averagePrecision } from '../../src/metrics/average-precision.ts';
import { squaredDistances, type Grid } from '../../src/metrics/distance-transform.ts';
import { hausdorff, hausdorff95 } from '../../src/metrics/hausdorff.ts';
import { iou } from '../../src/metrics/iou.ts';
import { objectOverlaps } from '../../src/metrics/object-matching.ts';
import { overlap } from '../../src/metrics/overlap.ts';
import { panopticQuality } from '../../src/metrics/panoptic-quality.ts';
import { averageSurfaceDistance, surfaceDistances } from '../../src/metrics/surface-distance.ts';

const spacing = fc.constantFrom(0.3, 0.5, 1, 2, 5);
const side = fc.integer({ min: 1, max: 6 });
const grids: fc.Arbitrary<Grid> = fc.record({ shape: fc.tuple(side, side, side), spacing: fc.tuple(spacing, spacing, spacing) });
const elements = ({ shape }: Grid) => shape[0] * shape[1] * shape[2];

/** A grid and masks on it, none of them empty unless asked for. */
function masks(count: number, empty = false) {
  return grids.chain(grid =>
    fc.tuple(fc.constant(grid), ...Array.from({ length: count }, () =>
      fc.array(fc.integer({ min: 0, max: 1 }), { minLength: elements(grid), maxLength: elements(grid) }).filter(m => empty || m.includes(1)),
    )),
  );
}

test('the transform is the brute-force nearest, in any spacing', () => {
  fc.assert(fc.property(masks(1, true), ([grid, mask]) => {
    const [columns, rows] = grid.shape;
    const at = (i: number) => [i % columns, Math.floor(i / columns) % rows, Math.floor(i / columns / rows)].map((c, axis) => c * grid.spacing[axis]!);
    const found = squaredDistances(mask!, grid);
    found.forEach((value, i) => {
      const nearest = mask!.reduce((best, set, j) => (set ? Math.min(best, at(i).reduce((sum, c, axis) => sum + (c - at(j)[axis]!) ** 2, 0)) : best), Infinity);
      if (nearest === Infinity) expect(value).toBe(Infinity);
      else expect(value).toBeCloseTo(nearest, 8);
    });
  }), { numRuns: 60 });
});

test('symmetric, 0 against itself, and average ≤ Hausdorff, 95 % ≤ Hausdorff', () => {
  fc.assert(fc.property(masks(2, true), ([grid, a, b]) => {
    const there = surfaceDistances(a!, b!, grid);
    const back = surfaceDistances(b!, a!, grid);
    for (const metric of [hausdorff, hausdorff95, averageSurfaceDistance]) {
      // Sums run in another order.
      if (Number.isFinite(metric(there))) expect(metric(there)).toBeCloseTo(metric(back), 12);
      else expect(metric(back)).toBe(Infinity);
      expect(metric(there)).toBeGreaterThanOrEqual(0);
      expect(metric(surfaceDistances(a!, a!, grid))).toBe(0);
    }
    expect(hausdorff95(there)).toBeLessThanOrEqual(hausdorff(there));
    if (Number.isFinite(hausdorff(there))) expect(averageSurfaceDistance(there)).toBeLessThanOrEqual(hausdorff(there) + 1e-12);
  }));
});

test('Hausdorff obeys the triangle inequality', () => {
  fc.assert(fc.property(masks(3), ([grid, a, b, c]) => {
    const between = (x: number[], y: number[]) => hausdorff(surfaceDistances(x, y, grid));
    expect(between(a!, c!)).toBeLessThanOrEqual(between(a!, b!) + between(b!, c!) + 1e-9);
  }));
});

test('distances grow with the spacing', () => {
  fc.assert(fc.property(masks(2), fc.constantFrom(0.25, 3), ([grid, a, b], factor) => {
    const [x, y, z] = grid.spacing;
    const larger = { ...grid, spacing: [x * factor, y * factor, z * factor] as const };
    for (const metric of [hausdorff, hausdorff95, averageSurfaceDistance]) {
      expect(metric(surfaceDistances(a!, b!, larger))).toBeCloseTo(factor * metric(surfaceDistances(a!, b!, grid)), 9);
    }
  }));
});

const labels = fc.array(fc.tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 4 })), { minLength: 1, maxLength: 120 });

test('object scores: 0..1, 1 against itself, whatever the numbers of the objects', () => {
  fc.assert(fc.property(labels, pixels => {
    const truth = pixels.map(([t]) => t);
    const prediction = pixels.map(([, p]) => p);
    const scores = (t: number[], p: number[]) => {
      const overlaps = objectOverlaps(t, p);
      return [averagePrecision(overlaps), aggregatedJaccard(overlaps), ...Object.values(panopticQuality(overlaps))];
    };
    const found = scores(truth, prediction);
    for (const score of found) expect(score >= 0 && score <= 1).toBe(true);
    expect(scores(truth, truth)).toEqual([1, 1, 1, 1, 1]);
    const renumbered = scores(truth.map(t => (t ? 100 - 7 * t : 0)), prediction.map(p => (p ? 3 * p + 1 : 0)));
    renumbered.forEach((score, i) => expect(score).toBeCloseTo(found[i]!, 12));
    // Matching does not care which of the two is the truth. (The aggregated Jaccard index does.)
    expect(averagePrecision(objectOverlaps(prediction, truth))).toBe(found[0]);
    expect(panopticQuality(objectOverlaps(prediction, truth)).panopticQuality).toBeCloseTo(found[2]!, 12);
  }));
});

test('of one object in each, the aggregated Jaccard index is the IoU', () => {
  fc.assert(fc.property(fc.array(fc.tuple(fc.boolean(), fc.boolean()), { minLength: 1, maxLength: 60 }), pixels => {
    const truth = pixels.map(([t]) => Number(t));
    const prediction = pixels.map(([, p]) => Number(p));
    expect(aggregatedJaccard(objectOverlaps(truth, prediction))).toBeCloseTo(iou(overlap(truth, prediction)), 12);
  }));
});
