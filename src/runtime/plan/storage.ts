import type { Place } from '../kernels/kernel.ts';
import { quadsOf, type Lanes } from './lanes.ts';
import { NoPlan, type Network2D } from './ops.ts';

/** Where a node's tensor lies: `root` is the node whose buffer it is, itself or the concatenation that it is a part of. */
export interface Stored extends Place {
  readonly root: number;
}

/** A copy into a concatenation of an input that could not be computed there. */
export interface Copied {
  readonly from: number;
  readonly to: Place;
}

export interface Storage {
  readonly places: readonly Stored[];
  /** Of each concatenation, what has to be copied into it; of each flattening of a part, that part. */
  readonly copies: ReadonlyMap<number, readonly Copied[]>;
}

/**
 * Decides where tensors lie. An input of a concatenation is computed into it, so that nothing is copied: a DenseNet's
 * block is one buffer that grows. WebGPU does not let one dispatch read and write the same buffer, even apart, so what would
 * be written into the buffer it is made from gets one of its own and is copied.
 */
export function storageOf(network: Network2D, lanes: readonly Lanes[]): Storage {
  const apart = new Set<number>();
  for (;;) {
    const storage = placed(network, lanes, apart);
    const found = conflicts(network, storage);
    if (found.length === 0) return storage;
    for (const node of found) apart.add(node);
  }
}

function placed({ nodes }: Network2D, lanes: readonly Lanes[], apart: ReadonlySet<number>): Storage {
  /** Which concatenation a node is a part of, and from which quad. */
  const part = new Map<number, { readonly of: number; readonly offset: number }>();
  const quads = (i: number) => lanes[i]!.length / 4;
  nodes.forEach(({ op, inputs }, concatenation) => {
    if (op.kind !== 'concatenation') return;
    let offset = 0;
    for (const input of inputs) {
      const free = !part.has(input) && !apart.has(input) && nodes[input]!.op.kind !== 'flatten' && inputs.filter(other => other === input).length === 1;
      if (free) part.set(input, { of: concatenation, offset });
      offset += quads(input);
    }
  });

  const copies = new Map<number, Copied[]>();
  const places: Stored[] = [];
  const place = (i: number): Stored => {
    const inside = part.get(i);
    if (!inside) return { root: i, stride: quads(i), offset: 0 };
    const whole = place(inside.of);
    return { root: whole.root, stride: whole.stride, offset: whole.offset + inside.offset };
  };
  nodes.forEach(({ op, inputs }, i) => {
    const own = place(i);
    if (op.kind === 'concatenation') {
      let { offset } = own;
      for (const input of inputs) {
        if (part.get(input)?.of !== i) copies.set(i, [...(copies.get(i) ?? []), { from: input, to: { stride: own.stride, offset } }]);
        offset += quads(input);
      }
    }
    if (op.kind === 'flatten') {
      const source = places[inputs[0]!]!;
      // A whole buffer is read as it is; of a part the pixels do not stand one after the other.
      if (source.stride === quads(inputs[0]!)) {
        places.push({ root: source.root, stride: quads(i), offset: 0 });
        return;
      }
      copies.set(i, [{ from: inputs[0]!, to: { stride: quads(inputs[0]!), offset: 0 } }]);
    }
    // What only looks at another's buffer.
    if (op.kind === 'part') {
      const { root, stride, offset } = places[inputs[0]!]!;
      places.push({ root, stride, offset: offset + quadsOf(op.first, nodes[i]!.shape.channels, lanes[inputs[0]!]!)[0] / 4 });
      return;
    }
    if (op.kind === 'unflatten') {
      const { root, offset } = places[inputs[0]!]!;
      // A vector has one pixel: its stride is that of batches only, and a part of a wider one is none.
      if (places[inputs[0]!]!.stride !== quads(inputs[0]!)) throw new NoPlan('a derivative by a part of a vector has to be unfolded');
      places.push({ root, stride: quads(i), offset });
      return;
    }
    places.push(own);
  });
  return { places, copies };
}

/** Nodes that have to lie apart from the concatenations that they are a part of. */
function conflicts({ nodes }: Network2D, { places, copies }: Storage): number[] {
  const root = (i: number) => places[i]!.root;
  const found: number[] = [];
  nodes.forEach(({ op, inputs }, i) => {
    if (op.kind === 'concatenation') found.push(...(copies.get(i) ?? []).map(({ from }) => from).filter(from => root(from) === root(i)));
    else if (!['flatten', 'part', 'unflatten'].includes(op.kind) && inputs.some(input => root(input) === root(i))) found.push(i);
  });
  return found;
}
