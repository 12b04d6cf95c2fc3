import { kernel, valuesOf, type Launch, type Place } from './kernel.ts';
import { REDUCTION, reduced } from './reduction.ts';

const PARAMS = ['tasks', 'quads', 'aStride', 'aOffset', 'bStride', 'bOffset', 'yStride', 'yOffset'] as const;

/** The inner product of two vectors, one workgroup for each of a batch. Reads a, b, mask [quads], which is 1 where a channel is. */
export function dot({ n, quads, a, b, y }: { readonly n: number; readonly quads: number; readonly a: Place; readonly b: Place; readonly y: Place }): Launch {
  return {
    kernel: kernel({
      key: 'dot',
      params: PARAMS,
      reads: [['a', 'vec4f'], ['b', 'vec4f'], ['mask', 'vec4f']],
      writes: 'vec4f',
      by: 'workgroup',
      declarations: REDUCTION,
      body: `
  var s = vec4f();
  for (var c = lane; c < p.quads; c += 64u) { s = fma(a[id * p.aStride + p.aOffset + c], b[id * p.bStride + p.bOffset + c] * mask[c], s); }
${reduced((left, right) => `${left} + ${right}`)}
  if (lane == 0u) { y[id * p.yStride + p.yOffset] = vec4f(dot(parts[0], vec4f(1.0)), 0.0, 0.0, 0.0); }`,
    }),
    params: valuesOf(PARAMS, { tasks: n, quads, aStride: a.stride, aOffset: a.offset, bStride: b.stride, bOffset: b.offset, yStride: y.stride, yOffset: y.offset }),
    workgroups: n,
  };
}
