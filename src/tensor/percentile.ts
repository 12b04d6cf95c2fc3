/** Order statistics by counting: 2^16 bins of the upper, then of the lower half of a float's bits. */
const BINS = 65536;

/**
 * Percentiles by numpy's linear-interpolation definition, exact, in two passes over the values whatever their number.
 * @param values any shape, at least one value, all finite
 * @param percents 0..100
 * @returns one value for each entry of `percents`
 */
export function percentiles(values: Float32Array, percents: readonly number[]): number[] {
  const positions = percents.map(percent => (percent / 100) * (values.length - 1));
  const wanted = positions.flatMap(p => [Math.floor(p), Math.ceil(p)]);
  const found = valuesOfRank(values, wanted);
  return positions.map((p, i) => {
    const low = found[2 * i]!;
    const high = found[2 * i + 1]!;
    return low + (high - low) * (p - Math.floor(p));
  });
}

/** The values that would stand at these ranks (from 0) if all were sorted. */
function valuesOfRank(values: Float32Array, ranks: readonly number[]): number[] {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const upper = new Uint32Array(BINS);
  for (let i = 0; i < bits.length; i++) upper[orderedKey(bits[i]!) >>> 16]!++;

  const places = ranks.map(rank => locate(upper, rank));
  const lower = new Map(places.map(({ bin }) => [bin, new Uint32Array(BINS)]));
  // Mostly one to four bins are of interest; a table says which without a look-up by key.
  const interesting = new Uint8Array(BINS);
  for (const bin of lower.keys()) interesting[bin] = 1;
  for (let i = 0; i < bits.length; i++) {
    const key = orderedKey(bits[i]!);
    if (interesting[key >>> 16]) lower.get(key >>> 16)![key & 0xffff]!++;
  }
  return places.map(({ bin, rest }) => valueOfKey(((bin << 16) | locate(lower.get(bin)!, rest).bin) >>> 0));
}

/** The bin that holds the value of this rank, and its rank within the bin. */
function locate(counts: Uint32Array, rank: number): { bin: number; rest: number } {
  let rest = rank;
  let bin = 0;
  while (rest >= counts[bin]!) rest -= counts[bin++]!;
  return { bin, rest };
}

/** IEEE 754 bits → an unsigned number in the order of the values. */
function orderedKey(bits: number): number {
  return bits >>> 31 ? ~bits >>> 0 : (bits | 0x80000000) >>> 0;
}

function valueOfKey(key: number): number {
  const bits = new Uint32Array([key >>> 31 ? key & 0x7fffffff : ~key >>> 0]);
  return new Float32Array(bits.buffer)[0]!;
}
