import { add, batchNorm, moments, mul, tidy, type Tensor, type Variable } from '@tensorflow/tfjs-core';
import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { OverreadError } from '../errors.ts';
import { installGradientRules } from '../runtime/gradient-rules.ts';
import { installTrainingKernels } from '../runtime/training-kernels.ts';
import { evaluateAll, featureMap, topLayer, type Layer, type LayerRule } from '../runtime/layer-graph.ts';

/** Which layers learn: those that make the scores, all after the last change of resolution, or all. */
export type TrainedLayers = 'head' | 'last-block' | 'all';

export interface TrainableOptions {
  readonly layers: TrainedLayers;
  /**
   * Of normalisation layers among those that learn. Frozen: as at inference. Scale: they use the statistics that they have,
   * their scale and shift learn. Trained: they also use and follow the statistics of each batch, which has to be large.
   */
  readonly norms: 'frozen' | 'scale' | 'trained';
}

const RESIZES: ReadonlySet<string> = new Set(['MaxPooling2D', 'AveragePooling2D', 'UpSampling2D']);

/**
 * A layers model whose weights learn. Layers compute as at inference, but for normalisation layers that learn; dropout is
 * left out. Derivatives of all that it computes are right to second order, see `installGradientRules`.
 */
export class TrainableNetwork {
  /** What learns, in the order of the network's layers. */
  readonly variables: readonly Variable[];
  /** Running statistics that change in training and are not learnt. */
  readonly statistics: readonly Variable[];
  readonly layers: readonly string[];
  readonly #batchNorms: ReadonlySet<Layer>;

  /** @throws OverreadError `config/invalid` where nothing would learn */
  constructor(readonly model: LayersModel, { layers, norms }: TrainableOptions) {
    installGradientRules();
    installTrainingKernels();
    const learning = learningLayers(model, layers).filter(layer => layer.weights.length > 0 && (norms !== 'frozen' || !isNorm(layer)));
    if (learning.length === 0) throw new OverreadError('config/invalid', `Expected layers with weights among '${layers}' of ${model.name}, got none. Train more layers.`, { got: layers });
    this.#batchNorms = new Set(norms === 'trained' ? learning.filter(isNorm) : []);
    this.layers = learning.map(({ name }) => name);
    this.variables = learning.flatMap(layer => (isNorm(layer) ? layer.weights.slice(0, -2) : layer.weights).map(variableOf));
    this.statistics = [...this.#batchNorms].flatMap(layer => layer.weights.slice(-2).map(variableOf));
  }

  /** How many numbers learn. */
  get size(): number {
    return this.variables.reduce((sum, { size }) => sum + size, 0);
  }

  /**
   * The network's outputs, and tensors on the way to them.
   * @param inputs [n, …] each, in the order of the model's inputs; rows and columns may differ from the model's where its layers allow it
   */
  compute(inputs: readonly Tensor[], also: readonly SymbolicTensor[] = []): { readonly outputs: Tensor[]; readonly also: Tensor[] } {
    const { model } = this;
    const given = new Map(model.inputs.map(({ id }, i) => [id, inputs[i]!] as const));
    const all = evaluateAll([...model.outputs, ...also], given, this.#rule);
    return { outputs: all.slice(0, model.outputs.length), also: all.slice(model.outputs.length) };
  }

  /** What the scores are made from: the vector that the head reads, [n, features], or where it reads none the last feature map. */
  representation(): SymbolicTensor {
    const output = this.model.outputs.at(-1)!;
    const head = topLayer(output);
    const read = head.inboundNodes.at(-1)?.inputTensors[0];
    if (read?.shape.length === 2) return read;
    return featureMap(output, { asked: this.model.inputs[0]!, others: [] });
  }

  readonly #rule: LayerRule = (layer, inputs) => {
    if (!this.#batchNorms.has(layer)) return undefined;
    const x = inputs[0]!;
    const axes = x.shape.map((_, axis) => axis).slice(0, -1);
    const { mean, variance } = moments(x, axes);
    const { epsilon, momentum, scale, center } = layer.getConfig() as { epsilon: number; momentum: number; scale: boolean; center: boolean };
    const weights = layer.weights.map(weight => weight.read());
    const [gamma, beta] = [scale ? weights[0] : undefined, center ? weights[scale ? 1 : 0] : undefined];
    tidy(() => {
      const follow = (variable: Variable, value: Tensor) => variable.assign(add(mul(variable, momentum), mul(value, 1 - momentum)));
      const [ofMean, ofVariance] = layer.weights.slice(-2).map(variableOf);
      const count = x.size / x.shape.at(-1)!;
      follow(ofMean!, mean);
      // As PyTorch does: normalised by the variance, followed by the unbiased one.
      follow(ofVariance!, mul(variance, count / Math.max(1, count - 1)));
    });
    return batchNorm(x, mean as never, variance as never, beta as never, gamma as never, epsilon);
  };
}

/** A layer's weight as tfjs-core's variable, of which derivatives are taken. */
export function variableOf(weight: Layer['weights'][number]): Variable {
  return (weight as unknown as { readonly val: Variable }).val;
}

function isNorm(layer: Layer): boolean {
  return layer.getClassName() === 'BatchNormalization';
}

function learningLayers(model: LayersModel, which: TrainedLayers): readonly Layer[] {
  switch (which) {
    case 'all':
      return model.layers;
    case 'head':
      return [...new Set(model.outputs.map(topLayer))];
    case 'last-block':
      // Layers stand in the order of their depth, so that what joins from before the last resizing is not among them.
      return model.layers.slice(model.layers.findLastIndex(resizes) + 1);
  }
}

function resizes(layer: Layer): boolean {
  if (RESIZES.has(layer.getClassName())) return true;
  const { strides } = layer.getConfig() as { strides?: number | readonly number[] };
  return layer.getClassName() === 'Conv2D' && [strides].flat().some(stride => stride !== undefined && stride !== 1);
}
