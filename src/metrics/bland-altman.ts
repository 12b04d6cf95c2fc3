import jstat from 'jstat';
import { OverreadError } from '../errors.ts';
import type { Estimate } from './bootstrap.ts';

/** How far two ways of measuring the same lie apart, and how far they scatter. */
export interface LimitsOfAgreement {
  readonly n: number;
  /** Mean of a − b, with the interval of Student's t. */
  readonly bias: Estimate;
  /** Standard deviation of a − b, over n − 1. */
  readonly deviation: number;
  /** bias − 1.96 · deviation and bias + 1.96 · deviation: about 95 % of differences lie between them. */
  readonly lower: Estimate;
  readonly upper: Estimate;
}

/**
 * Bias and 95 % limits of agreement of two methods that measured the same items.
 *
 * J. M. Bland and D. G. Altman, "Statistical methods for assessing agreement between two methods of clinical measurement",
 * Lancet 1986; intervals of the limits with the variance s² (1 / n + 1.96² / (2 (n − 1))) as in "Measuring agreement in method
 * comparison studies", Statistical Methods in Medical Research 8, 1999. Differences are taken to be of the same scatter over the
 * whole range and items to be independent: look at the plot.
 *
 * @param a values of one method, at least two
 * @param b of the other, of the same length
 * @throws OverreadError `internal` when there are fewer than two, the lengths differ, or a value is not finite
 */
export function blandAltman(a: ArrayLike<number>, b: ArrayLike<number>, confidence = 0.95): LimitsOfAgreement {
  const n = a.length;
  if (n < 2 || n !== b.length) throw new OverreadError('internal', `Expected at least two items and two values for each, got ${n} and ${b.length}.`, { got: [n, b.length] });
  const differences = Float64Array.from({ length: n }, (_, i) => a[i]! - b[i]!);
  const wrong = differences.findIndex(d => !Number.isFinite(d));
  if (wrong >= 0) throw new OverreadError('internal', `Expected finite values, got ${a[wrong]} and ${b[wrong]} at ${wrong}.`, { got: [a[wrong], b[wrong]] });
  const mean = differences.reduce((sum, d) => sum + d, 0) / n;
  const deviation = Math.sqrt(differences.reduce((sum, d) => sum + (d - mean) ** 2, 0) / (n - 1));
  const t = jstat.studentt.inv(0.5 + confidence / 2, n - 1);
  const around = (value: number, error: number): Estimate => ({ value, low: value - t * error, high: value + t * error });
  const reach = 1.96 * deviation;
  const error = deviation * Math.sqrt(1 / n + 1.96 ** 2 / (2 * (n - 1)));
  return { n, bias: around(mean, deviation / Math.sqrt(n)), deviation, lower: around(mean - reach, error), upper: around(mean + reach, error) };
}
