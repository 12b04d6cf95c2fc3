import type { Tensor } from '@tensorflow/tfjs-core';
import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { isOverreadError } from '../../errors.ts';
import { activationOf, LINEAR, type Activation } from '../kernels/activation.ts';
import type { Join } from '../kernels/combination.ts';
import type { Layer } from '../layer-graph.ts';
import { outputSize, perAxis, windowsOf, type Window } from '../layer-windows.ts';
import { NoPlan, type Network2D, type Node, type Op, type Pair, type PlaneShape } from './ops.ts';

type Config = Readonly<Record<string, unknown>>;
export type Read = (layer: Layer, index: number) => Float32Array;
interface Made {
  readonly op: Op;
  readonly shape: PlaneShape;
}

export const JOINS: Readonly<Record<string, Join>> = { Add: 'add', Multiply: 'multiply', Maximum: 'maximum', Minimum: 'minimum', Average: 'average' };
/** Layers that do nothing at inference. */
export const NOTHING: ReadonlySet<string> = new Set(['Dropout', 'SpatialDropout2D', 'GaussianNoise', 'GaussianDropout', 'AlphaDropout']);

/**
 * A layers model of planes and vectors as nodes, in the order of computation, with its weights read.
 * @param wanted tensors of it that are to be handed out, in place of its outputs
 * @throws NoPlan naming the first layer that has no kernel here
 */
export async function fromLayers(model: LayersModel, wanted: readonly SymbolicTensor[] = model.outputs): Promise<Network2D> {
  const order = inOrder(model);
  const layers = new Set(order.map(({ sourceLayer }) => sourceLayer));
  const read = await weightsOf(layers);

  const nodes: Node[] = [];
  const at = new Map<number, number>();
  const add = (node: Node) => nodes.push(node) - 1;
  for (const symbol of order) {
    const layer = symbol.sourceLayer;
    const given = inputsOf(symbol).map(({ id }) => at.get(id)!);
    if (isInput(symbol)) {
      const index = model.inputs.findIndex(({ id }) => id === symbol.id);
      if (index < 0) throw new NoPlan(`${layer.name} is an input of its own`);
      at.set(symbol.id, add({ name: layer.name, op: { kind: 'input', index }, inputs: [], shape: shapeOf(symbol) }));
      continue;
    }
    at.set(symbol.id, added(layer, given, symbol));
  }
  return { nodes, outputs: wanted.map(({ id }) => at.get(id)!) };

  /** Adds the nodes of a layer; the index of what it gives. */
  function added(layer: Layer, given: readonly number[], symbol: SymbolicTensor): number {
    const name = layer.name;
    const shapes = given.map(i => nodes[i]!.shape);
    const put = ({ op, shape }: Made, inputs = given) => add({ name, op, inputs, shape });
    const type = layer.getClassName();
    const config = layer.getConfig() as Config;
    const join = JOINS[type];
    if (NOTHING.has(type)) return given[0]!;
    if (type === 'SeparableConv2D') {
      const [depth, point] = separable(layer, config, shapes[0]!, read);
      return put(point, [put(depth)]);
    }
    if (join) {
      if (new Set(inputsOf(symbol).map(({ shape }) => shape.length)).size > 1) throw new NoPlan(`${name} joins maps and vectors`);
      if (join === 'average' && given.length !== 2) throw new NoPlan(`${name} averages ${given.length} maps`);
      return given.slice(1).reduce((a, b) => {
        const [wide, other] = size(nodes[a]!.shape) >= size(nodes[b]!.shape) ? [a, b] : [b, a];
        const { shape } = nodes[wide]!;
        const small = nodes[other]!.shape;
        if (small.channels !== shape.channels || !(size(small) === size(shape) || size(small) === small.channels)) throw new NoPlan(`${name} joins maps of different shapes`);
        return add({ name, op: { kind: 'combination', join, activation: LINEAR }, inputs: [wide, other], shape });
      }, given[0]!);
    }
    const rank = inputsOf(symbol)[0]!.shape.length;
    const made = put(madeBy(layer, config, shapes, read, rank));
    const wanted = shapeOf(symbol);
    const got = nodes[made]!.shape;
    if (got.rows !== wanted.rows || got.columns !== wanted.columns || got.channels !== wanted.channels) throw new NoPlan(`${name} gives another shape than was thought`);
    const activation = config.activation === undefined || type === 'Activation' ? LINEAR : activationIn(layer, config.activation);
    if (activation === 'softmax') return add({ name, op: { kind: 'softmax' }, inputs: [made], shape: got });
    if (activation === LINEAR) return made;
    return add({ name, op: { kind: 'pointwise', activation }, inputs: [made], shape: got });
  }
}

export async function weightsOf(layers: Iterable<Layer>): Promise<Read> {
  const weights = new Map<Layer, readonly Float32Array[]>();
  for (const layer of layers) weights.set(layer, await Promise.all(layer.weights.map(async weight => (await (weight.read() as Tensor).data()) as Float32Array)));
  return (layer, index) => weights.get(layer)![index]!;
}

/**
 * What a layer does to what it reads, but for an activation of its own (which `Activation` is not).
 * @param rank of what it reads
 * @throws NoPlan for a class that has no kernel here
 */
export function madeBy(layer: Layer, config: Config, shapes: readonly PlaneShape[], read: Read, rank: number): Made {
  const name = layer.name;
  const type = layer.getClassName();
  const x = shapes[0]!;
  const same = (op: Op): Made => ({ op, shape: x });
  const bias = (index: number) => (config.useBias === false ? undefined : read(layer, index));
  if (config.dataFormat === 'channelsFirst') throw new NoPlan(`${name} has its channels first`);
  switch (type) {
    case 'Conv2D': {
      const filters = config.filters as number;
      const kernel = read(layer, 0);
      const size = perAxis(config.kernelSize, 2) as Pair;
      if (kernel.length !== size[0] * size[1] * x.channels * filters) throw new NoPlan(`${name} has groups`);
      return sliding(layer, x, filters, (before, strides) => ({
        kind: 'convolution', size, strides, before, rates: perAxis(config.dilationRate ?? 1, 2) as Pair, kernel, bias: bias(1), activation: LINEAR,
      }));
    }
    case 'DepthwiseConv2D': {
      if ((config.depthMultiplier ?? 1) !== 1) throw new NoPlan(`${name} has several kernels a channel`);
      return sliding(layer, x, x.channels, (before, strides) => ({
        kind: 'depthwise', size: perAxis(config.kernelSize, 2) as Pair, strides, before, kernel: read(layer, 0), bias: bias(1), activation: LINEAR,
      }));
    }
    case 'Conv2DTranspose': {
      if (perAxis(config.dilationRate ?? 1, 2).some(rate => rate !== 1)) throw new NoPlan(`${name} is dilated`);
      const filters = config.filters as number;
      return sliding(layer, x, filters, (before, strides) => {
        const size = perAxis(config.kernelSize, 2) as Pair;
        return { kind: 'transposed', size, strides, before, kernel: swapped(read(layer, 0), filters, x.channels), bias: bias(1), activation: LINEAR };
      });
    }
    case 'MaxPooling2D':
    case 'AveragePooling2D':
      return sliding(layer, x, x.channels, (before, strides) => ({
        kind: 'pooling', of: type === 'MaxPooling2D' ? 'max' : 'average', zeros: false, size: perAxis(config.poolSize, 2) as Pair, strides, before,
      }));
    case 'GlobalAveragePooling2D':
    case 'GlobalMaxPooling2D':
      return { op: { kind: 'global', of: type === 'GlobalMaxPooling2D' ? 'max' : 'average' }, shape: vector(x.channels) };
    case 'Dense': {
      const units = config.units as number;
      // Along the last axis only, which of a plane is a pointwise convolution.
      const op: Op = size(x) === x.channels
        ? { kind: 'dense', kernel: read(layer, 0), bias: bias(1), activation: LINEAR }
        : { kind: 'convolution', size: [1, 1], strides: [1, 1], rates: [1, 1], before: [0, 0], kernel: read(layer, 0), bias: bias(1), activation: LINEAR };
      return { op, shape: { ...x, channels: units } };
    }
    case 'BatchNormalization':
      onChannels(layer, config, rank);
      return same({ kind: 'pointwise', affine: normalisation(layer, config, x.channels, read), activation: LINEAR });
    case 'Activation': {
      const activation = activationIn(layer, config.activation);
      return same(activation === 'softmax' ? { kind: 'softmax' } : { kind: 'pointwise', activation });
    }
    case 'ReLU': {
      const limit = config.maxValue as number | null | undefined;
      return same({ kind: 'pointwise', activation: limit == null ? { kind: 'relu' } : { kind: 'clippedRelu', limit } });
    }
    case 'LeakyReLU': return same({ kind: 'pointwise', activation: { kind: 'leakyRelu', slope: config.alpha as number } });
    case 'ELU': return same({ kind: 'pointwise', activation: { kind: 'elu', alpha: config.alpha as number } });
    case 'Softmax':
      onChannels(layer, config, rank);
      return same({ kind: 'softmax' });
    case 'Concatenate': {
      if (shapes.some(({ rows, columns }) => rows !== x.rows || columns !== x.columns)) throw new NoPlan(`${name} joins maps of different sizes`);
      onChannels(layer, config, rank);
      return { op: { kind: 'concatenation' }, shape: { ...x, channels: shapes.reduce((sum, { channels }) => sum + channels, 0) } };
    }
    case 'UpSampling2D': {
      const factors = perAxis(config.size, 2) as Pair;
      return { op: { kind: 'resize', by: config.interpolation === 'bilinear' ? 'bilinear' : 'nearest', factors }, shape: sized(windows(layer, x), x, x.channels) };
    }
    case 'ZeroPadding2D':
    case 'Cropping2D': {
      const sides = windows(layer, x);
      const at = sides.map(side => (side.kind === 'slide' ? side.before : 0)) as unknown as Pair;
      return { op: { kind: 'shift', at }, shape: sized(sides, x, x.channels) };
    }
    case 'Flatten': return { op: { kind: 'flatten' }, shape: vector(size(x)) };
    case 'Dot': {
      if (config.normalize === true || shapes.length !== 2 || shapes.some(of => size(of) !== of.channels) || ![config.axes].flat().every(axis => axis === -1 || axis === 1)) throw new NoPlan(`${name} is no inner product of two vectors`);
      return { op: { kind: 'dot' }, shape: vector(1) };
    }
    case 'ModalityMoments':
    case 'ViewMoments': {
      const variance = config.variance !== false;
      return { op: { kind: 'moments', variance }, shape: { ...x, channels: variance ? 2 * x.channels : x.channels } };
    }
  }
  throw new NoPlan(`${name} is of the class ${type}`);
}

/** Tensors from the inputs on, each after those that it is made from. */
function inOrder(model: LayersModel): readonly SymbolicTensor[] {
  const order: SymbolicTensor[] = [];
  const seen = new Set<number>();
  const visit = (symbol: SymbolicTensor): void => {
    if (seen.has(symbol.id)) return;
    seen.add(symbol.id);
    inputsOf(symbol).forEach(visit);
    order.push(symbol);
  };
  [...model.inputs, ...model.outputs].forEach(visit);
  return order;
}

function isInput({ sourceLayer }: SymbolicTensor): boolean {
  return sourceLayer.getClassName() === 'InputLayer';
}

function inputsOf(symbol: SymbolicTensor): readonly SymbolicTensor[] {
  if (isInput(symbol)) return [];
  const node = symbol.sourceLayer.inboundNodes[symbol.nodeIndex];
  if (!node || node.outputTensors.length !== 1) throw new NoPlan(`${symbol.sourceLayer.name} gives several tensors`);
  return node.inputTensors;
}

function shapeOf({ shape, sourceLayer }: SymbolicTensor): PlaneShape {
  const [, ...sides] = shape;
  if (sides.some(side => side == null)) throw new NoPlan(`${sourceLayer.name} has no fixed size`);
  if (sides.some(side => side! < 1)) throw new NoPlan(`${sourceLayer.name} leaves nothing of the picture`);
  if (sides.length === 1) return vector(sides[0]!);
  if (sides.length === 3) return { rows: sides[0]!, columns: sides[1]!, channels: sides[2]! };
  throw new NoPlan(`${sourceLayer.name} gives ${shape.length} axes`);
}

const vector = (channels: number): PlaneShape => ({ rows: 1, columns: 1, channels });
const size = ({ rows, columns, channels }: PlaneShape) => rows * columns * channels;

function windows(layer: Layer, { rows, columns }: PlaneShape): readonly Window[] {
  try {
    return windowsOf(layer, [rows, columns], 4);
  } catch (error) {
    if (isOverreadError(error, 'model/graph')) throw new NoPlan(`${layer.name}: ${error.message}`);
    throw error;
  }
}

function sized(axes: readonly Window[], { rows, columns }: PlaneShape, channels: number): PlaneShape {
  return { rows: outputSize(axes[0]!, rows), columns: outputSize(axes[1]!, columns), channels };
}

/** A layer whose kernel slides over its input, or spreads it. */
function sliding(layer: Layer, x: PlaneShape, channels: number, op: (before: Pair, strides: Pair) => Op): Made {
  const axes = windows(layer, x);
  const of = (side: 'before' | 'stride') => axes.map(axis => (axis.kind === 'repeat' ? 0 : axis[side])) as unknown as Pair;
  return { op: op(of('before'), of('stride')), shape: sized(axes, x, channels) };
}

function separable(layer: Layer, config: Config, x: PlaneShape, read: Read): readonly [Made, Made] {
  if ((config.depthMultiplier ?? 1) !== 1 || perAxis(config.dilationRate ?? 1, 2).some(rate => rate !== 1)) throw new NoPlan(`${layer.name} is dilated or has several kernels a channel`);
  const depth = sliding(layer, x, x.channels, (before, strides) => ({
    kind: 'depthwise', size: perAxis(config.kernelSize, 2) as Pair, strides, before, kernel: read(layer, 0), activation: LINEAR,
  }));
  const activation = activationIn(layer, config.activation);
  if (activation === 'softmax') throw new NoPlan(`${layer.name} ends in a softmax`);
  return [depth, {
    op: { kind: 'convolution', size: [1, 1], strides: [1, 1], rates: [1, 1], before: [0, 0], kernel: read(layer, 1), bias: config.useBias === false ? undefined : read(layer, 2), activation },
    shape: { ...depth.shape, channels: config.filters as number },
  }];
}

/** [rows][columns][out][in] → [rows][columns][in][out] */
function swapped(kernel: Float32Array, out: number, channels: number): Float32Array {
  const made = new Float32Array(kernel.length);
  for (let tap = 0; tap < kernel.length; tap += out * channels) {
    for (let o = 0; o < out; o++) for (let i = 0; i < channels; i++) made[tap + i * out + o] = kernel[tap + o * channels + i]!;
  }
  return made;
}

function normalisation(layer: Layer, { scale, center, epsilon }: Config, channels: number, read: Read) {
  let next = 0;
  const gamma = scale === false ? undefined : read(layer, next++);
  const beta = center === false ? undefined : read(layer, next++);
  const [mean, variance] = [read(layer, next), read(layer, next + 1)];
  const factor = Float64Array.from({ length: channels }, (_, c) => (gamma?.[c] ?? 1) / Math.sqrt(variance[c]! + (epsilon as number)));
  return { scale: Float32Array.from(factor), shift: Float32Array.from(factor, (f, c) => (beta?.[c] ?? 0) - mean[c]! * f) };
}

function onChannels(layer: Layer, config: Config, rank: number): void {
  const last = [config.axis ?? -1].flat().every(axis => axis === -1 || axis === rank - 1);
  if (!last) throw new NoPlan(`${layer.name} works along axis ${String(config.axis)}`);
}

export function activationIn(layer: Layer, given: unknown): Activation | 'softmax' {
  if (given === 'softmax') return given;
  const activation = activationOf(given);
  if (!activation) throw new NoPlan(`${layer.name} has the activation ${JSON.stringify(given)}`);
  return activation;
}
