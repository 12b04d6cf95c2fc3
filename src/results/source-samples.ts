/** Where along one axis of a network's output the centres of the source's pixels lie. */
export interface AxisSamples {
  /** The source pixels that the network saw: from `begin` up to, not including, `end`. */
  readonly begin: number;
  readonly end: number;
  /** For source pixel `begin + i`: the two output indices around its centre, and how far it is towards the upper. */
  readonly lower: Int32Array;
  readonly upper: Int32Array;
  readonly fraction: Float64Array;
}

/** One axis of the way from source to network input: input = source · scale + offset, in coordinates from the corner. */
export interface AxisPlacement {
  readonly scale: number;
  readonly offset: number;
  readonly sourceSize: number;
  readonly inputSize: number;
}

/**
 * Bilinear sampling at source pixel centres, half-pixel convention as in PyTorch. Nothing is sampled outside of what
 * the network saw (a crop's surroundings), and no padding is mixed in: positions are held between the centres of the
 * first and the last output pixel of the image itself.
 * @param outputSize the network's output along this axis; its input size, or a fraction of it
 */
export function axisSamples({ scale, offset, sourceSize, inputSize }: AxisPlacement, outputSize: number): AxisSamples {
  const stride = outputSize / inputSize;
  const toOutput = (source: number) => (source * scale + offset) * stride;
  const seen = (source: number) => {
    const position = toOutput(source + 0.5);
    return position >= 0 && position <= outputSize;
  };
  let begin = 0;
  while (begin < sourceSize && !seen(begin)) begin++;
  let end = sourceSize;
  while (end > begin && !seen(end - 1)) end--;

  const first = Math.max(0, Math.floor(toOutput(0) + 1e-6));
  const last = Math.max(first, Math.min(outputSize, Math.ceil(toOutput(sourceSize) - 1e-6)) - 1);
  const lower = new Int32Array(end - begin);
  const upper = new Int32Array(end - begin);
  const fraction = new Float64Array(end - begin);
  for (let i = 0; i < lower.length; i++) {
    const position = Math.min(last, Math.max(first, toOutput(begin + i + 0.5) - 0.5));
    lower[i] = Math.floor(position);
    upper[i] = Math.min(last, lower[i]! + 1);
    fraction[i] = position - lower[i]!;
  }
  return { begin, end, lower, upper, fraction };
}

/**
 * One row of the source, sampled from an output plane: `into[(x - across.begin) · channels + c]`.
 * @param plane [rows, columns, channels] of the network's output, channels interleaved
 * @param y index into `down`, from 0
 */
export function sampleRow(
  plane: ArrayLike<number>,
  columns: number,
  channels: number,
  across: AxisSamples,
  down: AxisSamples,
  y: number,
  into: Float32Array,
): void {
  const top = down.lower[y]! * columns * channels;
  const bottom = down.upper[y]! * columns * channels;
  const fy = down.fraction[y]!;
  const count = across.end - across.begin;
  for (let i = 0, o = 0; i < count; i++) {
    const left = across.lower[i]! * channels;
    const right = across.upper[i]! * channels;
    const fx = across.fraction[i]!;
    for (let c = 0; c < channels; c++, o++) {
      const above = plane[top + left + c]! * (1 - fx) + plane[top + right + c]! * fx;
      const below = plane[bottom + left + c]! * (1 - fx) + plane[bottom + right + c]! * fx;
      into[o] = above * (1 - fy) + below * fy;
    }
  }
}
