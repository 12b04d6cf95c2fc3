import { OverreadError } from '../errors.ts';

/** A mean and the interval that it would likely fall in on other patients of the same kind. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

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
  const { resamples = 2000, seed = 20240, confidence = 0.95 } = options;
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
  means.sort();
  const tail = (1 - confidence) / 2;
  const value = values.reduce((sum, v) => sum + v, 0) / values.length;
  return { value, low: quantile(means, tail), high: quantile(means, 1 - tail) };
}

/** Linear interpolation between order statistics (R's type 7, numpy's default). */
function quantile(sorted: Float64Array, q: number): number {
  const position = q * (sorted.length - 1);
  const below = Math.floor(position);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below]! + (position - below) * (sorted[above]! - sorted[below]!);
}

/** T. Ettinger's mulberry32: 32 bits of state, uniform in [0, 1). */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
