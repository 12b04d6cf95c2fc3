import type { ImageReference } from '../../../src/image/image.ts';
import { measureSegments } from '../../../src/results/measure.ts';
import type { PointsResult } from '../../../src/results/points.ts';
import type { HeatmapResult, LabelmapResult, Score, ScoresResult } from '../../../src/results/result.ts';
import type { Target } from '../../../src/manifest.ts';
import { HEART, LUNG, MADE } from './sources.ts';

/** Results on a grid, every value told by where it lies. */
export function mask(source: ImageReference, valueAt: (x: number, y: number, slice: number) => number = (x, y, slice) => (x + 2 * y + 3 * slice) % 3): LabelmapResult {
  const [columns, rows, slices] = source.shape;
  const labels = new Uint8Array(columns * rows * slices).map((_, i) => valueAt(i % columns, Math.floor(i / columns) % rows, Math.floor(i / (columns * rows))));
  return { ...MADE, kind: 'labelmap', source, labels, segments: measureSegments(labels, [LUNG, HEART], source) };
}

export function scores(source: ImageReference, more: Partial<ScoresResult> = {}): ScoresResult {
  const score = (target: Target, probability: number): Score => ({ target, logit: -0.123456789, probability, operatingPoint: 0.3, positive: probability >= 0.3, views: { PA: probability } });
  return {
    ...MADE, kind: 'scores', source, scores: [score({ ...LUNG, operatingPoint: 0.3 }, 1 / 3), score({ ...HEART, operatingPoint: 0.3 }, 0.1)],
    viewsUsed: ['PA'], viewsMissing: ['L'], viewsFrom: { PA: 'ViewPosition' }, substitute: 'zeros', outOfDistribution: { score: 3.5, threshold: 3, refused: true, reason: 'inverted grey scale' }, ...more,
  };
}

export function heatmap(source: ImageReference): HeatmapResult {
  const [columns, rows, slices] = source.shape;
  return { ...MADE, kind: 'heatmap', source, values: new Float32Array(columns * rows * slices).map((_, i) => Math.sin(i) / 3), range: [-0.25, 0.25], target: LUNG };
}

export function points(source: ImageReference): PointsResult {
  return {
    ...MADE, kind: 'points', source,
    coordinates: Float32Array.of(1, 2, 3.25, 4.5, 5, 6), classOf: Uint8Array.of(0, 0, 1), confidences: Float32Array.of(1, 0.5, 0.25),
    classes: [{ target: LUNG, count: 2.125, markers: 2, interval: { low: 1, high: 3.5, level: 0.9 }, cellsPerMm2: 3 }, { target: HEART, count: 1.1, markers: 1, cellsPerMm2: 1.5 }],
    total: { count: 3.225, markers: 3, interval: { low: 1.75, high: 5.125, level: 0.9 }, cellsPerMm2: 4.5 }, remarks: ['saturated picture'],
  };
}
