import { OverreadError } from '../errors.ts';

/**
 * Two-sided exact sign test: how likely a split at least as uneven as this one is where either side is chosen by chance alone. Those that
 * chose neither are left out, as usual.
 *
 * W. J. Dixon and A. M. Mood, "The statistical sign test", Journal of the American Statistical Association 41(236), 1946.
 * @param a how often one was preferred, a whole number from 0
 * @param b how often the other
 * @returns 0..1; 1 where nobody preferred either
 * @throws OverreadError `internal` for counts that are no whole numbers from 0
 */
export function signTest(a: number, b: number): number {
  if (![a, b].every(count => Number.isInteger(count) && count >= 0)) throw new OverreadError('internal', `Expected two counts, got ${a} and ${b}.`, { got: [a, b] });
  const n = a + b;
  // In logarithms: of a thousand cases a single term would be 0.
  let logTerm = -n * Math.LN2;
  let sum = Math.exp(logTerm);
  for (let k = 1; k <= Math.min(a, b); k++) {
    logTerm += Math.log((n - k + 1) / k);
    sum += Math.exp(logTerm);
  }
  return Math.min(1, 2 * sum);
}
