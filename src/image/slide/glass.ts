/** Less than this part of a slide is no glass: in fluorescence, what is overexposed is as bright. */
const LEAST_SHARE = 0.02;
/** Glass is bright: every channel at least this, of 255. */
const LEAST_BRIGHTNESS = 178;
/** And without colour: optical densities of its channels lie no further apart. */
const LARGEST_TINT_OD = 0.06;
/** And even: standard deviation of a channel, in optical density. */
const LARGEST_SPREAD_OD = 0.02;
/** What is denser than glass by so many of its standard deviations is none, within these bounds. */
const SPREADS = 6;
const TOLERANCE_OD = [0.02, 0.05] as const;
/** Classes whose means lie this far apart are two: the brighter one is looked at again. */
const APART_OD = 0.03;
/** Bins of optical density. */
const BINS = 256;
const BIN_OD = 0.01;

/** Per channel, the least value that is still glass. */
export interface GlassLimits {
  readonly least: readonly [red: number, green: number, blue: number];
  /** Above the glass's own. */
  readonly toleranceOD: number;
}

/**
 * The glass of a brightfield slide: the brighter of the two classes into which Otsu's threshold (Otsu 1979, IEEE Trans SMC
 * 9:62) parts optical densities, parted again while it is two itself, if it is as bright, grey and even as glass is. A
 * slide that is tissue all over, or is dark where nothing is, as in fluorescence, has none. What is glass is then
 * decided by that class's own level and spread, which is stricter than the threshold: pale tissue stays.
 * @param counts of pixels, [mean of the channels][channel][value], 256 × 3 × 256
 */
export function glassLimits(counts: Float64Array): GlassLimits | { readonly none: string } {
  const bins = new Float64Array(BINS);
  for (let mean = 0; mean < 256; mean++) {
    let pixels = 0;
    for (let v = 0; v < 256; v++) pixels += counts[mean * 768 + v]!;
    bins[binOf(mean)]! += pixels;
  }
  const threshold = lastOfBrightest(bins);
  const channels = [0, 1, 2].map(channel => {
    const values = new Float64Array(256);
    for (let mean = 0; mean < 256; mean++) {
      if (binOf(mean) > threshold) continue;
      for (let v = 0; v < 256; v++) values[v]! += counts[mean * 768 + channel * 256 + v]!;
    }
    const median = medianOf(values);
    const distances = new Float64Array(256);
    values.forEach((n, v) => (distances[Math.abs(v - median)]! += n));
    // Of a normal distribution; half a step more, since values are whole numbers.
    return { median, spreadOD: density(median - 1.4826 * (medianOf(distances) + 0.5)) - density(median) };
  });
  const medians = channels.map(({ median }) => median);
  const densities = medians.map(density);
  const all = sum(bins);
  if (all === 0) return { none: 'the level on which glass is looked for could not be read' };
  if (Math.min(...medians) < LEAST_BRIGHTNESS) return { none: 'nothing on it is as bright as glass' };
  if (sum(bins.subarray(0, threshold + 1)) < LEAST_SHARE * all) return { none: 'hardly anything on it is as bright as glass' };
  if (Math.max(...densities) - Math.min(...densities) > LARGEST_TINT_OD) return { none: 'its brightest part is too coloured to be glass' };
  const spreadOD = Math.max(...channels.map(channel => channel.spreadOD));
  if (spreadOD > LARGEST_SPREAD_OD) return { none: 'its brightest part is too uneven to be glass' };
  const toleranceOD = Math.min(TOLERANCE_OD[1], Math.max(TOLERANCE_OD[0], SPREADS * spreadOD));
  const [red, green, blue] = densities.map(d => 10 ** -(d + toleranceOD) * 256 - 1) as [number, number, number];
  return { least: [red, green, blue], toleranceOD };
}

function sum(values: Float64Array): number {
  return values.reduce((total, n) => total + n, 0);
}

function density(value: number): number {
  return -Math.log10((Math.max(0, value) + 1) / 256);
}

function binOf(mean: number): number {
  return Math.min(BINS - 1, Math.floor(density(mean) / BIN_OD));
}

/** The last bin of the brightest class. */
function lastOfBrightest(bins: Float64Array): number {
  for (let last = bins.length - 1; ;) {
    const { at, apart } = otsu(bins.subarray(0, last + 1));
    if (apart * BIN_OD < APART_OD) return last;
    last = at;
  }
}

/** The last bin of the lower class, and how far the classes' means lie apart, in bins. */
function otsu(bins: Float64Array): { readonly at: number; readonly apart: number } {
  const total = sum(bins);
  const weighted = bins.reduce((total, n, i) => total + n * i, 0);
  let [best, at, apart, below, belowWeighted] = [-1, 0, 0, 0, 0];
  for (let i = 0; i < bins.length - 1; i++) {
    below += bins[i]!;
    belowWeighted += bins[i]! * i;
    const above = total - below;
    if (below === 0 || above === 0) continue;
    const distance = (weighted - belowWeighted) / above - belowWeighted / below;
    const between = below * above * distance ** 2;
    // Of equally good ones, as where nothing lies between the classes, the first.
    if (between > best) [best, at, apart] = [between, i, distance];
  }
  return { at, apart };
}

function medianOf(counts: Float64Array): number {
  const half = sum(counts) / 2;
  for (let v = 0, below = 0; v < counts.length; v++) {
    below += counts[v]!;
    if (below >= half && below > 0) return v;
  }
  return 0;
}
