import type { Tensor } from '@tensorflow/tfjs-core';
import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { OverreadError } from '../errors.ts';
import { plainConvolution } from './plain-convolution.ts';

export type Layer = LayersModel['layers'][number];

/** A layer that is used in place of one of the network's own. */
export interface Replacement {
  readonly layer: Layer;
  readonly by: Layer;
}

/** Layers between the last feature map and the scores: they make no features of their own. */
const NO_FEATURES: ReadonlySet<string> = new Set([
  'InputLayer', 'GlobalAveragePooling2D', 'GlobalMaxPooling2D', 'AveragePooling2D', 'MaxPooling2D', 'Flatten', 'Reshape', 'Permute',
  'Dropout', 'SpatialDropout2D', 'ZeroPadding2D', 'Cropping2D',
]);
/** Layers that are networks themselves. */
const NESTED: ReadonlySet<string> = new Set(['Model', 'Functional', 'Sequential']);

/** Computes a layer; undefined leaves it to the layer itself, as at inference. */
export type LayerRule = (layer: Layer, inputs: readonly Tensor[]) => Tensor | Tensor[] | undefined;

/**
 * Computes one tensor of a layers network from those that are given, by their ids, as at inference: what is given is
 * not computed again, so a network can be entered in its middle. Runs under tfjs's tape; the caller tidies.
 */
export function evaluate(wanted: SymbolicTensor, given: ReadonlyMap<number, Tensor>, replaced?: Replacement): Tensor {
  const by: LayerRule = (layer, inputs) => (replaced?.layer === layer ? plainConvolution(replaced.by, inputs[0]!) ?? applied(replaced.by, inputs) : undefined);
  return evaluateAll([wanted], given, by)[0]!;
}

/** As {@link evaluate}, for several tensors, each layer computed once; `by` may compute layers in another way. */
export function evaluateAll(wanted: readonly SymbolicTensor[], given: ReadonlyMap<number, Tensor>, by: LayerRule = () => undefined): Tensor[] {
  const known = new Map(given);
  return wanted.map(valueOf);

  function valueOf(symbol: SymbolicTensor): Tensor {
    const there = known.get(symbol.id);
    if (there) return there;
    const { sourceLayer, nodeIndex } = symbol;
    const node = sourceLayer.inboundNodes[nodeIndex];
    if (!node || sourceLayer.getClassName() === 'InputLayer') throw new Error(`the input ${symbol.name} was not given`);
    const inputs = node.inputTensors.map(valueOf);
    const outputs = by(sourceLayer, inputs) ?? plainConvolution(sourceLayer, inputs[0]!) ?? applied(sourceLayer, inputs);
    [outputs].flat().forEach((value, i) => known.set(node.outputTensors[i]!.id, value));
    return known.get(symbol.id)!;
  }
}

function applied(layer: Layer, inputs: readonly Tensor[]): Tensor | Tensor[] {
  return layer.apply(inputs.length === 1 ? inputs[0]! : [...inputs], { training: false }) as Tensor | Tensor[];
}

/** The network's tensors from the output backwards, nearest first. */
function* backwards(output: SymbolicTensor): Generator<SymbolicTensor> {
  const seen = new Set<number>();
  const queue = [output];
  for (let next = queue.shift(); next; next = queue.shift()) {
    if (seen.has(next.id)) continue;
    seen.add(next.id);
    yield next;
    queue.push(...madeOf(next));
  }
}

function madeOf({ sourceLayer, nodeIndex }: SymbolicTensor): readonly SymbolicTensor[] {
  return sourceLayer.getClassName() === 'InputLayer' ? [] : sourceLayer.inboundNodes[nodeIndex]?.inputTensors ?? [];
}

/** Which of the network's tensors are made from an input, as a question that remembers its answers. */
function partOf(input: SymbolicTensor): (tensor: SymbolicTensor) => boolean {
  const known = new Map([[input.id, true]]);
  return function has(tensor): boolean {
    const there = known.get(tensor.id);
    if (there !== undefined) return there;
    const is = madeOf(tensor).some(has);
    known.set(tensor.id, is);
    return is;
  };
}

/** True when a tensor is made by the layer, or from what it makes. */
export function dependsOn(tensor: SymbolicTensor, layer: Layer): boolean {
  for (const { sourceLayer } of backwards(tensor)) if (sourceLayer === layer) return true;
  return false;
}

/** A feature map: [n, rows, columns, channels] of more than one pixel, from a layer that makes features. */
function isFeatureMap({ shape, sourceLayer }: SymbolicTensor): boolean {
  const [, rows, columns] = shape;
  return shape.length === 4 && rows != null && columns != null && rows * columns > 1 && !NO_FEATURES.has(sourceLayer.getClassName());
}

/** Of a network of several pictures: the one that is asked about, and the others. */
export interface Pictures {
  readonly asked: SymbolicTensor;
  readonly others: readonly SymbolicTensor[];
}

/**
 * The feature map of a layer; the last one before rows and columns are given up when no layer is named (after its
 * activation, before any pooling). Of several pictures, only maps that the asked one has a part in, and when no layer is
 * named the last one that no other picture has a part in, if there is one.
 * @throws OverreadError `config/invalid` when there is none, naming those there are
 */
export function featureMap(output: SymbolicTensor, pictures: Pictures, name?: string): SymbolicTensor {
  const others = pictures.others.map(partOf);
  const maps = [...backwards(output)].filter(isFeatureMap).filter(partOf(pictures.asked));
  const found = name === undefined
    ? maps.find(map => !others.some(hasPart => hasPart(map))) ?? maps[0]
    : maps.find(map => map.sourceLayer.name === name);
  if (found) return found;
  const names = maps.map(tensor => tensor.sourceLayer.name);
  throw new OverreadError(
    'config/invalid',
    name === undefined
      ? 'Expected a network with a feature map of more than one pixel, got one without. Choose integrated gradients or occlusion.'
      : `Expected the name of a layer that makes a feature map, got ${name}. Choose one of ${names.slice(0, 8).join(', ')}${names.length > 8 ? ', …' : ''}, or name none.`,
    { expected: names, got: name },
  );
}

/** The last layer that has weights, which makes the scores. */
export function topLayer(output: SymbolicTensor): Layer {
  for (const { sourceLayer } of backwards(output)) {
    if (sourceLayer.weights.length === 0) continue;
    if (NESTED.has(sourceLayer.getClassName())) {
      throw new OverreadError('model/graph', `Expected a top layer with weights of its own, got ${sourceLayer.name}, which is a network. Convert the model without nested networks.`, { got: sourceLayer.name });
    }
    return sourceLayer;
  }
  throw new OverreadError('model/graph', 'Expected a network with weights, got one without. Convert the model again.');
}
