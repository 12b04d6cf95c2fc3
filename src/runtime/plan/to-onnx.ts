import type { Activation } from '../kernels/activation.ts';
import { Float } from '../onnx-wire.ts';
import { transposedValues } from '../strided.ts';
import { OnnxGraph, type Attributes } from './onnx-graph.ts';
import { NoPlan, type Affine, type Before, type Network2D, type Node, type OpOf, type Pair, type PlaneShape } from './ops.ts';

/** Of each input and output of the model: 2 for a vector [n, channels], 4 for planes [n, rows, columns, channels]. */
export interface Ranks {
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** Planes are given and taken as [n, channels, rows, columns], as they are within. */
  readonly channelsFirst?: boolean;
}

/** As good as zero. onnxruntime would make zeros around a pool the pool's own padding, which counts for nothing. */
const LEAST = 1e-30;
const JOINS = { add: 'Add', multiply: 'Mul', maximum: 'Max', minimum: 'Min', average: 'Mean' } as const;
const TO_CHANNELS_FIRST = [0, 3, 1, 2];
const TO_CHANNELS_LAST = [0, 2, 3, 1];

/**
 * A network as an ONNX file, with its weights: inputs `x0`, `x1`, … and outputs `y0`, `y1`, … in the model's own layout, for a batch of
 * any size. Within, every value is [n, channels, rows, columns], a vector having one row and one column.
 * @throws NoPlan for a node that has no counterpart
 */
export function toOnnx(network: Network2D, ranks: Ranks): Uint8Array {
  const writer = new Writer(network, ranks);
  network.nodes.forEach(node => writer.add(node));
  return writer.finish();
}

class Writer {
  readonly #graph = new OnnxGraph();
  readonly #values: string[] = [];

  constructor(private readonly network: Network2D, private readonly ranks: Ranks) {}

  add(node: Node): void {
    this.#values.push(this.#written(node, node.inputs.map(i => this.#values[i]!)));
  }

  finish(): Uint8Array {
    this.network.outputs.forEach((of, i) => {
      const { shape } = this.network.nodes[of]!;
      const value = this.#values[of]!;
      if (this.ranks.channelsFirst) this.#graph.output(`y${i}`, value, ['n', shape.channels, shape.rows, shape.columns]);
      else if (this.ranks.outputs[i] === 2) this.#graph.output(`y${i}`, this.#reshaped(value, [0, -1]), ['n', shape.channels]);
      else this.#graph.output(`y${i}`, this.#graph.node('Transpose', [value], { perm: TO_CHANNELS_LAST }), ['n', shape.rows, shape.columns, shape.channels]);
    });
    return this.#graph.bytes();
  }

  #written(node: Node, values: readonly string[]): string {
    const { op, shape } = node;
    const [x, y] = values as [string, string];
    const of = (i: number) => this.network.nodes[node.inputs[i]!]!.shape;
    const graph = this.#graph;
    switch (op.kind) {
      case 'input': {
        if (this.ranks.channelsFirst) return graph.input(`x${op.index}`, ['n', shape.channels, shape.rows, shape.columns]);
        if (this.ranks.inputs[op.index] === 2) return this.#reshaped(graph.input(`x${op.index}`, ['n', shape.channels]), [0, -1, 1, 1]);
        return graph.node('Transpose', [graph.input(`x${op.index}`, ['n', shape.rows, shape.columns, shape.channels])], { perm: TO_CHANNELS_FIRST });
      }
      case 'convolution':
        if (op.gate) throw new NoPlan(`${node.name} is a step of a derivative`);
        return this.#convolution(op, this.#before(x, op.pre), of(0), shape, y);
      case 'depthwise': {
        const [padded, window] = this.#window(x, of(0), shape, op, [1, 1]);
        const kernel = transposedValues(op.kernel, [...op.size, shape.channels], [2, 0, 1]);
        return this.#activated(graph.node('Conv', [padded, graph.floats([shape.channels, 1, ...op.size], kernel), ...this.#bias(op.bias)], { ...window, group: shape.channels }), op.activation);
      }
      case 'transposed': return this.#transposed(op, x, of(0), shape);
      case 'dense': {
        const kernel = graph.floats([shape.channels, of(0).channels, 1, 1], transposedValues(op.kernel, [of(0).channels, shape.channels], [1, 0]));
        return this.#activated(graph.node('Conv', [x, kernel, ...this.#bias(op.bias)]), op.activation);
      }
      case 'pooling': {
        const [padded, window] = this.#window(x, of(0), shape, op, [1, 1], op.zeros);
        return graph.node(op.of === 'max' ? 'MaxPool' : 'AveragePool', [padded], { ...window, ...(op.of === 'average' && { count_include_pad: 0 }) });
      }
      case 'global': return graph.node(op.of === 'max' ? 'GlobalMaxPool' : 'GlobalAveragePool', [this.#before(x, op.pre)]);
      case 'pointwise': return this.#activated(op.affine ? this.#affine(x, op.affine) : x, op.activation);
      case 'combination': return this.#activated(graph.node(JOINS[op.join], [x, y]), op.activation);
      case 'concatenation': return graph.node('Concat', values, { axis: 1 });
      case 'resize': {
        const scales = graph.floats([4], Float32Array.of(1, 1, ...op.factors));
        return graph.node('Resize', [x, '', scales], { mode: op.by === 'bilinear' ? 'linear' : 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' });
      }
      case 'shift': return this.#padded(x, op.at, [shape.rows - of(0).rows - op.at[0], shape.columns - of(0).columns - op.at[1]]);
      case 'flatten': return this.#reshaped(graph.node('Transpose', [x], { perm: TO_CHANNELS_LAST }), [0, -1, 1, 1]);
      case 'softmax': return graph.node('Softmax', [x], { axis: 1 });
      case 'dot': return this.#summed(graph.node('Mul', [x, y]));
      case 'moments': return this.#moments(values.slice(0, -1), values.at(-1)!, op.variance);
      case 'gate':
      case 'unpooling':
      case 'part':
      case 'unflatten':
      case 'relane': throw new NoPlan(`${node.name} is a step of a plan`);
    }
  }

  #convolution(op: OpOf<'convolution'>, x: string, from: PlaneShape, to: PlaneShape, residual: string): string {
    const [padded, window] = this.#window(x, from, to, op, op.rates);
    const kernel = transposedValues(op.kernel, [...op.size, from.channels, to.channels], [3, 2, 0, 1]);
    const sum = this.#graph.node('Conv', [padded, this.#graph.floats([to.channels, from.channels, ...op.size], kernel), ...this.#bias(op.bias)], { ...window, dilations: op.rates });
    return this.#activated(op.residual ? this.#graph.node('Add', [sum, residual]) : sum, op.activation);
  }

  #transposed(op: OpOf<'transposed'>, x: string, from: PlaneShape, to: PlaneShape): string {
    const kernel = transposedValues(op.kernel, [...op.size, from.channels, to.channels], [2, 3, 0, 1]);
    const whole = axes(axis => (side(from, axis) - 1) * op.strides[axis] + op.size[axis]);
    const cut = axes(axis => whole[axis] - op.before[axis] - side(to, axis));
    const value = this.#graph.node('ConvTranspose', [x, this.#graph.floats([from.channels, to.channels, ...op.size], kernel), ...this.#bias(op.bias)], {
      kernel_shape: op.size, strides: op.strides, pads: [...op.before, ...cut.map(n => Math.max(0, n))], output_padding: cut.map(n => Math.max(0, -n)),
    });
    return this.#activated(value, op.activation);
  }

  /** Sides that a window needs beyond the picture are its own padding; those that it does not reach are cut off, since ONNX has no negative padding there. */
  #window(x: string, from: PlaneShape, to: PlaneShape, { size, strides, before }: { size: Pair; strides: Pair; before: Pair }, rates: Pair, zeros = false): readonly [string, Attributes] {
    const after = axes(axis => {
      const reach = (side(to, axis) - 1) * strides[axis] + (size[axis] - 1) * rates[axis] + 1;
      return Math.max(0, reach - before[axis] - side(from, axis));
    });
    const shape = { kernel_shape: size, strides };
    if (zeros) return [this.#padded(x, before, after, LEAST), shape];
    if (before.some(n => n < 0)) return [this.#padded(x, before, after), shape];
    return [x, { ...shape, pads: [...before, ...after] }];
  }

  /** Zeros around, or less than there is where negative. */
  #padded(x: string, before: Pair, after: Pair, value?: number): string {
    if ([...before, ...after].every(n => n === 0)) return x;
    const around = value === undefined ? [] : [this.#graph.floats([], Float32Array.of(value))];
    return this.#graph.node('Pad', [x, this.#graph.integers([0, 0, ...before, 0, 0, ...after]), ...around]);
  }

  #before(x: string, pre: Before | undefined): string {
    if (!pre) return x;
    const mapped = this.#affine(x, pre);
    return pre.relu ? this.#graph.node('Relu', [mapped]) : mapped;
  }

  /** As a normalisation of what is normal already, which goes through the values once; a product and a sum would twice. */
  #affine(x: string, { scale, shift }: Affine): string {
    const rows = [scale, shift, new Float32Array(scale.length), new Float32Array(scale.length).fill(1)].map(of => this.#graph.floats([of.length], of));
    return this.#graph.node('BatchNormalization', [x, ...rows], { epsilon: new Float(0) });
  }

  #bias(bias: Float32Array | undefined): readonly string[] {
    return bias ? [this.#graph.floats([bias.length], bias)] : [];
  }

  #activated(x: string, activation: Activation): string {
    const graph = this.#graph;
    const scalar = (value: number) => graph.floats([], Float32Array.of(value));
    switch (activation.kind) {
      case 'linear': return x;
      case 'relu': return graph.node('Relu', [x]);
      case 'sigmoid': return graph.node('Sigmoid', [x]);
      case 'tanh': return graph.node('Tanh', [x]);
      case 'softplus': return graph.node('Softplus', [x]);
      case 'softsign': return graph.node('Softsign', [x]);
      case 'swish': return graph.node('Mul', [x, graph.node('Sigmoid', [x])]);
      case 'hardSigmoid': return graph.node('HardSigmoid', [x], { alpha: new Float(0.2), beta: new Float(0.5) });
      case 'clippedRelu': return graph.node('Clip', [x, scalar(0), scalar(activation.limit)]);
      case 'leakyRelu': return graph.node('LeakyRelu', [x], { alpha: new Float(activation.slope) });
      case 'elu': return graph.node('Elu', [x], { alpha: new Float(activation.alpha) });
      case 'selu': return graph.node('Selu', [x]);
    }
  }

  /** Over the inputs that are present, as `ViewMoments` has them. */
  #moments(inputs: readonly string[], present: string, variance: boolean): string {
    const graph = this.#graph;
    const weights = graph.node('Sign', [graph.node('Abs', [present])]);
    const each = inputs.length === 1 ? [weights] : graph.nodes('Split', [weights], inputs.length, { axis: 1 });
    const count = this.#summed(weights);
    const mean = graph.node('Div', [graph.node('Sum', inputs.map((x, i) => graph.node('Mul', [x, each[i]!]))), count]);
    if (!variance) return mean;
    const squares = inputs.map((x, i) => {
      const apart = graph.node('Sub', [x, mean]);
      return graph.node('Mul', [graph.node('Mul', [apart, apart]), each[i]!]);
    });
    const one = graph.floats([], Float32Array.of(1));
    const divisor = graph.node('Max', [graph.node('Sub', [count, one]), one]);
    return graph.node('Concat', [mean, graph.node('Div', [graph.node('Sum', squares), divisor])], { axis: 1 });
  }

  /** Over channels. */
  #summed(x: string): string {
    return this.#graph.node('ReduceSum', [x, this.#graph.integers([1])], { keepdims: 1 });
  }

  #reshaped(x: string, shape: readonly number[]): string {
    return this.#graph.node('Reshape', [x, this.#graph.integers(shape)]);
  }
}

function axes(of: (axis: 0 | 1) => number): Pair {
  return [of(0), of(1)];
}

function side({ rows, columns }: PlaneShape, axis: 0 | 1): number {
  return axis === 0 ? rows : columns;
}
