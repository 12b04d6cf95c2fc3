import { OverreadError } from '../errors.ts';

/** The share of truths that their intervals hold, ends included. @throws OverreadError `internal` for none, or lengths that differ */
export function intervalCoverage(truth: readonly number[], intervals: readonly { readonly low: number; readonly high: number }[]): number {
  if (truth.length === 0 || truth.length !== intervals.length) throw new OverreadError('internal', `Expected at least one truth and an interval for each, got ${truth.length} and ${intervals.length}.`);
  return truth.filter((value, i) => value >= intervals[i]!.low && value <= intervals[i]!.high).length / truth.length;
}
