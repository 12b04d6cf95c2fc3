import type { Node } from './ops.ts';

/**
 * Which channel stands at each lane of a tensor's quads; -1 where a quad is filled up. A concatenation in place leaves such
 * gaps in its middle. What stands in them is a finite number that nobody heeds.
 */
export type Lanes = readonly number[];

export function lanesFor(channels: number): Lanes {
  return Array.from({ length: 4 * Math.ceil(channels / 4) }, (_, i) => (i < channels ? i : -1));
}

export function sameLanes(a: Lanes, b: Lanes): boolean {
  return a.length === b.length && a.every((channel, i) => channel === b[i]);
}

/** At which lane each channel stands. */
export function lanesOfChannels(lanes: Lanes): Uint32Array {
  const at = new Uint32Array(lanes.filter(channel => channel >= 0).length);
  lanes.forEach((channel, lane) => channel >= 0 && (at[channel] = lane));
  return at;
}

/** The lanes of what a node gives; `of` are those of its inputs, `like` those that it is to have. */
export function lanesOf(node: Node, of: readonly Lanes[], inputChannels: readonly number[], like?: Lanes): Lanes {
  const { op, shape } = node;
  if (like) return like;
  switch (op.kind) {
    case 'convolution': return op.residual ? of.at(-1)! : lanesFor(shape.channels);
    case 'input':
    case 'transposed':
    case 'dense':
    case 'relane':
    case 'dot': return lanesFor(shape.channels);
    case 'depthwise':
    case 'pooling':
    case 'global':
    case 'pointwise':
    case 'combination':
    case 'resize':
    case 'shift':
    case 'softmax':
    case 'gate':
    case 'unpooling':
    case 'unflatten': return of[0]!;
    case 'part': return of[0]!.slice(...quadsOf(op.first, shape.channels, of[0]!)).map(channel => (channel < 0 ? -1 : channel - op.first));
    case 'moments': return op.variance ? joined([of[0]!, of[0]!], [inputChannels[0]!, inputChannels[0]!]) : of[0]!;
    case 'concatenation': return joined(of, inputChannels);
    case 'flatten': {
      const channels = inputChannels[0]!;
      const pixels = shape.channels / channels;
      return joined(Array.from({ length: pixels }, () => of[0]!), Array.from({ length: pixels }, () => channels));
    }
  }
}

/** Between which lanes some channels stand that begin and end with quads of their own, as what was concatenated does. */
export function quadsOf(first: number, count: number, lanes: Lanes): [from: number, to: number] {
  const to = lanes.indexOf(first + count);
  return [lanes.indexOf(first), to < 0 ? lanes.length : to];
}

function joined(parts: readonly Lanes[], channels: readonly number[]): Lanes {
  let first = 0;
  return parts.flatMap((lanes, i) => {
    const from = first;
    first += channels[i]!;
    return lanes.map(channel => (channel < 0 ? -1 : channel + from));
  });
}
