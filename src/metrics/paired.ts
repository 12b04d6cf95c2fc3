import { OverreadError } from '../errors.ts';

/** @throws OverreadError `internal` when there are no pairs, or the lengths differ */
export function checkPairs(truth: readonly number[], predicted: readonly number[]): void {
  if (truth.length > 0 && truth.length === predicted.length) return;
  throw new OverreadError('internal', `Expected at least one true value and as many predicted ones, got ${truth.length} and ${predicted.length}.`);
}
