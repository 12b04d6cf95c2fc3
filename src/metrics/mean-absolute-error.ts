import { checkPairs } from './paired.ts';

/** Mean of |predicted − true|, as scikit-learn's `mean_absolute_error`. @throws OverreadError `internal` for none, or lengths that differ */
export function meanAbsoluteError(truth: readonly number[], predicted: readonly number[]): number {
  checkPairs(truth, predicted);
  return truth.reduce((sum, value, i) => sum + Math.abs(predicted[i]! - value), 0) / truth.length;
}
