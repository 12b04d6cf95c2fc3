import { OverreadError } from '../errors.ts';

/** How truth and prediction agree on one class, in pixels. */
export interface Overlap {
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly falseNegatives: number;
  readonly trueNegatives: number;
}

/** Integer labels, one a pixel, of any layout that truth and prediction share. */
export type Labels = ArrayLike<number>;

/**
 * Counts where truth and prediction hold a class.
 * @param truth labels of any shape, flattened
 * @param prediction labels of the same length
 * @param label the class that counts as positive; 'any' takes every label but 0
 * @throws OverreadError `internal` when the lengths differ: comparing other grids is the caller's fault
 */
export function overlap(truth: Labels, prediction: Labels, label: number | 'any' = 'any'): Overlap {
  if (truth.length !== prediction.length) {
    throw new OverreadError(
      'internal',
      `Expected truth and prediction of one length, got ${truth.length} and ${prediction.length} pixels. Bring both to one grid first.`,
      { expected: truth.length, got: prediction.length },
    );
  }
  let truePositives = 0;
  let inTruth = 0;
  let inPrediction = 0;
  for (let i = 0; i < truth.length; i++) {
    const t = label === 'any' ? truth[i] !== 0 : truth[i] === label;
    const p = label === 'any' ? prediction[i] !== 0 : prediction[i] === label;
    if (t) inTruth++;
    if (p) inPrediction++;
    if (t && p) truePositives++;
  }
  const falsePositives = inPrediction - truePositives;
  const falseNegatives = inTruth - truePositives;
  return { truePositives, falsePositives, falseNegatives, trueNegatives: truth.length - inTruth - falsePositives };
}
