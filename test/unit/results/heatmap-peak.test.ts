import { heatmapPeak } from '../../../src/results/heatmap-peak.ts';

const map = (...values: number[]) => ({ values: Float32Array.from(values), source: { shape: [3, 2, 1] } }) as unknown as Parameters<typeof heatmapPeak>[0];

test('the largest value, by column and row; the first of several', () => {
  expect(heatmapPeak(map(0, 1, 2, 5, 0, 3))).toEqual([0, 1]);
  expect(heatmapPeak(map(0, 1, 2, 0, 2, 1))).toEqual([2, 0]);
});
test('of a signed map what speaks for the target, however much speaks against it; none where nothing does', () => {
  expect(heatmapPeak(map(-9, 0, 0, 0, 1, 0))).toEqual([1, 1]);
  expect(heatmapPeak(map(-9, 0, 0, 0, 0, 0))).toBeUndefined();
});
