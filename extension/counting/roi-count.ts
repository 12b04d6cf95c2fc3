import type { PointsResult } from '../../src/results/points.ts';
import { markerIndexOf } from '../overlays/marker-index.ts';
import { areaOn, boundsOf, contains, spansOf, type RoiShape } from './roi-shape.ts';

/** What lies inside of a region. */
export interface RoiCount {
  /** Markers of each class. */
  readonly classes: readonly number[];
  readonly markers: number;
  /** The density's sum, where the result has one: not a whole number. */
  readonly density?: number;
  /** Of what of the region lies on the picture. */
  readonly areaPixels: number;
  readonly areaMm2?: number;
  readonly cellsPerMm2?: number;
}

/** @param shape in coordinates on the plane of the result, from the outer corner of its first pixel */
export function countInside(result: PointsResult, shape: RoiShape): RoiCount {
  const { coordinates, classOf, classes, density, source: { shape: [columns, rows], spacingMm } } = result;
  const [left, top, right, bottom] = boundsOf(shape);
  const byClass = classes.map(() => 0);
  let markers = 0;
  for (const i of markerIndexOf(result).within(left - 0.5, top - 0.5, right - 0.5, bottom - 0.5)) {
    if (!contains(shape, coordinates[2 * i]! + 0.5, coordinates[2 * i + 1]! + 0.5)) continue;
    byClass[classOf[i]!]!++;
    markers++;
  }
  const areaPixels = areaOn(shape, columns, rows);
  const areaMm2 = spacingMm && areaPixels * spacingMm[0] * spacingMm[1];
  return {
    classes: byClass, markers, areaPixels,
    ...(density && { density: densityInside(density, classes.length, shape, columns, rows) }),
    ...(areaMm2 !== undefined && { areaMm2 }),
    ...(areaMm2 !== undefined && areaMm2 > 0 && { cellsPerMm2: markers / areaMm2 }),
  };
}

/** The sum of a density over the pixels whose centre lies inside. */
function densityInside(density: Float32Array, classes: number, shape: RoiShape, columns: number, rows: number): number {
  let sum = 0;
  for (const [row, from, to] of spansOf(shape, columns, rows)) {
    for (let c = 0; c < classes; c++) {
      const start = (c * rows + row) * columns;
      for (let i = start + from; i < start + to; i++) sum += density[i]!;
    }
  }
  return sum;
}
