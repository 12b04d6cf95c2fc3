import jstat from 'jstat';
import { OverreadError } from '../errors.ts';
import type { Estimate } from './bootstrap.ts';

/** A table of counts, rows of equal length. */
export type ContingencyTable = readonly (readonly number[])[];

/**
 * Pearson's χ² of a table without Yates's correction, and Cramér's V: 0 where rows and columns have nothing to do with each
 * other, 1 where one tells the other.
 *
 * H. Cramér, "Mathematical Methods of Statistics", 1946, 21.9; as `scipy.stats.chi2_contingency` and `contingency.association`.
 * @returns undefined where fewer than two rows or columns hold anything
 */
export function cramersV(table: ContingencyTable): { readonly v: number; readonly chi2: number; readonly p: number; readonly degrees: number } | undefined {
  const rows = table.map(row => row.reduce((sum, n) => sum + n, 0));
  const columns = (table[0] ?? []).map((_, j) => table.reduce((sum, row) => sum + row[j]!, 0));
  const [r, c] = [rows, columns].map(of => of.filter(Boolean).length) as [number, number];
  if (r < 2 || c < 2) return undefined;
  const total = rows.reduce((sum, n) => sum + n, 0);
  let chi2 = 0;
  table.forEach((row, i) => row.forEach((n, j) => {
    const expected = (rows[i]! * columns[j]!) / total;
    if (expected > 0) chi2 += (n - expected) ** 2 / expected;
  }));
  const degrees = (r - 1) * (c - 1);
  return { v: Math.sqrt(chi2 / total / (Math.min(r, c) - 1)), chi2, degrees, p: 1 - jstat.chisquare.cdf(chi2, degrees) };
}

/**
 * The odds ratio of a table of two rows and two columns, with Woolf's interval on its logarithm; with an empty cell a half is added to each.
 *
 * B. Woolf, "On estimating the relation between blood group and disease", Annals of Human Genetics 19(4), 1955.
 * @throws OverreadError `internal` for a table of another size
 */
export function oddsRatio(table: ContingencyTable, confidence = 0.95): Estimate {
  if (table.length !== 2 || table.some(row => row.length !== 2)) throw new OverreadError('internal', `Expected a table of two rows and two columns, got ${table.length} rows.`, { expected: [2, 2], got: table });
  const more = table.flat().includes(0) ? 0.5 : 0;
  const [[a, b], [c, d]] = table.map(row => row.map(n => n + more)) as [[number, number], [number, number]];
  const log = Math.log((a * d) / (b * c));
  const half = jstat.normal.inv(0.5 + confidence / 2, 0, 1) * Math.sqrt(1 / a + 1 / b + 1 / c + 1 / d);
  return { value: Math.exp(log), low: Math.exp(log - half), high: Math.exp(log + half) };
}
