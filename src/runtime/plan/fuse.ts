import { LINEAR } from '../kernels/activation.ts';
import type { Affine, Before, Network2D, Node, Op, OpOf, Pair, PlaneShape } from './ops.ts';

/** Ops whose sums an affine map by channel and an activation can be put into. */
type Weighted = OpOf<'convolution' | 'depthwise' | 'transposed' | 'dense'>;

/**
 * Puts together what one kernel computes in one go: padding into the layer that follows; normalisation into the weights
 * before it, or where a concatenation stands between, as in a DenseNet, with its ReLU into the load of the layer after
 * it; biases, activations and residual sums into the convolution. Computes the same, but for rounding.
 */
export function fused({ nodes, outputs }: Network2D): Network2D {
  const uses = nodes.map(() => 0);
  for (const i of [...nodes.flatMap(({ inputs }) => inputs), ...outputs]) uses[i]!++;
  const made: (Node | undefined)[] = [];
  const usesOf: number[] = [];
  const now: number[] = [];
  /** The node that makes an input, if nobody else reads it. */
  const own = (input: number) => (usesOf[input] === 1 ? made[input] : undefined);

  nodes.forEach((node, i) => {
    let current: Node = { ...node, inputs: node.inputs.map(input => now[input]!) };
    const take = (input: number, merged: Node) => {
      made[input] = undefined;
      current = merged;
    };
    current = withoutPadding(current, made, usesOf);
    const x = current.inputs[0];
    const producer = x === undefined ? undefined : own(x);
    if (producer && current.op.kind === 'pointwise') {
      const merged = afterwards(producer.op, current.op);
      if (merged) take(x!, { ...producer, op: merged });
    } else if (producer?.op.kind === 'pointwise' && (current.op.kind === 'convolution' || current.op.kind === 'global')) {
      const pre = beforehand(producer.op);
      if (pre && !current.op.pre) take(x!, { ...current, op: { ...current.op, pre }, inputs: [producer.inputs[0]!, ...current.inputs.slice(1)] });
    } else if (current.op.kind === 'combination' && current.op.join === 'add') {
      const [a, b] = current.inputs as [number, number];
      for (const [summand, other] of [[a, b], [b, a]] as const) {
        const sum = own(summand);
        if (a === b || !sum || !takesResidual(sum.op) || !sameShape(sum.shape, made[other]!.shape)) continue;
        take(summand, { ...sum, op: { ...sum.op, residual: true, activation: current.op.activation }, inputs: [sum.inputs[0]!, other] });
        break;
      }
    }
    now.push(made.length);
    made.push(current);
    usesOf.push(uses[i]!);
  });
  return withoutGaps(made, outputs.map(output => now[output]!));
}

function takesResidual(op: Op): op is OpOf<'convolution'> {
  return op.kind === 'convolution' && op.activation === LINEAR && !op.residual;
}

/** What a node becomes when a pointwise one that alone reads it is put into it. */
function afterwards(op: Op, { affine, activation }: OpOf<'pointwise'>): Op | undefined {
  switch (op.kind) {
    case 'convolution':
    case 'depthwise':
    case 'transposed':
    case 'dense':
      if (op.activation !== LINEAR || (affine && op.kind === 'convolution' && op.residual)) return undefined;
      return affine ? { ...scaled(op, affine), activation } : { ...op, activation };
    case 'combination': return affine || op.activation !== LINEAR ? undefined : { ...op, activation };
    case 'pointwise': return affine || op.activation !== LINEAR ? undefined : { ...op, activation };
    default: return undefined;
  }
}

/** Weights are the outputs' channels in their last axis, whatever the layer. */
function scaled<T extends Weighted>(op: T, { scale, shift }: Affine): T {
  const channels = scale.length;
  return {
    ...op,
    kernel: op.kernel.map((weight, i) => weight * scale[i % channels]!),
    bias: Float32Array.from(scale, (factor, c) => (op.bias?.[c] ?? 0) * factor + shift[c]!),
  };
}

/** A normalisation, with or without ReLU, as something to be done to an input as it is loaded. */
function beforehand({ affine, activation }: OpOf<'pointwise'>): Before | undefined {
  if (!affine || (activation.kind !== 'linear' && activation.kind !== 'relu')) return undefined;
  return { ...affine, relu: activation.kind === 'relu' };
}

/** Where the node reads from a layer that only pads, it reads what that layer reads, and pads itself. */
function withoutPadding(node: Node, made: (Node | undefined)[], usesOf: number[]): Node {
  const { op, inputs, shape } = node;
  if (op.kind !== 'convolution' && op.kind !== 'depthwise' && op.kind !== 'pooling') return node;
  const padding = made[inputs[0]!];
  if (padding?.op.kind !== 'shift') return node;
  const { at } = padding.op;
  const source = padding.inputs[0]!;
  const input = made[source]!.shape;
  const added: Pair = [padding.shape.rows - input.rows, padding.shape.columns - input.columns];
  if (at.some((side, axis) => side < 0 || added[axis]! - side < 0)) return node;
  // A pool's own padding does not count, a layer's does: both at once are two kinds of border.
  const reach = (axis: 0 | 1) => ([shape.rows, shape.columns][axis]! - 1) * op.strides[axis] + op.size[axis];
  if (op.kind === 'pooling' && (op.before.some(side => side !== 0) || reach(0) > padding.shape.rows || reach(1) > padding.shape.columns)) return node;
  const before: Pair = [op.before[0] + at[0], op.before[1] + at[1]];
  // One reader less of the padding, which goes with its last; one more of what it padded.
  if (--usesOf[inputs[0]!]! === 0) made[inputs[0]!] = undefined;
  else usesOf[source]!++;
  return { ...node, op: op.kind === 'pooling' ? { ...op, before, zeros: true } : { ...op, before }, inputs: [source, ...inputs.slice(1)] };
}

function sameShape(a: PlaneShape, b: PlaneShape): boolean {
  return a.rows === b.rows && a.columns === b.columns && a.channels === b.channels;
}

/** Without what was put into others, and what nobody reads. */
function withoutGaps(made: readonly (Node | undefined)[], outputs: readonly number[]): Network2D {
  const needed = new Set(outputs);
  for (let i = made.length - 1; i >= 0; i--) if (needed.has(i)) made[i]!.inputs.forEach(input => needed.add(input));
  const now = new Map<number, number>();
  const nodes: Node[] = [];
  made.forEach((node, i) => {
    if (!node || !(needed.has(i) || node.op.kind === 'input')) return;
    now.set(i, nodes.length);
    nodes.push({ ...node, inputs: node.inputs.map(input => now.get(input)!) });
  });
  return { nodes, outputs: outputs.map(output => now.get(output)!) };
}
