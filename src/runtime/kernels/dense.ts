import { activated, activationKey, type Activation } from './activation.ts';
import { kernel, repeat, valuesOf, type Launch, type Place } from './kernel.ts';
import { reduction } from './reduction.ts';

export interface Dense {
  readonly n: number;
  readonly inQuads: number;
  readonly outQuads: number;
  /** `stride` is from one input, or output, of the batch to the next. */
  readonly x: Place;
  readonly y: Place;
  readonly activation: Activation;
}

const PARAMS = ['tasks', 'inQuads', 'outQuads', 'xStride', 'xOffset', 'yStride', 'yOffset'] as const;

/**
 * A matrix times a vector: one workgroup a quad of outputs. Its 64 invocations take the quads of the input in turn, 4 vec4
 * multiply-adds each, then join their sums. Bound by the reading of the weights, each of which is read once for every
 * input of the batch. Reads x, w [input lanes][outQuads], bias [outQuads].
 */
export function dense({ n, inQuads, outQuads, x, y, activation }: Dense): Launch {
  const tasks = n * outQuads;
  return {
    kernel: kernel({
      key: `dense/${activationKey(activation)}`,
      params: PARAMS,
      reads: [['x', 'stored'], ['w', 'stored'], ['bias', 'vec4f']],
      writes: 'stored',
      by: 'workgroup',
      declarations: reduction('sum'),
      body: `
  let quad = id % p.outQuads;
  let image = id / p.outQuads;
  var s = vec4f();
  for (var c = lane; c < p.inQuads; c += 64u) {
    let v = vec4f(x[image * p.xStride + p.xOffset + c]);
    let at = c * 4u * p.outQuads + quad;
${repeat(4, j => `    s = fma(vec4f(v[${j}]), vec4f(w[at + ${j}u * p.outQuads]), s);`)}
  }
  let total = reduced(s, lane);
  if (lane == 0u) {
    let t = total + bias[quad];
    y[image * p.yStride + p.yOffset + quad] = stored(${activated(activation, 't')});
  }`,
    }),
    params: valuesOf(PARAMS, { tasks, inQuads, outQuads, xStride: x.stride, xOffset: x.offset, yStride: y.stride, yOffset: y.offset }),
    workgroups: tasks,
  };
}
