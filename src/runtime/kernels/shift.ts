import { groupsOf, kernel, valuesOf, type Launch, type Place } from './kernel.ts';

export interface Shift {
  readonly n: number;
  readonly input: readonly [rows: number, columns: number];
  readonly output: readonly [rows: number, columns: number];
  /** Where the input's first pixel comes to lie in the output; negative where the input is cropped. */
  readonly at: readonly [row: number, column: number];
  readonly quads: number;
  readonly x: Place;
  readonly y: Place;
}

const PARAMS = ['tasks', 'quads', 'rows', 'columns', 'outRows', 'outColumns', 'top', 'left', 'xStride', 'xOffset', 'yStride', 'yOffset'] as const;

/** Pads planes with zeros or crops them, where no convolution takes that over. One invocation a pixel and quad. Reads x. */
export function shift({ n, input, output, at, quads, x, y }: Shift): Launch {
  const tasks = n * output[0] * output[1] * quads;
  return {
    kernel: kernel({
      key: 'shift',
      params: PARAMS,
      reads: [['x', 'stored']],
      writes: 'stored',
      body: `
  let c = id % p.quads;
  let pixel = id / p.quads;
  let column = i32(pixel % p.outColumns) - bitcast<i32>(p.left);
  let row = i32(pixel / p.outColumns % p.outRows) - bitcast<i32>(p.top);
  let first = pixel / p.outColumns / p.outRows * p.rows;
  var v = vec4f();
  if (row >= 0 && row < i32(p.rows) && column >= 0 && column < i32(p.columns)) {
    v = vec4f(x[((first + u32(row)) * p.columns + u32(column)) * p.xStride + p.xOffset + c]);
  }
  y[pixel * p.yStride + p.yOffset + c] = stored(v);`,
    }),
    params: valuesOf(PARAMS, {
      tasks, quads, rows: input[0], columns: input[1], outRows: output[0], outColumns: output[1], top: at[0], left: at[1],
      xStride: x.stride, xOffset: x.offset, yStride: y.stride, yOffset: y.offset,
    }),
    workgroups: groupsOf(tasks),
  };
}
