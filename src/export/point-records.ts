import { OverreadError } from '../errors.ts';
import type { PointsResult } from '../results/points.ts';

/** A marker as files hold it, in index coordinates of its picture: a pixel's centre is a whole number. */
export interface PointRecord {
  readonly x: number;
  readonly y: number;
  /** Label of its class; absent where the file names none. */
  readonly className?: string;
  /** 0..1. */
  readonly confidence?: number;
}

/** The markers of a result, in its order. */
export function pointRecords({ coordinates, classOf, confidences, classes }: Pick<PointsResult, 'coordinates' | 'classOf' | 'confidences' | 'classes'>): PointRecord[] {
  return Array.from(classOf, (c, i) => ({ x: coordinates[2 * i]!, y: coordinates[2 * i + 1]!, className: classes[c]!.target.label, confidence: confidences[i]! }));
}

/**
 * Refuses markers that lie on no pixel of their picture: they belong to another one.
 * @param shape [columns, rows]
 * @throws OverreadError `dataset/invalid`, with the first of them
 */
export function checkInside(points: readonly PointRecord[], [columns, rows]: readonly [columns: number, rows: number, ...rest: number[]], file: string): void {
  const outside = points.filter(({ x, y }) => !(x >= -0.5 && y >= -0.5 && x <= columns - 0.5 && y <= rows - 0.5));
  const [first] = outside;
  if (!first) return;
  throw new OverreadError('dataset/invalid', `Expected points within the picture of ${columns} × ${rows} pixels, but ${outside.length} of ${points.length} in ${file} lie outside, the first at ${first.x}, ${first.y}. They may belong to another picture, or be counted in other units.`, {
    expected: [columns, rows], got: [first.x, first.y], file,
  });
}

/** A coordinate or confidence as it is written: thousandths. */
export function written(value: number): number {
  return Math.round(value * 1000) / 1000;
}
