import { groupsOf, kernel, repeat, valuesOf, type Launch, type Place } from './kernel.ts';

const PACK = ['tasks', 'quads', 'channels', 'yStride', 'yOffset'] as const;
const UNPACK = ['tasks', 'channels', 'xStride', 'xOffset'] as const;
const RELANE = ['tasks', 'quads', 'xStride', 'xOffset', 'yStride', 'yOffset'] as const;

/** Channels without gaps, as the outside has them, into quads, filled up with zeros. One invocation a quad. Reads x (f32). */
export function pack({ pixels, channels, y }: { readonly pixels: number; readonly channels: number; readonly y: Place }): Launch {
  const quads = Math.ceil(channels / 4);
  const tasks = pixels * quads;
  return {
    kernel: kernel({
      key: 'pack',
      params: PACK,
      reads: [['x', 'f32']],
      writes: 'stored',
      body: `
  let c = id % p.quads;
  let pixel = id / p.quads;
  let start = pixel * p.channels;
  var v = vec4f();
${repeat(4, j => `  if (c * 4u + ${j}u < p.channels) { v[${j}] = x[start + c * 4u + ${j}u]; }`)}
  y[pixel * p.yStride + p.yOffset + c] = stored(v);`,
    }),
    params: valuesOf(PACK, { tasks, quads, channels, yStride: y.stride, yOffset: y.offset }),
    workgroups: groupsOf(tasks),
  };
}

/** Quads into channels without gaps; `lanes` says at which lane each channel is. One invocation a value. Reads x, lanes (u32). */
export function unpack({ pixels, channels, x }: { readonly pixels: number; readonly channels: number; readonly x: Place }): Launch {
  const tasks = pixels * channels;
  return {
    kernel: kernel({
      key: 'unpack',
      params: UNPACK,
      reads: [['x', 'stored'], ['lanes', 'u32']],
      writes: 'given',
      body: `
  let start = lanes[id % p.channels];
  y[id] = given(vec4f(x[id / p.channels * p.xStride + p.xOffset + start / 4u])[start % 4u]);`,
    }),
    params: valuesOf(UNPACK, { tasks, channels, xStride: x.stride, xOffset: x.offset }),
    workgroups: groupsOf(tasks),
  };
}

/** For {@link relane}: this lane of the output is no channel. */
export const NO_LANE = 0xffffffff;

/** Quads into quads whose channels stand at other lanes; `lanes` says where each lane comes from. Reads x, lanes (u32). */
export function relane({ pixels, quads, x, y }: { readonly pixels: number; readonly quads: number; readonly x: Place; readonly y: Place }): Launch {
  const tasks = pixels * quads;
  return {
    kernel: kernel({
      key: 'relane',
      params: RELANE,
      reads: [['x', 'stored'], ['lanes', 'u32']],
      writes: 'stored',
      body: `
  let c = id % p.quads;
  let pixel = id / p.quads;
  var v = vec4f();
${repeat(4, j => `  { let start = lanes[c * 4u + ${j}u]; if (start != ${NO_LANE}u) { v[${j}] = vec4f(x[pixel * p.xStride + p.xOffset + start / 4u])[start % 4u]; } }`)}
  y[pixel * p.yStride + p.yOffset + c] = stored(v);`,
    }),
    params: valuesOf(RELANE, { tasks, quads, xStride: x.stride, xOffset: x.offset, yStride: y.stride, yOffset: y.offset }),
    workgroups: groupsOf(tasks),
  };
}
