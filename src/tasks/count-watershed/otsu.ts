const BINS = 256;

/**
 * The threshold between two kinds of values that parts them best: the one with the most variance between the two sides (N. Otsu, "A
 * threshold selection method from gray-level histograms", IEEE SMC 9(1), 1979), over 256 bins; equal to scikit-image's
 * `threshold_otsu`. Values above it are of the upper kind.
 * @returns undefined where all values are equal
 */
export function otsuThreshold(values: ArrayLike<number>): number | undefined {
  let [low, high] = [Infinity, -Infinity];
  for (let i = 0; i < values.length; i++) {
    if (values[i]! < low) low = values[i]!;
    if (values[i]! > high) high = values[i]!;
  }
  if (!(high > low)) return undefined;
  const counts = new Float64Array(BINS);
  const scale = BINS / (high - low);
  for (let i = 0; i < values.length; i++) counts[Math.min(BINS - 1, Math.floor((values[i]! - low) * scale))]!++;
  const centre = (bin: number) => low + (bin + 0.5) / scale;
  let total = 0;
  for (let bin = 0; bin < BINS; bin++) total += counts[bin]! * centre(bin);
  let [below, sumBelow, best, at] = [0, 0, -1, 0];
  for (let bin = 0; bin < BINS - 1; bin++) {
    below += counts[bin]!;
    sumBelow += counts[bin]! * centre(bin);
    const above = values.length - below;
    if (below === 0 || above === 0) continue;
    const between = below * above * (sumBelow / below - (total - sumBelow) / above) ** 2;
    if (between > best) [best, at] = [between, bin];
  }
  return centre(at);
}
