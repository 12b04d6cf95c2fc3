import { activated, activationKey, type Activation } from './activation.ts';
import { weightQuads } from './convolution.ts';
import { groupsOf, kernel, repeat, valuesOf, type Launch, type Place } from './kernel.ts';

export interface TransposedConvolution {
  readonly n: number;
  readonly input: readonly [rows: number, columns: number];
  readonly output: readonly [rows: number, columns: number];
  readonly inQuads: number;
  readonly outQuads: number;
  /** Channels that are there of an output of one quad, up to the last; 4 for wider ones. */
  readonly outLanes: number;
  readonly size: readonly [rows: number, columns: number];
  readonly strides: readonly [rows: number, columns: number];
  /** Rows and columns that are cut off at the beginning of what the input is spread over. */
  readonly before: readonly [rows: number, columns: number];
  readonly x: Place;
  readonly y: Place;
  readonly activation: Activation;
}

const PARAMS = [
  'tasks', 'outQuads', 'quadTiles', 'rows', 'columns', 'outRows', 'outColumns', 'inQuads', 'sizeRows', 'sizeColumns',
  'strideRows', 'strideColumns', 'top', 'left', 'xStride', 'xOffset', 'yStride', 'yOffset',
] as const;

/**
 * Gathers: an output pixel o meets tap k of input i where i · stride + k = o + before, so taps go in steps of the stride
 * from the first that meets one, and none is tried in vain. One pixel × two quads an invocation, since neighbours meet
 * different taps. Reads x, w [rows][columns][input lanes][weightQuads], bias [weightQuads].
 *
 * Of an output of one to three channels, as a picture's derivative is, each channel is an inner product over the input's quads: half a quad or
 * more would be multiplied for nothing. Its weights are [rows][columns][outLanes][input lanes].
 */
export function transposedConvolution({ n, input, output, inQuads, outQuads, outLanes, size, strides, before, x, y, activation }: TransposedConvolution): Launch {
  const quads = outQuads === 1 ? 1 : 2;
  const narrow = outLanes < 4;
  const quadTiles = weightQuads(outQuads) / quads;
  const tasks = n * output[0] * output[1] * quadTiles;
  return {
    kernel: kernel({
      key: `transposed/${quads}/${narrow ? `${outLanes}/` : ''}${activationKey(activation)}`,
      params: PARAMS,
      reads: [['x', 'stored'], ['w', 'stored'], ['bias', 'vec4f']],
      writes: 'stored',
      body: `
  let quad = (id % p.quadTiles) * ${quads}u;
  let pixel = id / p.quadTiles;
  let column = pixel % p.outColumns + p.left;
  let row = pixel / p.outColumns % p.outRows + p.top;
  let first = pixel / p.outColumns / p.outRows * p.rows;
  let wQuads = p.quadTiles * ${quads}u;
${repeat(quads, q => `  var s${q} = bias[quad + ${q}u];`)}
  for (var ky = row % p.strideRows; ky < min(p.sizeRows, row + 1u); ky += p.strideRows) {
    let iy = (row - ky) / p.strideRows;
    if (iy >= p.rows) { continue; }
    for (var kx = column % p.strideColumns; kx < min(p.sizeColumns, column + 1u); kx += p.strideColumns) {
      let ix = (column - kx) / p.strideColumns;
      if (ix >= p.columns) { continue; }
      let start = ((first + iy) * p.columns + ix) * p.xStride + p.xOffset;
      var at = ${narrow ? `(ky * p.sizeColumns + kx) * p.inQuads * ${outLanes}u` : '(ky * p.sizeColumns + kx) * p.inQuads * 4u * wQuads + quad'};
      for (var c = 0u; c < p.inQuads; c++) {
        let v = vec4f(x[start + c]);
${narrow ? repeat(outLanes, k => `        s0[${k}] += dot(v, vec4f(w[at + ${k}u * p.inQuads + c]));`)
    : repeat(4, j => `${repeat(quads, q => `        s${q} = fma(vec4f(v[${j}]), vec4f(w[at + ${q}u]), s${q});`)}\n        at += wQuads;`)}
      }
    }
  }
${repeat(quads, q => `  if (quad + ${q}u < p.outQuads) { y[pixel * p.yStride + p.yOffset + quad + ${q}u] = stored(${activated(activation, `s${q}`)}); }`)}`,
    }),
    params: valuesOf(PARAMS, {
      tasks, outQuads, quadTiles, rows: input[0], columns: input[1], outRows: output[0], outColumns: output[1], inQuads,
      sizeRows: size[0], sizeColumns: size[1], strideRows: strides[0], strideColumns: strides[1], top: before[0], left: before[1],
      xStride: x.stride, xOffset: x.offset, yStride: y.stride, yOffset: y.offset,
    }),
    workgroups: groupsOf(tasks),
  };
}
