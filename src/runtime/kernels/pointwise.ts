import { activated, activationKey, type Activation } from './activation.ts';
import { groupsOf, kernel, valuesOf, type Launch, type Place } from './kernel.ts';

export interface Pointwise {
  /** Of the whole batch. */
  readonly pixels: number;
  readonly quads: number;
  readonly x: Place;
  readonly y: Place;
  /** x · scale + shift by channel, before the activation. */
  readonly affine: boolean;
  readonly activation: Activation;
}

const PARAMS = ['tasks', 'quads', 'xStride', 'xOffset', 'yStride', 'yOffset'] as const;

/**
 * Normalisation and activation where they cannot be a part of a convolution; a plain copy when neither is asked for. One
 * invocation a quad. Reads x, then scale and shift (with `affine`).
 */
export function pointwise({ pixels, quads, x, y, affine, activation }: Pointwise): Launch {
  const tasks = pixels * quads;
  return {
    kernel: kernel({
      key: `pointwise/${affine}/${activationKey(activation)}`,
      params: PARAMS,
      reads: [['x', 'stored'], ...(affine ? [['scale', 'vec4f'], ['shift', 'vec4f']] as const : [])],
      writes: 'stored',
      body: `
  let c = id % p.quads;
  let pixel = id / p.quads;
  let u = vec4f(x[pixel * p.xStride + p.xOffset + c]);
  let v = ${affine ? 'fma(u, scale[c], shift[c])' : 'u'};
  y[pixel * p.yStride + p.yOffset + c] = stored(${activated(activation, 'v')});`,
    }),
    params: valuesOf(PARAMS, { tasks, quads, xStride: x.stride, xOffset: x.offset, yStride: y.stride, yOffset: y.offset }),
    workgroups: groupsOf(tasks),
  };
}
