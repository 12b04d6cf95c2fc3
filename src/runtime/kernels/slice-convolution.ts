import { activated, type Activation } from './activation.ts';
import { repeat } from './kernel.ts';

/** Output channels that one invocation holds in registers at most. */
const MOST_CHANNELS = 10;
/** Columns of an invocation: a vec4 of them for each channel. */
const COLUMNS = 4;

export interface SliceConvolution {
  /** Slices that the kernel meets. */
  readonly depth: number;
  readonly channels: number;
  readonly filters: number;
  readonly bias: boolean;
  readonly activation: Activation;
}

/** In how many parts the output's channels are computed, and how many a part has. */
export function channelParts(filters: number): readonly [parts: number, channels: number] {
  const parts = Math.ceil(filters / MOST_CHANNELS);
  return [parts, Math.ceil(filters / parts)];
}

/** How many invocations make a slice, or planes of a batch. */
export function invocationsOf([rows, columns]: readonly [number, number], filters: number, batch = 1): number {
  return batch * rows * Math.ceil(columns / COLUMNS) * channelParts(filters)[0];
}

/**
 * The body of a program of tfjs's that computes one slice of a 3D convolution from the slices that its kernel meets. Networks
 * of volumes have few channels (MeshNet five), so quads of channels would be half empty: here a vec4 is four neighbouring
 * columns. An invocation holds one vec4 for each output channel (or for each of a part of ten); for each tap and input channel
 * it loads four values, and one weight an output channel, that all invocations share: 4 + n loads for n vec4 multiply-adds.
 * A slice beyond the ends is skipped, not multiplied as zeros. Of one slice, a 2D convolution, there may be a batch.
 *
 * Reads x0 … [n, rows, columns, channels], w [slices, rows, columns, in, out], bias. Uniforms: `there`, one bit for each slice that
 * is there; `kernelSize`, `strides`, `rates` and `before` of rows and columns.
 */
export function sliceConvolution({ depth, channels, filters, bias, activation }: SliceConvolution): string {
  const [parts, own] = channelParts(filters);
  const slice = (t: number) => `
  if ((uniforms.there & ${1 << t}) != 0) {
    for (var ky = 0; ky < uniforms.kernelSize.x; ky++) {
      let iy = y * uniforms.strides.x + ky * uniforms.rates.x - uniforms.before.x;
      if (iy < 0 || iy >= rows) { continue; }
      for (var kx = 0; kx < uniforms.kernelSize.y; kx++) {
        let ix = column * uniforms.strides.y + kx * uniforms.rates.y - uniforms.before.y;
        var at = ((${t} * uniforms.kernelSize.x + ky) * uniforms.kernelSize.y + kx) * ${channels * filters} + first;
${repeat(COLUMNS, i => `
        let near${i} = ix + ${i} * uniforms.strides.y;
        let in${i} = near${i} >= 0 && near${i} < columns;
        let start${i} = ((image * rows + iy) * columns + clamp(near${i}, 0, columns - 1)) * ${channels};`, '')}
        for (var c = 0; c < ${channels}; c++) {
          let v = vec4<f32>(${repeat(COLUMNS, i => `select(0.0, x${t}[start${i} + c], in${i})`, ', ')});
${repeat(own, k => `          s${k} = fma(v, vec4<f32>(w[at + ${parts === 1 ? k : `min(${k}, last)`}]), s${k});`)}
          at += ${filters};
        }
      }
    }
  }`;
  return `
fn main(index: i32) {
  let outRows = uniforms.outShape[1];
  let outColumns = uniforms.outShape[2];
  let rows = uniforms.x0Shape[1];
  let columns = uniforms.x0Shape[2];
  let across = (outColumns + ${COLUMNS - 1}) / ${COLUMNS};
  if (index >= uniforms.outShape[0] * outRows * across * ${parts}) { return; }
  let first = index % ${parts} * ${own};
  let last = ${filters - 1} - first;
  let column = index / ${parts} % across * ${COLUMNS};
  let y = index / ${parts} / across % outRows;
  let image = index / ${parts} / across / outRows;
${repeat(own, k => `  var s${k} = vec4<f32>(${bias ? `bias[first + min(${k}, last)]` : ''});`)}
${repeat(depth, slice)}
${repeat(own, k => `  if (${k} <= last) {
    let t${k} = ${activated(activation, `s${k}`)};
${repeat(COLUMNS, i => `    if (column + ${i} < outColumns) { result[((image * outRows + y) * outColumns + column + ${i}) * ${filters} + first + ${k}] = t${k}[${i}]; }`)}
  }`)}
}`;
}
