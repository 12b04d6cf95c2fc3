import { DensityMaps, WINDOW } from '../../../../extension/counting/density-maps.ts';
import { ResultsStore } from '../../../../extension/results-store.ts';
import type { HeatmapResult } from '../../../../src/results/result.ts';
import { points } from './made-points.ts';

test('one map of one count at a time: its cells a pixel, or those in the window around each pixel', () => {
  const [columns, rows] = points().source.shape;
  const density = new Float32Array(2 * columns * rows);
  density[40 * columns + 30] = 1; // of the first class
  density[columns * rows + 40 * columns + 40] = 0.5; // of the second
  const results = new ResultsStore();
  const { key } = results.keep(points({ density }));
  const maps = new DensityMaps(results);
  const shown = () => maps.maps().map(({ result }) => result as HeatmapResult);
  expect(shown()).toEqual([]);
  maps.toggle(key, 'density');
  expect(shown()[0]!.values[40 * columns + 40]).toBe(0.5);
  expect(shown()[0]!.target.label).toBe('Cells a pixel');
  maps.toggle(key, 'windows');
  expect(shown()).toHaveLength(1);
  const { values, range, target } = shown()[0]!;
  expect(target.label).toBe(`Cells in ${WINDOW} × ${WINDOW} pixels`);
  expect(range).toEqual([0, 1.5]);
  expect(values[40 * columns + 35]).toBe(1.5);
  expect(values[40 * columns + 30 - WINDOW / 2 + 1]).toBe(1);
  expect(values[40 * columns + 30 + WINDOW]).toBe(0);
  expect(values[(40 + WINDOW) * columns + 35]).toBe(0);
  maps.toggle(key, 'windows');
  expect(shown()).toEqual([]);
});
