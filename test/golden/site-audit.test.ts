import golden from './site-audit.json';
import { cramersV, oddsRatio } from '../../src/metrics/association.ts';
import { holm } from '../../src/metrics/holm.ts';
import { ridgeFold, ridgeKernel, ridgeScores } from '../../src/metrics/ridge.ts';
import { alignSubspaces } from '../../src/image/subspace-alignment.ts';

test.each(golden.tables.map((sample, i) => ({ i, ...sample })))("table $i: χ², Cramér's V and odds ratio as SciPy", ({ table, chi2, p, degrees, v, odds }) => {
  const found = cramersV(table)!;
  expect(found.chi2).toBeCloseTo(chi2, 9);
  expect(found.degrees).toBe(degrees);
  expect(found.p).toBeCloseTo(p, 8);
  expect(found.v).toBeCloseTo(v, 10);
  if (!odds) return;
  const { value, low, high } = oddsRatio(table);
  [value, low, high].forEach((number, i) => expect(number / odds[i]!).toBeCloseTo(1, 5));
});

test('a table of one row or column that holds anything has no V', () => {
  expect(cramersV([[3, 4], [0, 0]])).toBeUndefined();
  expect(oddsRatio([[5, 0], [2, 3]]).value).toBeCloseTo((5.5 * 3.5) / (0.5 * 2.5), 10);
});

test("adjusted p-values: as R's p.adjust", () => {
  holm(golden.holm.p).forEach((p, i) => expect(p).toBeCloseTo(golden.holm.adjusted[i]!, 9));
});

test.each(['standardised', 'plain'] as const)('held-back scores of ridge regression, %s: as scikit-learn', kind => {
  const { features, labels, test: held, scores } = golden.ridge;
  const fold = ridgeFold(held, ridgeKernel(features.map(row => Float32Array.from(row)), { standardise: kind === 'standardised' }));
  scores[kind].forEach((of, group) => of.forEach((score, i) => expect(ridgeScores(fold, labels, group)[i]).toBeCloseTo(score, 9)));
});

test('subspace alignment: as by singular values in numpy', () => {
  const { source, target, dimensions, aligned, projected, moved, kept } = golden.alignment;
  const [s, t] = [source, target].map(rows => rows.map(row => Float32Array.from(row)));
  const found = alignSubspaces(s!, t!, dimensions);
  expect(found.dimensions).toBe(dimensions);
  found.source.forEach((row, i) => row.forEach((value, j) => expect(Math.abs(value)).toBeCloseTo(aligned[i]![j]!, 8)));
  found.target.forEach((row, i) => row.forEach((value, j) => expect(Math.abs(value)).toBeCloseTo(projected[i]![j]!, 8)));
  t!.forEach((row, i) => found.toSource(row).forEach((value, j) => expect(value).toBeCloseTo(moved[i]![j]!, 4)));
  s!.forEach((row, i) => found.inSource(row).forEach((value, j) => expect(value).toBeCloseTo(kept[i]![j]!, 4)));
});

test('a set of one picture has no subspace', () => {
  expect(() => alignSubspaces([Float32Array.of(1, 2)], [Float32Array.of(1, 2), Float32Array.of(2, 3)], 1)).toThrow(/at least two/);
});
