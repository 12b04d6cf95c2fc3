import { groupsOf, kernel, valuesOf, type Launch, type Place } from './kernel.ts';

/** A window that goes over planes, each channel by itself. */
export interface Sliding {
  readonly n: number;
  readonly input: readonly [rows: number, columns: number];
  readonly output: readonly [rows: number, columns: number];
  readonly quads: number;
  readonly size: readonly [rows: number, columns: number];
  readonly strides: readonly [rows: number, columns: number];
  readonly before: readonly [rows: number, columns: number];
  readonly x: Place;
  readonly y: Place;
}

export interface Pooling extends Sliding {
  readonly of: 'max' | 'average';
  /** Pixels beyond the border count as zeros, as after a layer that pads; else they do not count, as 'same' has it. */
  readonly zeros: boolean;
}

const PARAMS = [
  'tasks', 'quads', 'rows', 'columns', 'outRows', 'outColumns', 'sizeRows', 'sizeColumns', 'strideRows', 'strideColumns',
  'top', 'left', 'xStride', 'xOffset', 'yStride', 'yOffset',
] as const;

/** One invocation a pixel and quad of the output; a load and one operation for each pixel of the window. Reads x. */
export function pooling({ of, zeros, n, input, output, quads, size, strides, before, x, y }: Pooling): Launch {
  const tasks = n * output[0] * output[1] * quads;
  const beyond = zeros ? (of === 'max' ? 'm = max(m, vec4f()); seen = true;' : 'count += 1.0;') : '';
  const take = of === 'max' ? 'm = select(max(m, v), v, !seen); seen = true;' : 'm += v; count += 1.0;';
  return {
    kernel: kernel({
      key: `pooling/${of}/${zeros}`,
      params: PARAMS,
      reads: [['x', 'stored']],
      writes: 'stored',
      body: `
  let c = id % p.quads;
  let pixel = id / p.quads;
  let column = pixel % p.outColumns;
  let row = pixel / p.outColumns % p.outRows;
  let first = pixel / p.outColumns / p.outRows * p.rows;
  var m = vec4f(${of === 'max' && zeros ? '-3.4e38' : ''});
  ${of === 'max' ? 'var seen = false;' : 'var count = 0.0;'}
  for (var ky = 0u; ky < p.sizeRows; ky++) {
    let iy = i32(row * p.strideRows + ky) - i32(p.top);
    for (var kx = 0u; kx < p.sizeColumns; kx++) {
      let ix = i32(column * p.strideColumns + kx) - i32(p.left);
      if (iy < 0 || iy >= i32(p.rows) || ix < 0 || ix >= i32(p.columns)) { ${beyond} continue; }
      let v = vec4f(x[((first + u32(iy)) * p.columns + u32(ix)) * p.xStride + p.xOffset + c]);
      ${take}
    }
  }
  y[pixel * p.yStride + p.yOffset + c] = stored(${of === 'max' ? 'm' : 'm / count'});`,
    }),
    params: valuesOf(PARAMS, {
      tasks, quads, rows: input[0], columns: input[1], outRows: output[0], outColumns: output[1], sizeRows: size[0], sizeColumns: size[1],
      strideRows: strides[0], strideColumns: strides[1], top: before[0], left: before[1],
      xStride: x.stride, xOffset: x.offset, yStride: y.stride, yOffset: y.offset,
    }),
    workgroups: groupsOf(tasks),
  };
}
