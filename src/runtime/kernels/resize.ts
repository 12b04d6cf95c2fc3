import { groupsOf, kernel, valuesOf, type Launch, type Place } from './kernel.ts';

export interface Resize {
  readonly by: 'nearest' | 'bilinear';
  readonly n: number;
  readonly input: readonly [rows: number, columns: number];
  /** Whole numbers: the output is as many times as large. */
  readonly factors: readonly [rows: number, columns: number];
  readonly quads: number;
  readonly x: Place;
  readonly y: Place;
}

const PARAMS = ['tasks', 'quads', 'rows', 'columns', 'factorRows', 'factorColumns', 'xStride', 'xOffset', 'yStride', 'yOffset'] as const;

/**
 * Enlarges planes as tfjs does without aligned corners: output j is at j / factor, and beyond the last pixel the last pixel
 * stands. Whole numbers say which pixel it is, so no rounding moves it. One invocation a pixel and quad. Reads x.
 */
export function resize({ by, n, input: [rows, columns], factors: [factorRows, factorColumns], quads, x, y }: Resize): Launch {
  const tasks = n * rows * factorRows * columns * factorColumns * quads;
  const at = (row: string, column: string) => `vec4f(x[((first + ${row}) * p.columns + ${column}) * p.xStride + p.xOffset + c])`;
  return {
    kernel: kernel({
      key: `resize/${by}`,
      params: PARAMS,
      reads: [['x', 'stored']],
      writes: 'stored',
      body: `
  let c = id % p.quads;
  let pixel = id / p.quads;
  let column = pixel % (p.columns * p.factorColumns);
  let line = pixel / (p.columns * p.factorColumns);
  let row = line % (p.rows * p.factorRows);
  let first = line / (p.rows * p.factorRows) * p.rows;
  let top = row / p.factorRows;
  let left = column / p.factorColumns;
  ${by === 'nearest' ? `let v = ${at('top', 'left')};` : `
  let bottom = min(top + 1u, p.rows - 1u);
  let right = min(left + 1u, p.columns - 1u);
  let across = f32(column % p.factorColumns) / f32(p.factorColumns);
  let down = f32(row % p.factorRows) / f32(p.factorRows);
  let v = mix(mix(${at('top', 'left')}, ${at('top', 'right')}, across), mix(${at('bottom', 'left')}, ${at('bottom', 'right')}, across), down);`}
  y[pixel * p.yStride + p.yOffset + c] = stored(v);`,
    }),
    params: valuesOf(PARAMS, { tasks, quads, rows, columns, factorRows, factorColumns, xStride: x.stride, xOffset: x.offset, yStride: y.stride, yOffset: y.offset }),
    workgroups: groupsOf(tasks),
  };
}
