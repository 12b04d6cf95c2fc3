import { activated, activationKey, type Activation } from './activation.ts';
import { groupsOf, kernel, valuesOf, type Launch } from './kernel.ts';
import type { Sliding } from './pooling.ts';

const PARAMS = [
  'tasks', 'quads', 'rows', 'columns', 'outRows', 'outColumns', 'sizeRows', 'sizeColumns', 'strideRows', 'strideColumns',
  'top', 'left', 'xStride', 'xOffset', 'yStride', 'yOffset',
] as const;

/**
 * A convolution of each channel by itself: one invocation a pixel and quad, one vec4 multiply-add a tap. It is bound by
 * memory, so there is nothing to tile. Reads x, w [rows][columns][quads], bias [quads].
 */
export function depthwise(of: Sliding & { readonly activation: Activation }): Launch {
  const { n, input, output, quads, size, strides, before, x, y, activation } = of;
  const tasks = n * output[0] * output[1] * quads;
  return {
    kernel: kernel({
      key: `depthwise/${activationKey(activation)}`,
      params: PARAMS,
      reads: [['x', 'stored'], ['w', 'stored'], ['bias', 'vec4f']],
      writes: 'stored',
      body: `
  let c = id % p.quads;
  let pixel = id / p.quads;
  let column = pixel % p.outColumns;
  let row = pixel / p.outColumns % p.outRows;
  let first = pixel / p.outColumns / p.outRows * p.rows;
  var s = bias[c];
  for (var ky = 0u; ky < p.sizeRows; ky++) {
    let iy = i32(row * p.strideRows + ky) - i32(p.top);
    if (iy < 0 || iy >= i32(p.rows)) { continue; }
    for (var kx = 0u; kx < p.sizeColumns; kx++) {
      let ix = i32(column * p.strideColumns + kx) - i32(p.left);
      if (ix < 0 || ix >= i32(p.columns)) { continue; }
      s = fma(vec4f(x[((first + u32(iy)) * p.columns + u32(ix)) * p.xStride + p.xOffset + c]), vec4f(w[(ky * p.sizeColumns + kx) * p.quads + c]), s);
    }
  }
  y[pixel * p.yStride + p.yOffset + c] = stored(${activated(activation, 's')});`,
    }),
    params: valuesOf(PARAMS, {
      tasks, quads, rows: input[0], columns: input[1], outRows: output[0], outColumns: output[1], sizeRows: size[0], sizeColumns: size[1],
      strideRows: strides[0], strideColumns: strides[1], top: before[0], left: before[1],
      xStride: x.stride, xOffset: x.offset, yStride: y.stride, yOffset: y.offset,
    }),
    workgroups: groupsOf(tasks),
  };
}
