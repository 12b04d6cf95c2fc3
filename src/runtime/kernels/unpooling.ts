import { groupsOf, kernel, valuesOf, type Launch, type Place } from './kernel.ts';
import type { Sliding } from './pooling.ts';

/** The way back through a pool: sizes are the pool's own; `x` is what it was given, `g` the derivative by what it gave. */
export interface Unpooling extends Sliding {
  readonly of: 'max' | 'average';
  readonly zeros: boolean;
  readonly g: Place;
}

const PARAMS = [
  'tasks', 'quads', 'rows', 'columns', 'outRows', 'outColumns', 'sizeRows', 'sizeColumns', 'strideRows', 'strideColumns',
  'top', 'left', 'gStride', 'gOffset', 'xStride', 'xOffset', 'yStride', 'yOffset',
] as const;

/**
 * Each pixel of the input gathers from the windows that met it: of an average its share, of a maximum all where it is the largest, the
 * first of equal ones. One invocation a pixel and quad of the input. Reads g, then x (of maxima).
 */
export function unpooling({ of, zeros, n, input, output, quads, size, strides, before, g, x, y }: Unpooling): Launch {
  const tasks = n * input[0] * input[1] * quads;
  const outside = 'jy < 0 || jy >= i32(p.rows) || jx < 0 || jx >= i32(p.columns)';
  // What lies outside of the picture is met too where it counts as zeros, in its turn.
  const largest = `
      var most = vec4f(-3.4e38);
      var place = vec4u(0xffffffffu);
      for (var k = 0u; k < p.sizeRows * p.sizeColumns; k++) {
        let jy = i32(oy * p.strideRows + k / p.sizeColumns) - i32(p.top);
        let jx = i32(ox * p.strideColumns + k % p.sizeColumns) - i32(p.left);
        var v = vec4f();
        if (${outside}) { ${zeros ? '' : 'continue;'} } else { v = vec4f(x[((image * p.rows + u32(jy)) * p.columns + u32(jx)) * p.xStride + p.xOffset + c]); }
        let more = (v > most) | (place == vec4u(0xffffffffu));
        most = select(most, v, more);
        place = select(place, vec4u(k), more);
      }
      let own = (row + p.top - oy * p.strideRows) * p.sizeColumns + column + p.left - ox * p.strideColumns;
      sum += select(vec4f(), d, place == vec4u(own));`;
  const share = zeros ? '      sum += d / f32(p.sizeRows * p.sizeColumns);' : `
      let high = min(i32(oy * p.strideRows + p.sizeRows) - i32(p.top), i32(p.rows)) - max(i32(oy * p.strideRows) - i32(p.top), 0);
      let wide = min(i32(ox * p.strideColumns + p.sizeColumns) - i32(p.left), i32(p.columns)) - max(i32(ox * p.strideColumns) - i32(p.left), 0);
      sum += d / f32(high * wide);`;
  return {
    kernel: kernel({
      key: `unpooling/${of}/${zeros}`,
      params: PARAMS,
      reads: [['g', 'stored'], ...(of === 'max' ? [['x', 'stored']] as const : [])],
      writes: 'stored',
      body: `
  let c = id % p.quads;
  let pixel = id / p.quads;
  let column = pixel % p.columns;
  let row = pixel / p.columns % p.rows;
  let image = pixel / p.columns / p.rows;
  var sum = vec4f();
  let firstRow = u32(max(i32(row + p.top) - i32(p.sizeRows) + i32(p.strideRows), 0)) / p.strideRows;
  let firstColumn = u32(max(i32(column + p.left) - i32(p.sizeColumns) + i32(p.strideColumns), 0)) / p.strideColumns;
  for (var oy = firstRow; oy * p.strideRows <= row + p.top && oy < p.outRows; oy++) {
    for (var ox = firstColumn; ox * p.strideColumns <= column + p.left && ox < p.outColumns; ox++) {
      let d = vec4f(g[((image * p.outRows + oy) * p.outColumns + ox) * p.gStride + p.gOffset + c]);
${of === 'max' ? largest : share}
    }
  }
  y[pixel * p.yStride + p.yOffset + c] = stored(sum);`,
    }),
    params: valuesOf(PARAMS, {
      tasks, quads, rows: input[0], columns: input[1], outRows: output[0], outColumns: output[1], sizeRows: size[0], sizeColumns: size[1],
      strideRows: strides[0], strideColumns: strides[1], top: before[0], left: before[1],
      gStride: g.stride, gOffset: g.offset, xStride: x.stride, xOffset: x.offset, yStride: y.stride, yOffset: y.offset,
    }),
    workgroups: groupsOf(tasks),
  };
}
