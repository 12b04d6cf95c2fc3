import jstat from 'jstat';
import { OverreadError } from '../errors.ts';

/** y = intercept + slope · x. */
export interface LinearFit {
  readonly slope: number;
  readonly intercept: number;
  /** Pearson's correlation; 0 where all y are equal. */
  readonly r: number;
  /** Standard errors; absent of two points, through which a line always goes. */
  readonly slopeError?: number;
  readonly interceptError?: number;
  /** Two-sided, of the hypothesis that the slope is 0. */
  readonly p?: number;
  readonly n: number;
}

/**
 * A straight line by ordinary least squares, as `scipy.stats.linregress`.
 * @param x one number a point, not all equal
 * @throws OverreadError `internal` for less than two different x, and lengths that differ
 */
export function linearRegression(x: readonly number[], y: readonly number[]): LinearFit {
  const n = x.length;
  const meanX = mean(x);
  const meanY = mean(y);
  const xx = x.reduce((sum, value) => sum + (value - meanX) ** 2, 0);
  const yy = y.reduce((sum, value) => sum + (value - meanY) ** 2, 0);
  if (n !== y.length || n < 2 || xx === 0) {
    throw new OverreadError('internal', `Expected as many y as x and at least two different x, got ${n} x and ${y.length} y.`, { expected: 2, got: [n, y.length] });
  }
  const xy = x.reduce((sum, value, i) => sum + (value - meanX) * (y[i]! - meanY), 0);
  const slope = xy / xx;
  const r = yy === 0 ? 0 : Math.min(1, Math.max(-1, xy / Math.sqrt(xx * yy)));
  const fit = { slope, intercept: meanY - slope * meanX, r, n };
  if (n === 2) return fit;
  const slopeError = Math.sqrt(((1 - r * r) * yy) / xx / (n - 2));
  const t = slope / slopeError;
  return { ...fit, slopeError, interceptError: slopeError * Math.sqrt(xx / n + meanX ** 2), p: slopeError === 0 ? (slope === 0 ? 1 : 0) : 2 * jstat.studentt.cdf(-Math.abs(t), n - 2) };
}

/** The slope's confidence interval, by Student's t; none of two points. */
export function slopeInterval({ slope, slopeError, n }: LinearFit, level = 0.95): { readonly low: number; readonly high: number } | undefined {
  if (slopeError === undefined) return undefined;
  const half = jstat.studentt.inv(0.5 + level / 2, n - 2) * slopeError;
  return { low: slope - half, high: slope + half };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
