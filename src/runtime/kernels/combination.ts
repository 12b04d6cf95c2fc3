import { activated, activationKey, type Activation } from './activation.ts';
import { groupsOf, kernel, valuesOf, type Launch, type Place } from './kernel.ts';

export type Join = 'add' | 'multiply' | 'maximum' | 'minimum' | 'average';

export interface Combination {
  readonly join: Join;
  /** Pixels of the whole batch. */
  readonly pixels: number;
  readonly quads: number;
  readonly a: Place;
  readonly b: Place;
  readonly y: Place;
  /** How many pixels of `a` share one of `b`: 1, or a plane's where `b` has one value a channel for all of it. */
  readonly shared: number;
  readonly activation: Activation;
}

const PARAMS = ['tasks', 'quads', 'sharing', 'aStride', 'aOffset', 'bStride', 'bOffset', 'yStride', 'yOffset'] as const;
const JOINED: Readonly<Record<Join, string>> = { add: 'u + v', multiply: 'u * v', maximum: 'max(u, v)', minimum: 'min(u, v)', average: '(u + v) * 0.5' };

/** Joins two tensors value by value; one invocation a quad. Reads a, b. */
export function combination({ join, pixels, quads, a, b, y, shared, activation }: Combination): Launch {
  const tasks = pixels * quads;
  return {
    kernel: kernel({
      key: `combination/${join}/${activationKey(activation)}`,
      params: PARAMS,
      reads: [['a', 'stored'], ['b', 'stored']],
      writes: 'stored',
      body: `
  let c = id % p.quads;
  let pixel = id / p.quads;
  let u = vec4f(a[pixel * p.aStride + p.aOffset + c]);
  let v = vec4f(b[pixel / p.sharing * p.bStride + p.bOffset + c]);
  let t = ${JOINED[join]};
  y[pixel * p.yStride + p.yOffset + c] = stored(${activated(activation, 't')});`,
    }),
    params: valuesOf(PARAMS, { tasks, quads, sharing: shared, aStride: a.stride, aOffset: a.offset, bStride: b.stride, bOffset: b.offset, yStride: y.stride, yOffset: y.offset }),
    workgroups: groupsOf(tasks),
  };
}
