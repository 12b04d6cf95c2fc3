/** Taken once: in the inner loops a global costs a look-up, and much in a test runner's sandbox. */
const { floor, max, min, sqrt } = Math;

const BINS = 64;
/** A bin of fewer voxels says nothing of its own: it is taken together with its neighbours. */
const FEWEST = 30;
/** A few bright vessels or spikes must not press the tissues into one bin. */
const BRIGHTEST = 0.995;
/** Of an image's range: pictures without noise do not differ infinitely. */
const LEAST_DEVIATION = 1e-3;

/** What one image has, in the mean, where another has a value, and how much that spreads. */
export interface Translation {
  expected(value: number): { readonly mean: number; readonly deviation: number };
}

/**
 * How the values of one image go over into another's, voxel by voxel, whatever the two contrasts are: mean and standard deviation for
 * each range of values.
 * @param from,to on one grid
 * @param skip not 0: the voxel is left out
 */
export function translationOf(from: Float32Array, to: Float32Array, skip: Uint8Array): Translation {
  const sorted = from.slice().sort();
  const low = sorted[0]!;
  const high = sorted[floor(BRIGHTEST * (sorted.length - 1))]!;
  const binOf = (value: number) => min(BINS - 1, floor((BINS * (value - low)) / (high - low || 1)));
  const [counts, sums, squares] = [new Float64Array(BINS), new Float64Array(BINS), new Float64Array(BINS)];
  for (let i = 0; i < from.length; i++) {
    if (skip[i]) continue;
    const bin = binOf(from[i]!);
    counts[bin]!++;
    sums[bin]! += to[i]!;
    squares[bin]! += to[i]! ** 2;
  }
  let [least, most] = [Infinity, -Infinity];
  for (const value of to) [least, most] = [min(least, value), max(most, value)];
  const bins = Array.from({ length: BINS }, (_, bin) => {
    let [n, sum, square] = [0, 0, 0];
    for (let reach = 0; reach < BINS && (reach === 0 || n < FEWEST); reach++) {
      for (const at of reach === 0 ? [bin] : [bin - reach, bin + reach]) {
        n += counts[at] ?? 0;
        sum += sums[at] ?? 0;
        square += squares[at] ?? 0;
      }
    }
    const mean = n ? sum / n : 0;
    return { mean, deviation: max(LEAST_DEVIATION * (most - least), sqrt(max(0, n ? square / n - mean ** 2 : 0))) };
  });
  return { expected: value => bins[max(0, binOf(value))]! };
}

/**
 * How unlike the rest a region is: the mean difference between what an image has there and what it has elsewhere where the other
 * image is as it is here, over the spread of that. About 0 where nothing was drawn or left out, whatever the model says.
 * @param voxels of the region
 */
export function strangeness(voxels: readonly number[], from: Float32Array, to: Float32Array, translation: Translation): number {
  let [difference, variance] = [0, 0];
  for (const i of voxels) {
    const { mean, deviation } = translation.expected(from[i]!);
    difference += to[i]! - mean;
    variance += deviation ** 2;
  }
  return variance > 0 ? difference / voxels.length / sqrt(variance / voxels.length) : 0;
}
