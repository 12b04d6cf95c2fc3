import { repeat } from './kernel.ts';

/** Output channels of which one invocation holds a vec4 each, of four input channels. */
const MOST_FILTERS = 8;
const QUAD = 4;

export interface KernelDerivative {
  readonly channels: number;
  readonly filters: number;
}

function parts(filters: number): readonly [parts: number, own: number] {
  const count = Math.ceil(filters / MOST_FILTERS);
  return [count, Math.ceil(filters / count)];
}

/** How many invocations make it. */
export function derivativeInvocations({ channels, filters }: KernelDerivative, taps: number, chunks: number): number {
  return chunks * taps * Math.ceil(channels / QUAD) * parts(filters)[0];
}

/**
 * The body of a program of tfjs's that computes the derivative of a convolution with stride 1 by its kernel, in parts that are
 * then summed: an invocation goes through some rows of the picture, for one of the kernel's pixels, four input channels and up
 * to eight output channels. For each pixel it loads four values of the picture and one of each output channel, and multiplies
 * and adds a vec4 for each.
 *
 * Reads x [n, rows, columns, in] and dy [n, outRows, outColumns, out]; gives [chunks, taps, in, out]. Uniforms: `kernelColumns`,
 * `rowsEach` of a chunk and `before`.
 */
export function kernelDerivativeBody({ channels, filters }: KernelDerivative): string {
  const [count, own] = parts(filters);
  const quads = Math.ceil(channels / QUAD);
  return `
fn main(index: i32) {
  let taps = uniforms.outShape[1];
  if (index >= uniforms.outShape[0] * taps * ${quads * count}) { return; }
  let first = index % ${count} * ${own};
  let last = ${filters - 1} - first;
  let c = index / ${count} % ${quads} * ${QUAD};
  let tap = index / ${count * quads} % taps;
  let chunk = index / ${count * quads} / taps;
  let away = vec2<i32>(tap / uniforms.kernelColumns, tap % uniforms.kernelColumns) - uniforms.before;
  let rows = uniforms.xShape[1];
  let columns = uniforms.xShape[2];
  let outRows = uniforms.dyShape[1];
  let outColumns = uniforms.dyShape[2];
${repeat(own, k => `  var s${k} = vec4<f32>();`)}
  let end = min((chunk + 1) * uniforms.rowsEach, uniforms.dyShape[0] * outRows);
  for (var line = chunk * uniforms.rowsEach; line < end; line++) {
    let iy = line % outRows + away.x;
    if (iy < 0 || iy >= rows) { continue; }
    let row = (line / outRows * rows + iy) * columns;
    for (var ox = max(0, -away.y); ox < min(outColumns, columns - away.y); ox++) {
      let at = (row + ox + away.y) * ${channels};
      let v = vec4<f32>(${repeat(QUAD, i => `x[at + min(c + ${i}, ${channels - 1})]`, ', ')});
      let d = (line * outColumns + ox) * ${filters} + first;
${repeat(own, k => `      s${k} = fma(v, vec4<f32>(dy[d + min(${k}, last)]), s${k});`)}
    }
  }
  let to = ((chunk * taps + tap) * ${channels} + c) * ${filters} + first;
${repeat(own, k => repeat(QUAD, i => `  if (${k} <= last && c + ${i} < ${channels}) { result[to + ${i * filters + k}] = s${k}[${i}]; }`))}
}`;
}

/** The body of a program that sums x, [chunks, …], over its first axis. Uniform `count`: how many values a chunk has. */
export const SUM_OF_PARTS = `
fn main(index: i32) {
  if (index >= uniforms.count) { return; }
  var sum = 0.0;
  for (var chunk = 0; chunk < uniforms.xShape[0]; chunk++) { sum += x[chunk * uniforms.count + index]; }
  result[index] = sum;
}`;
