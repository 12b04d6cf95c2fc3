import { kernel, valuesOf, type Launch, type Place } from './kernel.ts';
import { reduction } from './reduction.ts';

export interface GlobalPooling {
  readonly of: 'max' | 'average';
  readonly n: number;
  /** Of one plane. */
  readonly pixels: number;
  readonly quads: number;
  readonly x: Place;
  readonly y: Place;
  /** What is done to the input as it is loaded: x · scale + shift by channel, then perhaps ReLU. */
  readonly pre?: 'affine' | 'affine relu' | undefined;
}

const PARAMS = ['tasks', 'quads', 'pixels', 'xStride', 'xOffset', 'yStride', 'yOffset'] as const;

/**
 * One workgroup an image and quad: 64 invocations take the pixels in turn, so that none sums more than a 64th of them, then
 * join theirs. Reads x, then scale and shift (with `pre`).
 */
export function globalPooling({ of, n, pixels, quads, x, y, pre }: GlobalPooling): Launch {
  const tasks = n * quads;
  const loaded = 'vec4f(x[(image * p.pixels + i) * p.xStride + p.xOffset + c])';
  return {
    kernel: kernel({
      key: `global/${of}/${pre ?? '-'}`,
      params: PARAMS,
      reads: [['x', 'stored'], ...(pre ? [['scale', 'vec4f'], ['shift', 'vec4f']] as const : [])],
      writes: 'stored',
      by: 'workgroup',
      declarations: reduction(of === 'max' ? 'max' : 'sum'),
      body: `
  let c = id % p.quads;
  let image = id / p.quads;
  var s = vec4f(${of === 'max' ? '-3.4e38' : ''});
  for (var i = lane; i < p.pixels; i += 64u) {
    let u = ${pre ? `fma(${loaded}, scale[c], shift[c])` : loaded};
    let v = ${pre === 'affine relu' ? 'select(u, vec4f(), u < vec4f())' : 'u'};
    s = ${of === 'max' ? 'max(s, v)' : 's + v'};
  }
  let total = reduced(s, lane);
  if (lane == 0u) { y[image * p.yStride + p.yOffset + c] = stored(total${of === 'max' ? '' : ' / f32(p.pixels)'}); }`,
    }),
    params: valuesOf(PARAMS, { tasks, quads, pixels, xStride: x.stride, xOffset: x.offset, yStride: y.stride, yOffset: y.offset }),
    workgroups: tasks,
  };
}
