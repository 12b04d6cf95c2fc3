import { OverreadError } from '../../src/errors.ts';
import type { CanvasTransform } from './heatmap-placement.ts';

/** First `inner`, then `outer`. */
export function compose(outer: CanvasTransform, inner: CanvasTransform): CanvasTransform {
  const [a, b, c, d, e, f] = outer;
  const [ia, ib, ic, id, ie, jf] = inner;
  return [a * ia + c * ib, b * ia + d * ib, a * ic + c * id, b * ic + d * id, a * ie + c * jf + e, b * ie + d * jf + f];
}

export function scaling(x: number, y: number): CanvasTransform {
  return [x, 0, 0, y, 0, 0];
}

export function apply([a, b, c, d, e, f]: CanvasTransform, x: number, y: number): readonly [x: number, y: number] {
  return [a * x + c * y + e, b * x + d * y + f];
}

/** The way back. @throws OverreadError `internal` for one that has none */
export function invert(transform: CanvasTransform): CanvasTransform {
  const [a, b, c, d, e, f] = transform;
  const whole = determinant(transform);
  if (whole === 0 || !Number.isFinite(whole)) {
    throw new OverreadError('internal', `Expected a camera that shows an area, got ${transform.join(', ')}. Please report this.`, { got: transform });
  }
  return [d / whole, -b / whole, -c / whole, a / whole, (c * f - d * e) / whole, (b * e - a * f) / whole];
}

/** How many units of what it maps to one unit of what it maps from becomes: the root of the area's ratio. */
export function magnification(transform: CanvasTransform): number {
  return Math.sqrt(Math.abs(determinant(transform)));
}

export function determinant([a, b, c, d]: CanvasTransform): number {
  return a * d - b * c;
}
