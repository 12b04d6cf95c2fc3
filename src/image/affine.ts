import { OverreadError } from '../errors.ts';
import type { Affine } from './image.ts';

export type Point = readonly [number, number, number];

/** a · b: first b, then a. */
export function multiply(a: Affine, b: Affine): Affine {
  return Array.from({ length: 16 }, (_, i) => [0, 1, 2, 3].reduce((sum, k) => sum + a[4 * (i >> 2) + k]! * b[4 * k + (i & 3)]!, 0));
}

/** @throws OverreadError `input/geometry` for axes that lie in one plane */
export function invert(m: Affine): Affine {
  const [a, b, c, , d, e, f, , g, h, i] = m as readonly number[] as [number, number, number, number, number, number, number, number, number, number, number];
  const cofactors = [e * i - f * h, c * h - b * i, b * f - c * e, f * g - d * i, a * i - c * g, c * d - a * f, d * h - e * g, b * g - a * h, a * e - b * d];
  const determinant = a * cofactors[0]! + b * cofactors[3]! + c * cofactors[6]!;
  if (!Number.isFinite(determinant) || Math.abs(determinant) < 1e-9) {
    throw new OverreadError('input/geometry', `Expected three axes of a volume, got some that lie in one plane (determinant ${determinant}). Mend its orientation or spacing.`, { got: determinant });
  }
  const inverse = cofactors.map(v => v / determinant);
  const t: Point = [m[3]!, m[7]!, m[11]!];
  return [0, 1, 2].flatMap(row => {
    const r = inverse.slice(3 * row, 3 * row + 3);
    return [...r, 0 - (r[0]! * t[0] + r[1]! * t[1] + r[2]! * t[2])];
  }).concat(0, 0, 0, 1);
}

export function apply(m: Affine, [x, y, z]: Point): Point {
  return [m[0]! * x + m[1]! * y + m[2]! * z + m[3]!, m[4]! * x + m[5]! * y + m[6]! * z + m[7]!, m[8]! * x + m[9]! * y + m[10]! * z + m[11]!];
}
