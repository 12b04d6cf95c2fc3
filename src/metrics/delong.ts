import jstat from 'jstat';
import { OverreadError } from '../errors.ts';
import type { Estimate } from './bootstrap.ts';

/** Two scores on the same items. */
export interface PairedAuc {
  readonly a: Estimate;
  readonly b: Estimate;
  /** a − b */
  readonly difference: Estimate;
  /** Of the difference; undefined where both scores rank all items alike. */
  readonly z?: number;
  /** Two-sided. */
  readonly p?: number;
}

/**
 * Compares the areas under the ROC curves of two scores on the same items, which are correlated.
 *
 * E. R. DeLong, D. M. DeLong and D. L. Clarke-Pearson, "Comparing the areas under two or more correlated receiver operating
 * characteristic curves: a nonparametric approach", Biometrics 44(3), 1988; by mid-ranks, as X. Sun and W. Xu, IEEE Signal
 * Processing Letters 21(11), 2014. Items are taken to be independent: one a patient. Intervals of areas are clipped to 0..1.
 *
 * @param a scores of one model, any scale; larger is more positive
 * @param b of the other
 * @param truths of the same length
 * @returns undefined where fewer than two items are positive, or negative: there is no variance
 * @throws OverreadError `internal` when the lengths differ or a score is no number
 */
export function delong(a: ArrayLike<number>, b: ArrayLike<number>, truths: ArrayLike<boolean>, confidence = 0.95): PairedAuc | undefined {
  if (a.length !== truths.length || b.length !== truths.length) {
    throw new OverreadError('internal', `Expected two scores and a truth for each item, got ${a.length}, ${b.length} and ${truths.length}.`, { got: [a.length, b.length, truths.length] });
  }
  const placed = [a, b].map(scores => placements(scores, truths));
  const [first, second] = placed as [Placements, Placements];
  const [m, n] = [first.positives.length, first.negatives.length];
  if (m < 2 || n < 2) return undefined;
  const covariance = (x: Placements, y: Placements) => covarianceOf(x.positives, y.positives, x.area, y.area) / m + covarianceOf(x.negatives, y.negatives, x.area, y.area) / n;
  const quantile = jstat.normal.inv(0.5 + confidence / 2, 0, 1);
  const around = (value: number, variance: number, least: number): Estimate => {
    const half = quantile * Math.sqrt(Math.max(0, variance));
    return { value, low: Math.max(least, value - half), high: Math.min(1, value + half) };
  };
  const [va, vb, vab] = [covariance(first, first), covariance(second, second), covariance(first, second)];
  const difference = first.area - second.area;
  const variance = va + vb - 2 * vab;
  const z = variance > 1e-15 ? difference / Math.sqrt(variance) : undefined;
  return {
    a: around(first.area, va, 0),
    b: around(second.area, vb, 0),
    difference: around(difference, variance, -1),
    ...(z !== undefined && { z, p: 2 * jstat.normal.cdf(-Math.abs(z), 0, 1) }),
  };
}

/** Of each positive the share of negatives below it, of each negative the share of positives above it; ties count half. */
interface Placements {
  readonly positives: Float64Array;
  readonly negatives: Float64Array;
  readonly area: number;
}

function placements(scores: ArrayLike<number>, truths: ArrayLike<boolean>): Placements {
  const all = Array.from({ length: scores.length }, (_, i) => i);
  const wrong = all.find(i => Number.isNaN(scores[i]));
  if (wrong !== undefined) throw new OverreadError('internal', `Expected scores that are numbers, got NaN at ${wrong}.`, { got: 'NaN' });
  const [above, below] = [all.filter(i => truths[i]), all.filter(i => !truths[i])];
  const ranks = midRanks(all, scores);
  const among = [above, below].map(of => midRanks(of, scores)) as [Float64Array, Float64Array];
  const positives = Float64Array.from(above, (item, i) => (ranks[item]! - among[0][i]!) / below.length);
  const negatives = Float64Array.from(below, (item, i) => 1 - (ranks[item]! - among[1][i]!) / above.length);
  return { positives, negatives, area: positives.reduce((sum, p) => sum + p, 0) / Math.max(1, above.length) };
}

/** Ranks from 1 of the named items among each other, in their order; equal scores share the mean of theirs. */
function midRanks(items: readonly number[], scores: ArrayLike<number>): Float64Array {
  const order = items.map((_, i) => i).sort((x, y) => scores[items[x]!]! - scores[items[y]!]!);
  const ranks = new Float64Array(items.length);
  for (let from = 0; from < order.length; ) {
    let to = from + 1;
    while (to < order.length && scores[items[order[to]!]!] === scores[items[order[from]!]!]) to++;
    for (let i = from; i < to; i++) ranks[order[i]!] = (from + to + 1) / 2;
    from = to;
  }
  return ranks;
}

function covarianceOf(x: Float64Array, y: Float64Array, meanX: number, meanY: number): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += (x[i]! - meanX) * (y[i]! - meanY);
  return sum / (x.length - 1);
}
