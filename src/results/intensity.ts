import { OverreadError } from '../errors.ts';

/** Mean and sample standard deviation of the pixels of one segment, in the image's own values (HU on CT). */
export interface Intensity {
  readonly mean: number;
  /** Absent for a single pixel. */
  readonly standardDeviation?: number;
}

/**
 * Intensities under each label, by the pass of B. P. Welford, "Note on a method for calculating corrected sums of squares
 * and products", Technometrics 4(3), 1962, which loses nothing where the mean is far larger than the spread.
 * @param labels one a pixel, 0 is background
 * @param pixels as many values; those that are no numbers do not count
 * @returns by label; a label without pixels is not in it
 * @throws OverreadError `internal` when the lengths differ
 */
export function intensitiesOf(labels: Uint8Array, pixels: ArrayLike<number>): ReadonlyMap<number, Intensity> {
  if (labels.length !== pixels.length) {
    throw new OverreadError('internal', `Expected one value a pixel of the mask, got ${pixels.length} values for ${labels.length} pixels. Please report this.`, { expected: labels.length, got: pixels.length });
  }
  const counts = new Float64Array(256);
  const means = new Float64Array(256);
  const squares = new Float64Array(256);
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!;
    const value = pixels[i]!;
    if (label === 0 || !Number.isFinite(value)) continue;
    const n = ++counts[label]!;
    const away = value - means[label]!;
    means[label]! += away / n;
    squares[label]! += away * (value - means[label]!);
  }
  const found = new Map<number, Intensity>();
  counts.forEach((n, label) => {
    if (n > 0) found.set(label, { mean: means[label]!, ...(n > 1 && { standardDeviation: Math.sqrt(squares[label]! / (n - 1)) }) });
  });
  return found;
}
