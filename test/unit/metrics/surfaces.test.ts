import { isOverreadError } from '../../../src/errors.ts';
import { squaredDistances, type Grid } from '../../../src/metrics/distance-transform.ts';
import { hausdorff, hausdorff95 } from '../../../src/metrics/hausdorff.ts';
import { overlap } from '../../../src/metrics/overlap.ts';
import { averageSurfaceDistance, surfaceDistances } from '../../../src/metrics/surface-distance.ts';
import { relativeVolumeDifference, volumeDifference } from '../../../src/metrics/volume-difference.ts';

const line = (n: number, spacing = 1): Grid => ({ shape: [n, 1, 1], spacing: [spacing, 1, 1] });
const all = (truth: number[], prediction: number[], grid: Grid, label?: number) => {
  const found = surfaceDistances(truth, prediction, grid, label);
  return [hausdorff(found), hausdorff95(found), averageSurfaceDistance(found)];
};

function thrown(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
}

test('distances to the nearest element that is set, by hand', () => {
  expect([...squaredDistances([0, 0, 1, 0, 0, 0, 1], line(7, 0.5))]).toEqual([1, 0.25, 0, 0.25, 1, 0.25, 0]);
  // 3 × 2 pixels, 2 mm wide and 1 mm high; only the top left one is set.
  expect([...squaredDistances([1, 0, 0, 0, 0, 0], { shape: [3, 2, 1], spacing: [2, 1, 1] })]).toEqual([0, 4, 16, 1, 5, 17]);
  expect([...squaredDistances([0, 0], line(2))]).toEqual([Infinity, Infinity]);
});

test('surfaces by hand: a square and the same moved by one of its wide pixels', () => {
  const grid: Grid = { shape: [6, 5, 1], spacing: [3, 1, 1] };
  const square = (x0: number) => Array.from({ length: 30 }, (_, i) => Number(i % 6 >= x0 && i % 6 < x0 + 3 && i >= 6 && i < 24));
  const { fromTruth, fromPrediction } = surfaceDistances(square(1), square(2), grid);
  // The middle pixel is no surface. One column has no neighbour in the other square; three pixels are of both surfaces.
  expect(fromTruth).toHaveLength(8);
  expect([...fromTruth].sort()).toEqual([0, 0, 0, 0, 1, 3, 3, 3]);
  expect([...fromPrediction].sort()).toEqual([...fromTruth].sort());
  expect(all(square(1), square(2), grid)).toEqual([3, 3, 10 / 8]);
});

test('a volume\'s surface counts the slices above and below', () => {
  const grid: Grid = { shape: [3, 3, 3], spacing: [1, 1, 5] };
  const cube = Array.from({ length: 27 }, () => 1);
  const core = cube.map((_, i) => Number(i === 13));
  expect(surfaceDistances(cube, core, grid).fromTruth).toHaveLength(26);
  expect(all(cube, core, grid)[0]).toBeCloseTo(Math.sqrt(1 + 1 + 25), 12);
});

test('one class of several', () => {
  expect(all([1, 2, 2, 0], [1, 1, 2, 0], line(4), 2)[0]).toBe(1);
  expect(all([1, 0, 0, 2], [1, 0, 0, 0], line(4), 1)).toEqual([0, 0, 0]);
});

test.each([
  { name: 'both empty', t: [0, 0], p: [0, 0], distance: 0, difference: 0, relative: 0 },
  { name: 'nothing predicted', t: [1, 0], p: [0, 0], distance: Infinity, difference: -4, relative: -1 },
  { name: 'nothing there', t: [0, 0], p: [1, 0], distance: Infinity, difference: 4, relative: Infinity },
])('empty masks, $name', ({ t, p, distance, difference, relative }) => {
  expect(all(t, p, line(2))).toEqual([distance, distance, distance]);
  expect(volumeDifference(overlap(t, p), 4)).toBe(difference);
  expect(relativeVolumeDifference(overlap(t, p))).toBe(relative);
});

test('the volume difference has a sign', () => {
  expect(volumeDifference(overlap([1, 1, 1, 0], [1, 0, 0, 0]), 0.5)).toBe(-1);
  expect(relativeVolumeDifference(overlap([1, 1, 0, 0], [1, 1, 1, 0]))).toBe(0.5);
});

test('refuses another grid, and a spacing of nothing', () => {
  expect(isOverreadError(thrown(() => surfaceDistances([1, 0], [1], line(2))), 'internal')).toBe(true);
  expect(isOverreadError(thrown(() => surfaceDistances([1, 0], [1, 0], line(2, 0))), 'internal')).toBe(true);
  expect(isOverreadError(thrown(() => squaredDistances([1], line(2))), 'internal')).toBe(true);
});
