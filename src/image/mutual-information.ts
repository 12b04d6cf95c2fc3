/** Taken once: in the inner loops a global costs a look-up, and much in a test runner's sandbox. */
const { floor, log, max, min } = Math;

const BINS = 32;

/** Values of two images at the same places; NaN in `moving` where it has none. */
export interface JointSamples {
  readonly fixed: Float32Array;
  readonly moving: Float32Array;
}

export type ValueRange = readonly [min: number, max: number];

/**
 * Mutual information in nats of the values of two images, by a joint histogram of 32 × 32 bins: values of the fixed
 * image fall into one bin, those of the moving one are shared by the two nearest (a Parzen window of first order), so
 * that it changes steadily with the moving image's place. Values outside of the ranges count as their ends.
 */
export function mutualInformation({ fixed, moving }: JointSamples, ranges: { readonly fixed: ValueRange; readonly moving: ValueRange }): number {
  const joint = new Float64Array(BINS * BINS);
  const [toFixed, toMoving] = [scaler(ranges.fixed), scaler(ranges.moving)];
  let count = 0;
  for (let i = 0; i < fixed.length; i++) {
    const value = moving[i]!;
    if (value !== value) continue;
    const row = min(BINS - 1, floor(toFixed(fixed[i]!) + 0.5)) * BINS;
    const at = toMoving(value);
    const low = min(BINS - 2, floor(at));
    joint[row + low]! += 1 - (at - low);
    joint[row + low + 1]! += at - low;
    count++;
  }
  if (count === 0) return 0;
  const rows = new Float64Array(BINS);
  const columns = new Float64Array(BINS);
  for (let r = 0; r < BINS; r++) {
    for (let c = 0; c < BINS; c++) {
      const p = (joint[r * BINS + c]! /= count);
      rows[r]! += p;
      columns[c]! += p;
    }
  }
  let information = 0;
  for (let r = 0; r < BINS; r++) {
    for (let c = 0; c < BINS; c++) {
      const p = joint[r * BINS + c]!;
      if (p > 0) information += p * log(p / (rows[r]! * columns[c]!));
    }
  }
  return information;
}

/** To 0..BINS − 1, clipped. */
function scaler([low, high]: ValueRange): (value: number) => number {
  const scale = high > low ? (BINS - 1) / (high - low) : 0;
  return value => min(BINS - 1, max(0, (value - low) * scale));
}
