import { kernel, valuesOf, type Launch, type Place } from './kernel.ts';
import { reduction } from './reduction.ts';

const PARAMS = ['tasks', 'quads', 'aStride', 'aOffset', 'bStride', 'bOffset', 'yStride', 'yOffset'] as const;

/** The inner product of two vectors, one workgroup for each of a batch. Reads a, b, mask [quads], which is 1 where a channel is. */
export function dot({ n, quads, a, b, y }: { readonly n: number; readonly quads: number; readonly a: Place; readonly b: Place; readonly y: Place }): Launch {
  return {
    kernel: kernel({
      key: 'dot',
      params: PARAMS,
      reads: [['a', 'stored'], ['b', 'stored'], ['mask', 'vec4f']],
      writes: 'stored',
      by: 'workgroup',
      declarations: reduction('sum'),
      body: `
  var s = vec4f();
  for (var c = lane; c < p.quads; c += 64u) { s = fma(vec4f(a[id * p.aStride + p.aOffset + c]), vec4f(b[id * p.bStride + p.bOffset + c]) * mask[c], s); }
  let total = reduced(s, lane);
  if (lane == 0u) { y[id * p.yStride + p.yOffset] = stored(vec4f(dot(total, vec4f(1.0)), 0.0, 0.0, 0.0)); }`,
    }),
    params: valuesOf(PARAMS, { tasks: n, quads, aStride: a.stride, aOffset: a.offset, bStride: b.stride, bOffset: b.offset, yStride: y.stride, yOffset: y.offset }),
    workgroups: n,
  };
}
