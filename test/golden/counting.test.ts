import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { meanAbsoluteError } from '../../src/metrics/mean-absolute-error.ts';
import { meanRelativeError } from '../../src/metrics/mean-relative-error.ts';
import { matchPoints } from '../../src/metrics/point-matching.ts';
import { rootMeanSquaredError } from '../../src/metrics/root-mean-squared-error.ts';
import { otsuThreshold } from '../../src/tasks/count-watershed/otsu.ts';
import { separateStains, type StainSet } from '../../src/tasks/count-watershed/stains.ts';
import { linearRegression, slopeInterval } from '../../src/metrics/linear-regression.ts';

interface Golden {
  readonly fits: readonly { readonly x: number[]; readonly y: number[]; readonly interval: [number, number]; readonly slope: number; readonly intercept: number; readonly r: number; readonly p: number; readonly slopeError: number; readonly interceptError: number }[];
  readonly errors: readonly { readonly truth: number[]; readonly counted: number[]; readonly meanAbsolute: number; readonly rootMeanSquared: number; readonly meanRelative: number }[];
  readonly matches: readonly { readonly a: number[]; readonly b: number[]; readonly radius: number; readonly matched: number; readonly distance: number }[];
  readonly stains: { readonly rgb: number[] } & Readonly<Record<StainSet, number[]>>;
  readonly otsu: { readonly values: number[]; readonly threshold: number };
}

const golden = JSON.parse(readFileSync(join(__dirname, 'counting.json'), 'utf8')) as Golden;

test.each(golden.fits)('a line is that of scipy.stats.linregress', ({ x, y, interval, ...wanted }) => {
  const fit = linearRegression(x, y);
  for (const [name, value] of Object.entries(wanted)) expect(fit[name as keyof typeof fit]).toBeCloseTo(value, 8);
  expect(slopeInterval(fit)!.low).toBeCloseTo(interval[0]!, 8);
  expect(slopeInterval(fit)!.high).toBeCloseTo(interval[1]!, 8);
});

test.each(golden.errors)('errors are those of scikit-learn', ({ truth, counted, meanAbsolute, rootMeanSquared, meanRelative }) => {
  expect(meanAbsoluteError(truth, counted)).toBeCloseTo(meanAbsolute, 9);
  expect(rootMeanSquaredError(truth, counted)).toBeCloseTo(rootMeanSquared, 9);
  expect(meanRelativeError(truth, counted)).toBeCloseTo(meanRelative, 9);
});

test.each(golden.matches)('points are matched as scipy.optimize.linear_sum_assignment has it', ({ a, b, radius, matched, distance }) => {
  const { pairs, truePositives, falsePositives, falseNegatives } = matchPoints(a, b, radius);
  expect([truePositives, falsePositives, falseNegatives]).toEqual([matched, b.length / 2 - matched, a.length / 2 - matched]);
  expect(pairs.reduce((sum, pair) => sum + pair.distance, 0)).toBeCloseTo(distance, 6);
  expect(new Set(pairs.map(({ found }) => found)).size).toBe(matched);
});

test.each(['h-e', 'h-dab', 'h-e-dab'] as const)('the stains %s are those of scikit-image', name => {
  const separated = separateStains(Float32Array.from(golden.stains.rgb), name);
  golden.stains[name].forEach((value, i) => expect(separated[i]).toBeCloseTo(value, 6));
});

test('the threshold is that of scikit-image', () => expect(otsuThreshold(golden.otsu.values)).toBeCloseTo(golden.otsu.threshold, 9));
