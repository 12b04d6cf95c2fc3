import { checkPairs } from './paired.ts';

/** Root of the mean of (predicted − true)², as scikit-learn's `root_mean_squared_error`. @throws OverreadError `internal` */
export function rootMeanSquaredError(truth: readonly number[], predicted: readonly number[]): number {
  checkPairs(truth, predicted);
  return Math.sqrt(truth.reduce((sum, value, i) => sum + (predicted[i]! - value) ** 2, 0) / truth.length);
}
