import { groupsOf, kernel, valuesOf, type Launch, type Place } from './kernel.ts';

export interface Softmax {
  readonly pixels: number;
  readonly quads: number;
  readonly x: Place;
  readonly y: Place;
}

const PARAMS = ['tasks', 'quads', 'xStride', 'xOffset', 'yStride', 'yOffset'] as const;

/**
 * Softmax over the channels of each pixel, the largest taken off first so that nothing overflows; one invocation a pixel,
 * three passes over its quads, which are few. Reads x, mask [quads], which is 1 where a channel is and 0 where a quad is
 * filled up.
 */
export function softmax({ pixels, quads, x, y }: Softmax): Launch {
  return {
    kernel: kernel({
      key: 'softmax',
      params: PARAMS,
      reads: [['x', 'stored'], ['mask', 'vec4f']],
      writes: 'stored',
      body: `
  let start = id * p.xStride + p.xOffset;
  let to = id * p.yStride + p.yOffset;
  var most = vec4f(-3.4e38);
  for (var c = 0u; c < p.quads; c++) { most = max(most, select(vec4f(-3.4e38), vec4f(x[start + c]), mask[c] > vec4f(0.5))); }
  let largest = max(max(most.x, most.y), max(most.z, most.w));
  var sum = 0.0;
  for (var c = 0u; c < p.quads; c++) {
    sum += dot(select(vec4f(), exp(vec4f(x[start + c]) - largest), mask[c] > vec4f(0.5)), vec4f(1.0));
  }
  for (var c = 0u; c < p.quads; c++) { y[to + c] = stored(select(vec4f(), exp(vec4f(x[start + c]) - largest), mask[c] > vec4f(0.5)) / sum); }`,
    }),
    params: valuesOf(PARAMS, { tasks: pixels, quads, xStride: x.stride, xOffset: x.offset, yStride: y.stride, yOffset: y.offset }),
    workgroups: groupsOf(pixels),
  };
}
