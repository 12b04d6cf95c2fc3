import { OverreadError } from '../errors.ts';
import { mulberry32 } from './mulberry32.ts';

/** Where a number would likely fall on other patients of the same kind. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

export interface Estimate extends Interval {
  readonly value: number;
}

const RESAMPLES = 2000;
const SEED = 20240;
const CONFIDENCE = 0.95;

export interface BootstrapOptions {
  /** How many times the patients are drawn again. */
  readonly resamples?: number;
  readonly seed?: number;
  /** Coverage of the interval, between 0 and 1. */
  readonly confidence?: number;
}

/**
 * Mean over items with a percentile bootstrap interval over groups: whole patients are drawn with replacement, each
 * with all its items, since items of one patient resemble each other. The same seed gives the same interval.
 *
 * B. Efron and R. J. Tibshirani, "An Introduction to the Bootstrap", 1993, section 13.3; drawing whole clusters:
 * C. A. Field and A. H. Welsh, "Bootstrapping clustered data", JRSS B 69(3), 2007.
 *
 * @param values one number an item
 * @param groups the patient of each item, of the same length
 * @throws OverreadError `internal` when there are no values or the lengths differ
 */
export function bootstrapMean(values: readonly number[], groups: readonly string[], options: BootstrapOptions = {}): Estimate {
  const { resamples = RESAMPLES, seed = SEED, confidence = CONFIDENCE } = options;
  if (values.length === 0 || values.length !== groups.length) {
    throw new OverreadError('internal', `Expected at least one value and a group for each, got ${values.length} values and ${groups.length} groups.`);
  }
  const byGroup = new Map<string, { sum: number; count: number }>();
  values.forEach((value, i) => {
    const group = byGroup.get(groups[i]!) ?? { sum: 0, count: 0 };
    byGroup.set(groups[i]!, { sum: group.sum + value, count: group.count + 1 });
  });
  const clusters = [...byGroup.values()];
  const random = mulberry32(seed);
  const means = new Float64Array(resamples);
  for (let r = 0; r < resamples; r++) {
    let sum = 0;
    let count = 0;
    for (let draw = 0; draw < clusters.length; draw++) {
      const cluster = clusters[Math.floor(random() * clusters.length)]!;
      sum += cluster.sum;
      count += cluster.count;
    }
    means[r] = sum / count;
  }
  const value = values.reduce((sum, v) => sum + v, 0) / values.length;
  return { value, ...interval(means, confidence) };
}

/** How many draws may be without the statistic before there is no interval: a class that so few patients hold has none. */
const MOST_LOST = 0.1;

/**
 * Percentile bootstrap intervals over groups of statistics that are no means, such as the area under a curve. All are
 * taken of the same draws. A draw that lacks a statistic (it holds no positive) is left out for it; where more than a
 * tenth are, there is no interval.
 * @param groups the patient of each item
 * @param statistics of the drawn items, by how often each was drawn
 * @returns one interval a statistic
 */
export function bootstrapIntervals(
  groups: readonly string[], statistics: (weights: Uint32Array) => readonly (number | undefined)[], options: BootstrapOptions = {},
): (Interval | undefined)[] {
  const { resamples = RESAMPLES, seed = SEED, confidence = CONFIDENCE } = options;
  const names = [...new Set(groups)];
  const numberOf = new Map(names.map((name, i) => [name, i]));
  const groupOf = Uint32Array.from(groups, name => numberOf.get(name)!);
  const random = mulberry32(seed);
  const drawn: number[][] = [];
  const weights = new Uint32Array(groups.length);
  for (let r = 0; r < resamples; r++) {
    const times = new Uint32Array(names.length);
    for (let draw = 0; draw < names.length; draw++) times[Math.floor(random() * names.length)]!++;
    for (let i = 0; i < weights.length; i++) weights[i] = times[groupOf[i]!]!;
    statistics(weights).forEach((value, i) => {
      const values = (drawn[i] ??= []);
      if (value !== undefined) values.push(value);
    });
  }
  return drawn.map(values => (values.length < (1 - MOST_LOST) * resamples ? undefined : interval(Float64Array.from(values), confidence)));
}

function interval(values: Float64Array, confidence: number): Interval {
  const tail = (1 - confidence) / 2;
  values.sort();
  return { low: quantile(values, tail), high: quantile(values, 1 - tail) };
}

/** Linear interpolation between order statistics (R's type 7, numpy's default). */
function quantile(sorted: Float64Array, q: number): number {
  const position = q * (sorted.length - 1);
  const below = Math.floor(position);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below]! + (position - below) * (sorted[above]! - sorted[below]!);
}
