import { OverreadError } from '../errors.ts';

/**
 * Expected calibration error of a binary score, 0..1: over equally wide bins (a, b] of probability, the difference of
 * the mean probability and the share of positives, weighted by the bin's items. It grows with the number of bins where
 * items are few.
 *
 * M. P. Naeini et al., "Obtaining well calibrated probabilities using Bayesian binning", AAAI 2015; 15 bins as C. Guo et
 * al., "On calibration of modern neural networks", ICML 2017.
 *
 * @param probabilities of the positive class, 0..1, at least one
 * @param truths of the same length
 * @throws OverreadError `internal` when there are none, the lengths differ or one is no probability
 */
export function expectedCalibrationError(probabilities: ArrayLike<number>, truths: ArrayLike<boolean>, bins = 15): number {
  const n = probabilities.length;
  if (n === 0 || n !== truths.length) {
    throw new OverreadError('internal', `Expected at least one probability and a truth for each, got ${n} probabilities and ${truths.length} truths.`);
  }
  // Of each bin, what its probabilities say too much: their sum less that of its truths.
  const excess = new Float64Array(bins);
  for (let i = 0; i < n; i++) {
    const p = probabilities[i]!;
    if (!(p >= 0 && p <= 1)) throw new OverreadError('internal', `Expected probabilities, 0 to 1, got ${p} at ${i}.`, { expected: [0, 1], got: p });
    excess[Math.max(0, Math.ceil(p * bins) - 1)]! += p - Number(truths[i]!);
  }
  return excess.reduce((sum, e) => sum + Math.abs(e), 0) / n;
}
