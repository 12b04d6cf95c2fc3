import { checkPairs } from './paired.ts';

/**
 * Mean of |predicted − true| / true over the pairs whose truth is above 0, as scikit-learn's `mean_absolute_percentage_error`.
 * @returns undefined where every truth is 0
 * @throws OverreadError `internal`
 */
export function meanRelativeError(truth: readonly number[], predicted: readonly number[]): number | undefined {
  checkPairs(truth, predicted);
  const errors = truth.flatMap((value, i) => (value > 0 ? [Math.abs(predicted[i]! - value) / value] : []));
  return errors.length ? errors.reduce((sum, error) => sum + error, 0) / errors.length : undefined;
}
