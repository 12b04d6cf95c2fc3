import jstat from 'jstat';
import { OverreadError } from '../errors.ts';
import type { Estimate } from './bootstrap.ts';

/**
 * A share with its exact interval: where nothing or everything was hit, a bootstrap would have no width.
 *
 * C. J. Clopper and E. S. Pearson, "The use of confidence or fiducial limits illustrated in the case of the binomial", Biometrika 26(4), 1934.
 * @param hits a whole number from 0
 * @param n of so many, 1 at least
 * @returns value hits / n; ends in 0..1
 * @throws OverreadError `internal` for other counts
 */
export function binomialInterval(hits: number, n: number, confidence = 0.95): Estimate {
  if (![hits, n].every(Number.isInteger) || hits < 0 || n < 1 || hits > n) throw new OverreadError('internal', `Expected hits of at least one, got ${hits} of ${n}.`, { got: [hits, n] });
  const tail = (1 - confidence) / 2;
  return {
    value: hits / n,
    low: hits === 0 ? 0 : jstat.beta.inv(tail, hits, n - hits + 1),
    high: hits === n ? 1 : jstat.beta.inv(1 - tail, hits + 1, n - hits),
  };
}

/**
 * How many would be counted in the mean, by one count, with its exact interval.
 *
 * F. Garwood, "Fiducial limits for the Poisson distribution", Biometrika 28(3/4), 1936.
 * @param count a whole number from 0
 * @throws OverreadError `internal` for another
 */
export function poissonInterval(count: number, confidence = 0.95): Estimate {
  if (!Number.isInteger(count) || count < 0) throw new OverreadError('internal', `Expected a count, got ${count}.`, { got: count });
  const tail = (1 - confidence) / 2;
  return { value: count, low: count === 0 ? 0 : jstat.chisquare.inv(tail, 2 * count) / 2, high: jstat.chisquare.inv(1 - tail, 2 * count + 2) / 2 };
}
