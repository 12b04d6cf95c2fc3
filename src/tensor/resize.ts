/** One plane, row-major, channels interleaved. */
export interface Plane {
  readonly values: Float32Array;
  readonly columns: number;
  readonly rows: number;
  readonly channels: number;
}

/**
 * Bilinear resize with an antialiasing filter: a triangle as wide as the step when shrinking, as Pillow does, and the
 * same numbers as PyTorch's `interpolate(mode='bilinear', antialias=True, align_corners=False)`.
 * @param to size of the outcome
 */
export function resize(plane: Plane, to: { readonly columns: number; readonly rows: number }): Plane {
  const { columns, rows, channels } = plane;
  const across = to.columns === columns ? plane.values : resizeRows(plane, tapsOf(columns, to.columns), to.columns);
  const values = to.rows === rows ? across : resizeColumns(across, tapsOf(rows, to.rows), to.rows, to.columns * channels);
  return { values, columns: to.columns, rows: to.rows, channels };
}

/** For each outgoing index: the first incoming index, how many, and their weights in a common table. */
interface Taps {
  readonly first: Int32Array;
  readonly count: Int32Array;
  readonly weights: Float32Array;
  readonly stride: number;
}

function tapsOf(from: number, to: number): Taps {
  const scale = from / to;
  const support = Math.max(1, scale);
  const stride = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(to);
  const count = new Int32Array(to);
  const weights = new Float32Array(to * stride);
  for (let i = 0; i < to; i++) {
    const centre = scale * (i + 0.5);
    const start = Math.max(0, Math.trunc(centre - support + 0.5));
    const end = Math.min(from, Math.trunc(centre + support + 0.5));
    let total = 0;
    for (let j = start; j < end; j++) total += triangle((j - centre + 0.5) / support);
    for (let j = start; j < end; j++) weights[i * stride + j - start] = triangle((j - centre + 0.5) / support) / total;
    first[i] = start;
    count[i] = end - start;
  }
  return { first, count, weights, stride };
}

function triangle(x: number): number {
  return Math.max(0, 1 - Math.abs(x));
}

function resizeRows({ values, columns, rows, channels }: Plane, { first, count, weights, stride }: Taps, outColumns: number): Float32Array {
  const out = new Float32Array(outColumns * rows * channels);
  for (let row = 0; row < rows; row++) {
    const base = row * columns * channels;
    let o = row * outColumns * channels;
    for (let x = 0; x < outColumns; x++) {
      const w = x * stride;
      const n = count[x]!;
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        let from = base + first[x]! * channels + c;
        for (let k = 0; k < n; k++, from += channels) sum += values[from]! * weights[w + k]!;
        out[o++] = sum;
      }
    }
  }
  return out;
}

function resizeColumns(values: Float32Array, { first, count, weights, stride }: Taps, outRows: number, width: number): Float32Array {
  const out = new Float32Array(outRows * width);
  // Whole rows at a time, in double precision: reads follow memory.
  const sums = new Float64Array(width);
  for (let y = 0; y < outRows; y++) {
    sums.fill(0);
    for (let k = 0; k < count[y]!; k++) {
      const weight = weights[y * stride + k]!;
      const from = (first[y]! + k) * width;
      for (let x = 0; x < width; x++) sums[x]! += values[from + x]! * weight;
    }
    out.set(sums, y * width);
  }
  return out;
}
