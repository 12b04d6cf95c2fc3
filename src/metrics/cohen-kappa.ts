import jstat from 'jstat';
import { OverreadError } from '../errors.ts';
import type { Estimate } from './bootstrap.ts';

/**
 * Cohen's kappa: how much two raters agree beyond what their own frequencies make likely; 1 is always, 0 is chance.
 *
 * J. Cohen, "A coefficient of agreement for nominal scales", Educational and Psychological Measurement 20(1), 1960; with
 * weights, "Weighted kappa", Psychological Bulletin 70(4), 1968. The interval is of the large-sample standard error of
 * J. L. Fleiss, J. Cohen and B. S. Everitt, Psychological Bulletin 72(5), 1969, clipped to −1..1.
 *
 * @param a class of each item by one rater, a whole number from 0
 * @param b by the other, of the same length
 * @param options `weights`: what disagreement counts by the distance of the classes, none where classes have no order;
 *   `confidence` of the interval, 0.95 when left out
 * @returns undefined where both raters know one class only: chance alone would agree
 * @throws OverreadError `internal` when there are no items, the lengths differ, or a class is no whole number
 */
export function cohenKappa(a: ArrayLike<number>, b: ArrayLike<number>, options: { readonly weights?: 'linear' | 'quadratic'; readonly confidence?: number } = {}): Estimate | undefined {
  const { weights, confidence = 0.95 } = options;
  const n = a.length;
  if (n === 0 || n !== b.length) throw new OverreadError('internal', `Expected at least one item and two classes for each, got ${n} and ${b.length}.`, { got: [n, b.length] });
  let classes = 0;
  for (const rated of [a, b]) {
    for (let i = 0; i < n; i++) {
      if (!Number.isInteger(rated[i]) || rated[i]! < 0) throw new OverreadError('internal', `Expected classes that are whole numbers from 0, got ${rated[i]} at ${i}.`, { got: rated[i] });
      classes = Math.max(classes, rated[i]! + 1);
    }
  }
  const share = Array.from({ length: classes }, () => new Float64Array(classes));
  for (let i = 0; i < n; i++) share[a[i]!]![b[i]!]! += 1 / n;
  const rows = share.map(row => row.reduce((sum, p) => sum + p, 0));
  const columns = rows.map((_, j) => share.reduce((sum, row) => sum + row[j]!, 0));
  // Agreement, 1 on the diagonal: the complement of the weight of a disagreement.
  const agreement = (i: number, j: number) => {
    if (weights === undefined) return Number(i === j);
    const distance = Math.abs(i - j) / Math.max(1, classes - 1);
    return 1 - (weights === 'linear' ? distance : distance * distance);
  };
  let [observed, chance] = [0, 0];
  const rowMean = new Float64Array(classes);
  const columnMean = new Float64Array(classes);
  for (let i = 0; i < classes; i++) {
    for (let j = 0; j < classes; j++) {
      observed += agreement(i, j) * share[i]![j]!;
      chance += agreement(i, j) * rows[i]! * columns[j]!;
      rowMean[i]! += agreement(i, j) * columns[j]!;
      columnMean[j]! += agreement(i, j) * rows[i]!;
    }
  }
  if (1 - chance < 1e-12) return undefined;
  const value = (observed - chance) / (1 - chance);
  let spread = 0;
  for (let i = 0; i < classes; i++) {
    for (let j = 0; j < classes; j++) {
      spread += share[i]![j]! * (agreement(i, j) * (1 - chance) - (rowMean[i]! + columnMean[j]!) * (1 - observed)) ** 2;
    }
  }
  const variance = (spread - (observed * chance - 2 * chance + observed) ** 2) / (n * (1 - chance) ** 4);
  const half = jstat.normal.inv(0.5 + confidence / 2, 0, 1) * Math.sqrt(Math.max(0, variance));
  return { value, low: Math.max(-1, value - half), high: Math.min(1, value + half) };
}
