import { hasSlope } from '../kernels/gate.ts';
import { LINEAR, type Activation } from '../kernels/activation.ts';
import { lanesFor, lanesOf, sameLanes, type Lanes } from './lanes.ts';
import { NoPlan, type Before, type Network2D, type Node, type OpOf, type Pair } from './ops.ts';
import { withEqualLanes } from './program.ts';

/** A node that can add what is given to it last, or not. */
type Summand = (sum: number | undefined) => Omit<Node, 'shape' | 'like'> | number;

/**
 * A network that gives a score and its derivative as well: forward as it was, its activations kept by those that need them, then back
 * through each layer by the same kernels (the derivative by a convolution's input is a transposed convolution, and of stride 1 a
 * convolution with its kernel turned), so that it costs about two passes, and when only the last layers are gone back through, one.
 * It has one input more, the last: by how much each value of `output` counts, [channels].
 *
 * @param network fused
 * @param output node that gives the scores, a vector
 * @param wrt node by whose value the derivative is taken
 * @returns outputs: the scores, the value of `wrt`, the derivative by it
 * @throws NoPlan where a layer on the way has no way back here, or the scores do not depend on `wrt`
 */
export function derivativeOf(network: Network2D, output: number, wrt: number): Network2D {
  const { nodes: forward, outputs: [top, at] } = withEqualLanes({ nodes: network.nodes, outputs: [output, wrt] }) as { nodes: readonly Node[]; outputs: readonly [number, number] };
  const lanes: Lanes[] = [];
  for (const node of forward) lanes.push(lanesOf(node, node.inputs.map(i => lanes[i]!), node.inputs.map(i => forward[i]!.shape.channels)));
  const { shape } = forward[top]!;
  if (shape.rows * shape.columns !== 1) throw new NoPlan('its scores are no vector');
  const depends = forward.map((_, i) => i === at);
  forward.forEach(({ inputs }, i) => (depends[i] ||= inputs.some(input => depends[input])));
  if (!depends[top]) throw new NoPlan('the scores do not depend on what they are to be derived by');

  const nodes: Node[] = [...forward];
  const put = (node: Node) => nodes.push(node) - 1;
  /** Of each node: the derivative by what it gives, as far as it has come together. */
  const sums = new Map<number, number>();
  const seed = put({ name: 'derivative', op: { kind: 'input', index: forward.filter(({ op }) => op.kind === 'input').length }, inputs: [], shape });
  sums.set(top, sameLanes(lanesFor(shape.channels), lanes[top]!) ? seed : put({ name: 'derivative', op: { kind: 'relane' }, inputs: [seed], shape, like: top }));
  for (let i = top; i > at; i--) {
    const g = sums.get(i);
    if (g !== undefined) back(i, g);
  }
  return gated(nodes, [top, at, sums.get(at)!]);

  /** Adds to the derivative by a node. */
  function give(to: number, made: Summand, takesSum: boolean): void {
    if (!depends[to]) return;
    const sum = sums.get(to);
    const by = made(takesSum ? sum : undefined);
    const same = { shape: forward[to]!.shape, like: to };
    const node = typeof by === 'number' ? by : put({ ...by, ...same });
    sums.set(to, sum === undefined || takesSum ? node : put({ name: forward[to]!.name, op: { kind: 'combination', join: 'add', activation: LINEAR }, inputs: [node, sum], ...same }));
  }

  function back(i: number, derivative: number): void {
    const { op, inputs, name } = forward[i]!;
    const [x] = inputs as [number];
    const here = { shape: forward[i]!.shape, like: i };
    const before = (activation: Activation) => {
      if (activation.kind === 'linear') return derivative;
      if (!hasSlope(activation)) throw new NoPlan(`${name} has ${activation.kind}, whose slope is not known from what it gave`);
      return put({ name, op: { kind: 'gate', by: { of: 'activation', activation }, residual: false }, inputs: [derivative, i], ...here });
    };
    /** By a layer's input, where the layer first maps it: `made` is the derivative by what it was mapped to. */
    const through = (pre: Before | undefined, made: (sum: number | undefined) => Omit<Node, 'shape' | 'like'>, share = 1) => {
      if (!pre) return give(x, made, true);
      const { shape: inner } = forward[x]!;
      if (!depends[x]) return;
      // A plane's one value is spread by the gate itself.
      const inside = made(undefined);
      const mapped = inside.op.kind === 'gate' ? inside.inputs[0]! : put({ ...inside, shape: inner, like: x });
      const gain = pre.scale.map(value => value * share);
      const positive = pre.relu ? { scale: pre.scale, shift: pre.shift } : undefined;
      give(x, sum => ({ name, op: { kind: 'gate', by: { of: 'affine', gain, positive }, residual: sum !== undefined }, inputs: [mapped, ...(positive ? [x] : []), ...(sum === undefined ? [] : [sum])] }), true);
    };
    const gained = (g: number, gain: Float32Array): Summand => sum => ({ name, op: { kind: 'gate', by: { of: 'affine', gain }, residual: sum !== undefined }, inputs: [g, ...(sum === undefined ? [] : [sum])] });
    const even = (value: number) => new Float32Array(forward[x]!.shape.channels).fill(value);

    switch (op.kind) {
      case 'input': return;
      case 'convolution': {
        const g = before(op.activation);
        if (op.residual) give(inputs[1]!, () => g, false);
        const wayBack = inputOf(op, name, forward[x]!.shape.channels);
        return through(op.pre, sum => wayBack.kind === 'convolution'
          ? { name, op: { ...wayBack, residual: sum !== undefined }, inputs: [g, ...(sum === undefined ? [] : [sum])] }
          : withSum({ name, op: wayBack, inputs: [g] }, x, sum));
      }
      case 'transposed': {
        const g = before(op.activation);
        const [channels, filters] = [forward[x]!.shape.channels, here.shape.channels];
        const kernel = exchanged(op.kernel, op.size, channels, filters, false);
        return give(x, sum => ({ name, op: { kind: 'convolution', size: op.size, strides: op.strides, rates: [1, 1], before: op.before, kernel, activation: LINEAR, residual: sum !== undefined }, inputs: [g, ...(sum === undefined ? [] : [sum])] }), true);
      }
      case 'depthwise': {
        if (op.strides.some(stride => stride !== 1)) throw new NoPlan(`${name} goes in strides, channel by channel`);
        const g = before(op.activation);
        const kernel = turned(op.kernel, op.size, here.shape.channels);
        return give(x, () => ({ name, op: { kind: 'depthwise', size: op.size, strides: [1, 1], before: opposite(op.size, [1, 1], op.before), kernel, activation: LINEAR }, inputs: [g] }), false);
      }
      case 'dense': {
        const g = before(op.activation);
        const kernel = exchanged(op.kernel, [1, 1], forward[x]!.shape.channels, here.shape.channels, false);
        return give(x, () => ({ name, op: { kind: 'dense', kernel, activation: LINEAR }, inputs: [g] }), false);
      }
      case 'pooling': {
        const { of, zeros, size, strides, before: edge } = op;
        if (edge.some(side => side < 0)) throw new NoPlan(`${name} pools what was cropped`);
        return give(x, () => ({ name, op: { kind: 'unpooling', of, zeros, size, strides, before: edge }, inputs: of === 'max' ? [derivative, x] : [derivative] }), false);
      }
      case 'global': {
        if (op.of === 'max') throw new NoPlan(`${name} takes the largest of a plane`);
        const { rows, columns } = forward[x]!.shape;
        const share = 1 / (rows * columns);
        if (!op.pre) return give(x, gained(derivative, even(share)), true);
        return through(op.pre, () => ({ name, op: { kind: 'gate', by: { of: 'affine', gain: even(1) }, residual: false }, inputs: [derivative] }), share);
      }
      case 'pointwise': {
        const g = before(op.activation);
        return op.affine ? give(x, gained(g, op.affine.scale), true) : give(x, () => g, false);
      }
      case 'combination': {
        const g = before(op.activation);
        const [, b] = inputs as [number, number];
        const { rows, columns } = forward[b]!.shape;
        if (rows * columns !== here.shape.rows * here.shape.columns) throw new NoPlan(`${name} joins a plane with one pixel`);
        if (op.join === 'maximum' || op.join === 'minimum') throw new NoPlan(`${name} takes the ${op.join}`);
        for (const [to, other] of [[x, b], [b, x]] as const) {
          if (op.join === 'add') give(to, () => g, false);
          else if (op.join === 'average') give(to, gained(g, even(0.5)), true);
          else give(to, () => ({ name, op: { kind: 'combination', join: 'multiply', activation: LINEAR }, inputs: [g, other] }), false);
        }
        return;
      }
      case 'concatenation': {
        let first = 0;
        for (const input of inputs) {
          const from = first;
          first += forward[input]!.shape.channels;
          give(input, () => ({ name, op: { kind: 'part', first: from }, inputs: [derivative] }), false);
        }
        return;
      }
      case 'resize': {
        if (op.by !== 'nearest') throw new NoPlan(`${name} is resized between its pixels`);
        const kernel = new Float32Array(op.factors[0] * op.factors[1] * here.shape.channels).fill(1);
        return give(x, () => ({ name, op: { kind: 'depthwise', size: op.factors, strides: op.factors, before: [0, 0], kernel, activation: LINEAR }, inputs: [derivative] }), false);
      }
      case 'shift': return give(x, () => ({ name, op: { kind: 'shift', at: [-op.at[0], -op.at[1]] }, inputs: [derivative] }), false);
      case 'flatten': return give(x, () => ({ name, op: { kind: 'unflatten' }, inputs: [derivative] }), false);
      case 'relane': return give(x, () => ({ name, op: { kind: 'relane' }, inputs: [derivative] }), false);
      default: throw new NoPlan(`${name} (${op.kind}) has no way back here`);
    }
  }

  /** Where the kernel adds nothing itself. */
  function withSum(node: Omit<Node, 'shape' | 'like'>, to: number, sum: number | undefined): Omit<Node, 'shape' | 'like'> {
    if (sum === undefined) return node;
    const own = put({ ...node, shape: forward[to]!.shape, like: to });
    return { name: node.name, op: { kind: 'combination', join: 'add', activation: LINEAR }, inputs: [own, sum] };
  }
}

/** Puts gates into the convolutions that make what they gate: one pass through a map less, there and back. */
function gated(nodes: readonly Node[], outputs: readonly number[]): Network2D {
  const uses = nodes.map(() => 0);
  for (const i of [...nodes.flatMap(({ inputs }) => inputs), ...outputs]) uses[i]!++;
  const dropped = new Set<number>();
  const merged = nodes.map((node): Node => {
    if (node.op.kind !== 'gate') return node;
    const { by, residual } = node.op;
    const gate = by.of === 'activation' ? (by.activation.kind === 'relu' ? 'relu' : undefined) : by.positive && sameValues(by.gain, by.positive.scale) ? by.positive : undefined;
    const [g, u, r] = node.inputs;
    const { op, inputs, name } = nodes[g!]!;
    if (!gate || op.kind !== 'convolution' || uses[g!] !== 1 || op.residual || op.activation !== LINEAR) return node;
    dropped.add(g!);
    return { ...node, name, op: { ...op, gate, residual }, inputs: [inputs[0]!, u!, ...(residual ? [r!] : [])] };
  });
  const now: number[] = [];
  const kept: Node[] = [];
  merged.forEach((node, i) => {
    now.push(kept.length);
    if (!dropped.has(i)) kept.push({ ...node, inputs: node.inputs.map(input => now[input]!), like: node.like === undefined ? undefined : now[node.like] });
  });
  return { nodes: kept, outputs: outputs.map(output => now[output]!) };
}

function sameValues(a: Float32Array, b: Float32Array): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}

/** The derivative by a convolution's input, from that by its sums. */
function inputOf({ kernel, size, strides, rates, before }: OpOf<'convolution'>, name: string, channels: number): OpOf<'convolution'> | OpOf<'transposed'> {
  const filters = kernel.length / (size[0] * size[1] * channels);
  if (strides.every(stride => stride === 1)) {
    return { kind: 'convolution', size, strides, rates, before: opposite(size, rates, before), kernel: exchanged(kernel, size, channels, filters, true), activation: LINEAR };
  }
  if (rates.some(rate => rate !== 1) || before.some(side => side < 0)) throw new NoPlan(`${name} has strides and is dilated or cropped`);
  return { kind: 'transposed', size, strides, before, kernel: exchanged(kernel, size, channels, filters, false), activation: LINEAR };
}

function opposite(size: Pair, rates: Pair, before: Pair): Pair {
  return [(size[0] - 1) * rates[0] - before[0], (size[1] - 1) * rates[1] - before[1]];
}

/** [taps][in][out] → [taps][out][in], the taps from the last to the first where it is turned. */
function exchanged(kernel: Float32Array, size: Pair, channels: number, filters: number, turn: boolean): Float32Array {
  const taps = size[0] * size[1];
  const made = new Float32Array(kernel.length);
  for (let tap = 0; tap < taps; tap++) {
    const to = (turn ? taps - 1 - tap : tap) * channels * filters;
    const from = tap * channels * filters;
    for (let c = 0; c < channels; c++) for (let k = 0; k < filters; k++) made[to + k * channels + c] = kernel[from + c * filters + k]!;
  }
  return made;
}

function turned(kernel: Float32Array, size: Pair, channels: number): Float32Array {
  return exchanged(kernel, size, 1, channels, true);
}
