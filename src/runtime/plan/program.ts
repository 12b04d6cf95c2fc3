import { LINEAR } from '../kernels/activation.ts';
import { combination } from '../kernels/combination.ts';
import { convolution, weightQuads, type ConvolutionTiles } from '../kernels/convolution.ts';
import { dense } from '../kernels/dense.ts';
import { depthwise } from '../kernels/depthwise.ts';
import { dot } from '../kernels/dot.ts';
import { gate } from '../kernels/gate.ts';
import { globalPooling } from '../kernels/global-pooling.ts';
import { LARGEST_HALF, PLAIN, type Dialect, type Launch } from '../kernels/kernel.ts';
import { NO_LANE, pack, relane, unpack } from '../kernels/layout.ts';
import { moments } from '../kernels/moments.ts';
import { pointwise } from '../kernels/pointwise.ts';
import { pooling } from '../kernels/pooling.ts';
import { resize } from '../kernels/resize.ts';
import { shift } from '../kernels/shift.ts';
import { softmax } from '../kernels/softmax.ts';
import { transposedConvolution } from '../kernels/transposed-convolution.ts';
import { unpooling } from '../kernels/unpooling.ts';
import { toHalves } from '../half.ts';
import { lanesOf, lanesOfChannels, sameLanes, type Lanes } from './lanes.ts';
import { NoPlan, type Before, type Network2D, type Node, type OpOf, type Pair, type PlaneShape } from './ops.ts';
import { storageOf, type Storage } from './storage.ts';
import { byLanes, convolutionWeights, denseWeights, maskOf, multipliedLanes, narrowWeights, transposedWeights } from './weights.ts';

/** A buffer that a step reads or writes: of a tensor (the root's node), of weights, of an input or output of the network. */
export interface Operand {
  readonly of: 'tensor' | 'constant' | 'input' | 'output';
  readonly index: number;
}

/** One dispatch of a plan, with what it reads, in the order of its bindings, and writes. */
export interface Step {
  /** Of the layer, for messages. */
  readonly name: string;
  /** What it computes, as an index of the network's nodes; none where it copies a part of a node, or hands out an output. */
  readonly node?: number;
  readonly launch: Launch;
  readonly reads: readonly Operand[];
  readonly writes: Operand;
}

/** Bindings that WebGPU grants to every shader; one is what is written, in float16 another the mark of what is beyond it. */
const MOST_BINDINGS = 8;

/** What a program's constants lie in; halves as their bits. */
export type Constant = Float32Array | Uint32Array | Uint16Array;

/**
 * A fused network as dispatches: where each tensor lies, which weights each kernel reads, and for any batch the steps.
 * @throws NoPlan where a kernel would bind more than WebGPU grants, or a weight is beyond float16 that is to be kept in it
 */
export class Program {
  readonly constants: readonly Constant[];
  readonly inputs: readonly PlaneShape[];
  readonly outputs: readonly PlaneShape[];
  readonly lanes: readonly Lanes[];
  readonly storage: Storage;
  readonly network: Network2D;
  readonly #constants: Constant[] = [];
  #steps: { readonly batch: number; readonly steps: readonly Step[] } | undefined;
  readonly #constantOf = new Map<string, number>();

  /**
   * @param tiles of convolutions, where the device has better ones than the usual
   * @param dialect of its shaders; the device has to have been made with the features that it needs
   */
  constructor(network: Network2D, readonly tiles?: ConvolutionTiles, readonly dialect: Dialect = PLAIN) {
    this.network = network = withEqualLanes(network);
    const lanes: Lanes[] = [];
    for (const node of network.nodes) lanes.push(lanesOf(node, node.inputs.map(i => lanes[i]!), node.inputs.map(i => network.nodes[i]!.shape.channels), node.like === undefined ? undefined : lanes[node.like]));
    this.lanes = lanes;
    this.storage = storageOf(network, lanes);
    const inputs = network.nodes.filter((node): node is Node & { op: OpOf<'input'> } => node.op.kind === 'input');
    this.inputs = inputs.sort((a, b) => a.op.index - b.op.index).map(({ shape }) => shape);
    this.outputs = network.outputs.map(i => network.nodes[i]!.shape);
    // The steps name the constants that they need.
    this.steps(1);
    this.constants = this.#constants;
  }

  get isHalf(): boolean {
    return this.dialect.precision === 'float16';
  }

  /** Bytes of a root's buffer, for a batch. */
  bytesOf(root: number, batch: number): number {
    const { rows, columns } = this.network.nodes[root]!.shape;
    return batch * rows * columns * this.lanes[root]!.length * (this.isHalf ? 2 : 4);
  }

  /** In the order of computation; the last batch's are remembered. */
  steps(batch: number): readonly Step[] {
    if (this.#steps?.batch !== batch) this.#steps = { batch, steps: this.#made(batch) };
    return this.#steps.steps;
  }

  #made(batch: number): readonly Step[] {
    const { nodes, outputs } = this.network;
    const steps = nodes.flatMap((node, i) => this.#stepsOf(node, i, batch));
    outputs.forEach((node, index) => {
      const { shape, name } = nodes[node]!;
      const launch = unpack({ pixels: batch * shape.rows * shape.columns, channels: shape.channels, x: this.storage.places[node]! });
      const lanes = this.#constant(`channels of ${node}`, () => lanesOfChannels(this.lanes[node]!));
      steps.push({ name, launch, reads: [this.#tensor(node), lanes], writes: { of: 'output', index } });
    });
    return steps;
  }

  #tensor(node: number): Operand {
    return { of: 'tensor', index: this.storage.places[node]!.root };
  }

  /** Weights are packed once, however often steps are made. */
  #constant(name: string, values: () => Constant): Operand {
    let index = this.#constantOf.get(name);
    if (index === undefined) {
      index = this.#constants.push(values()) - 1;
      this.#constantOf.set(name, index);
    }
    return { of: 'constant', index };
  }

  #stepsOf(node: Node, i: number, n: number): Step[] {
    const { op, inputs, shape, name } = node;
    const places = this.storage.places;
    const lanes = this.lanes[i]!;
    const from = inputs[0];
    const xLanes = from === undefined ? [] : this.lanes[from]!;
    const y = places[i]!;
    const x = from === undefined ? y : places[from]!;
    const input = from === undefined ? shape : this.network.nodes[from]!.shape;
    const plane = (of: PlaneShape): Pair => [of.rows, of.columns];
    const pixels = n * shape.rows * shape.columns;
    const quads = lanes.length / 4;
    const constant = (what: string, values: () => Float32Array | Uint32Array) => this.#constant(`${what} of ${i}`, values);
    const weights = (values: () => Float32Array) => this.#constant(`kernel of ${i}`, () => (this.isHalf ? halved(values(), name) : values()));
    const step = (launch: Launch, reads: readonly Operand[]): Step[] => {
      if (reads.length + (this.isHalf ? 2 : 1) > MOST_BINDINGS) throw new NoPlan(`${name} reads ${reads.length} buffers at once`);
      return [{ name, ...(op.kind !== 'concatenation' && op.kind !== 'flatten' && { node: i }), launch, reads, writes: this.#tensor(i) }];
    };
    const before = (pre: Before | undefined) => (pre ? [constant('scale', () => byLanes(pre.scale, xLanes)), constant('shift', () => byLanes(pre.shift, xLanes))] : []);
    const way = (pre: Before | undefined) => pre && (pre.relu ? 'affine relu' as const : 'affine' as const);
    const windowed = { n, input: plane(input), output: plane(shape), x, y };

    switch (op.kind) {
      case 'input': return step(pack({ pixels, channels: shape.channels, y }), [{ of: 'input', index: op.index }]);
      case 'convolution': {
        const { size, strides, rates, before: edge, activation, pre, gate: gating, residual } = op;
        const added = residual ? inputs.at(-1)! : undefined;
        const launch = convolution({
          ...windowed, inQuads: xLanes.length / 4, outQuads: quads, inLanes: multipliedLanes(xLanes), size, strides, rates, before: edge, activation,
          pre: way(pre), residual: added === undefined ? undefined : places[added], tiles: this.tiles,
          gate: gating && { by: gating === 'relu' ? 'relu' : 'affine relu', place: places[inputs[1]!]! },
        });
        return step(launch, [
          this.#tensor(from!), weights(() => convolutionWeights(op.kernel, size[0] * size[1], xLanes, lanes)),
          constant('bias', () => byLanes(op.bias, lanes, weightQuads(quads) * 4)), ...before(pre),
          ...(gating && gating !== 'relu' ? [constant('scale', () => byLanes(gating.scale, lanes)), constant('shift', () => byLanes(gating.shift, lanes))] : []),
          ...(gating ? [this.#tensor(inputs[1]!)] : []), ...(added === undefined ? [] : [this.#tensor(added)]),
        ]);
      }
      case 'transposed': {
        const { size, strides, before: edge, activation } = op;
        const outLanes = multipliedLanes(lanes);
        const taps = size[0] * size[1];
        return step(transposedConvolution({ ...windowed, inQuads: xLanes.length / 4, outQuads: quads, outLanes, size, strides, before: edge, activation }), [
          this.#tensor(from!), weights(() => (outLanes < 4 ? narrowWeights(op.kernel, taps, xLanes, lanes, outLanes) : transposedWeights(op.kernel, taps, xLanes, lanes))),
          constant('bias', () => byLanes(op.bias, lanes, weightQuads(quads) * 4)),
        ]);
      }
      case 'depthwise': {
        const { size, strides, before: edge, activation } = op;
        return step(depthwise({ ...windowed, quads, size, strides, before: edge, activation }),
          [this.#tensor(from!), weights(() => byLanes(op.kernel, lanes)), constant('bias', () => byLanes(op.bias, lanes))]);
      }
      case 'dense':
        return step(dense({ n, inQuads: xLanes.length / 4, outQuads: quads, x, y, activation: op.activation }),
          [this.#tensor(from!), weights(() => denseWeights(op.kernel, xLanes, lanes)), constant('bias', () => byLanes(op.bias, lanes))]);
      case 'pooling': {
        const { of, zeros, size, strides, before: edge } = op;
        return step(pooling({ ...windowed, of, zeros, quads, size, strides, before: edge }), [this.#tensor(from!)]);
      }
      case 'global':
        return step(globalPooling({ of: op.of, n, pixels: input.rows * input.columns, quads, x, y, pre: way(op.pre) }), [this.#tensor(from!), ...before(op.pre)]);
      case 'pointwise': {
        const { affine, activation } = op;
        const map = affine ? [constant('scale', () => byLanes(affine.scale, lanes)), constant('shift', () => byLanes(affine.shift, lanes))] : [];
        return step(pointwise({ pixels, quads, x, y, affine: affine !== undefined, activation }), [this.#tensor(from!), ...map]);
      }
      case 'combination': {
        const other = this.network.nodes[inputs[1]!]!.shape;
        const shared = shape.rows * shape.columns / (other.rows * other.columns);
        return step(combination({ join: op.join, pixels, quads, a: x, b: places[inputs[1]!]!, y, shared, activation: op.activation }), inputs.map(input => this.#tensor(input)));
      }
      case 'concatenation':
      case 'flatten':
        return (this.storage.copies.get(i) ?? []).flatMap(({ from: part, to }) => {
          const { rows, columns } = this.network.nodes[part]!.shape;
          const launch = pointwise({ pixels: n * rows * columns, quads: this.lanes[part]!.length / 4, x: places[part]!, y: to, affine: false, activation: LINEAR });
          return step(launch, [this.#tensor(part)]);
        });
      case 'resize': return step(resize({ by: op.by, n, input: plane(input), factors: op.factors, quads, x, y }), [this.#tensor(from!)]);
      case 'shift': return step(shift({ n, input: plane(input), output: plane(shape), at: op.at, quads, x, y }), [this.#tensor(from!)]);
      case 'softmax': return step(softmax({ pixels, quads, x, y }), [this.#tensor(from!), constant('mask', () => maskOf(lanes))]);
      case 'dot': {
        const b = places[inputs[1]!]!;
        return step(dot({ n, quads: xLanes.length / 4, a: x, b, y }), [...inputs.map(input => this.#tensor(input)), constant('mask', () => maskOf(xLanes))]);
      }
      case 'moments': {
        const present = inputs.at(-1)!;
        const xs = inputs.slice(0, -1);
        const launch = moments({ n, pixels: shape.rows * shape.columns, quads: xLanes.length / 4, variance: op.variance, present: places[present]!, xs: xs.map(input => places[input]!), y });
        return step(launch, [present, ...xs].map(input => this.#tensor(input)));
      }
      case 'gate': {
        const { by, residual } = op;
        const shared = shape.rows * shape.columns / (input.rows * input.columns);
        const given = inputs.map(of => places[of]!);
        const r = residual ? given.at(-1) : undefined;
        const seen = by.of === 'activation' || by.positive;
        const slope = by.of === 'activation' ? by.activation : by.positive ? 'gain where positive' : 'gain';
        const channels = by.of === 'activation' ? [] : [
          ...(by.positive ? [constant('scale', () => byLanes(by.positive!.scale, lanes)), constant('shift', () => byLanes(by.positive!.shift, lanes))] : []),
          constant('gain', () => byLanes(by.gain, lanes)),
        ];
        const tensors = inputs.map(of => this.#tensor(of));
        const [first, ...rest] = residual ? tensors.slice(0, -1) : tensors;
        return step(gate({ slope, pixels, quads, g: x, shared, x: seen ? given[1] : undefined, r, y }), [first!, ...rest, ...channels, ...(residual ? [tensors.at(-1)!] : [])]);
      }
      case 'unpooling': {
        const { of, zeros, size, strides, before: edge } = op;
        const launch = unpooling({ of, zeros, n, input: plane(shape), output: plane(input), quads, size, strides, before: edge, g: x, x: inputs.length > 1 ? places[inputs[1]!]! : y, y });
        return step(launch, inputs.map(given => this.#tensor(given)));
      }
      case 'part':
      case 'unflatten': return [];
      case 'relane':
        return step(relane({ pixels, quads, x, y }), [this.#tensor(from!), constant('lanes', () => {
          const at = lanesOfChannels(xLanes);
          return Uint32Array.from(lanes, channel => (channel < 0 ? NO_LANE : at[channel]!));
        })]);
    }
  }
}

function halved(values: Float32Array, name: string): Uint16Array {
  const most = values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  if (most > LARGEST_HALF) throw new NoPlan(`${name} has a weight of ${most.toPrecision(3)}, which is beyond float16`);
  return toHalves(values);
}

/**
 * What is joined value by value has to have its channels at the same lanes: where a concatenation left gaps in one of
 * the tensors, another is made without.
 */
export function withEqualLanes({ nodes, outputs }: Network2D): Network2D {
  const made: Node[] = [];
  const lanes: Lanes[] = [];
  const now: number[] = [];
  const put = (node: Node): number => {
    lanes.push(lanesOf(node, node.inputs.map(i => lanes[i]!), node.inputs.map(i => made[i]!.shape.channels), node.like === undefined ? undefined : lanes[node.like]));
    return made.push(node) - 1;
  };
  for (const node of nodes) {
    const inputs = node.inputs.map(input => now[input]!);
    const { kind } = node.op;
    const joined = kind === 'combination' || kind === 'dot' ? inputs : kind === 'moments' ? inputs.slice(0, -1) : [];
    if (joined.some(input => !sameLanes(lanes[input]!, lanes[joined[0]!]!))) {
      joined.forEach((input, i) => {
        const { shape, name } = made[input]!;
        inputs[i] = put({ name, op: { kind: 'relane' }, inputs: [input], shape });
      });
    }
    now.push(put({ ...node, inputs, like: node.like === undefined ? undefined : now[node.like] }));
  }
  return { nodes: made, outputs: outputs.map(output => now[output]!) };
}
