import { dispose, slice, tensor, tidy, valueAndGrad, type serialization, type Tensor } from '@tensorflow/tfjs-core';
import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { OverreadError } from '../errors.ts';
import type { ModelManifest } from '../manifest.ts';
import { checkFinite } from './check-finite.ts';
import { BACKEND_NAMES, type Device } from './device.ts';
import { installGradientRules } from './gradient-rules.ts';
import { dependsOn, evaluate, featureMap, topLayer, type Layer, type Replacement } from './layer-graph.ts';
import type { Network } from './network.ts';
import type { GradientModel, LayerGradient, LayerWeights, PassOptions } from './types.ts';

/** Runs a piece of work with the network in a guarded turn on its device; what it gives holds no tensors. */
type Turn = <T>(signal: AbortSignal | undefined, work: (network: Network, device: Device) => Promise<T>) => Promise<T>;

interface LayersOf {
  readonly model: LayersModel;
  readonly input: SymbolicTensor;
  readonly output: SymbolicTensor;
}

interface Read {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

const ADVICE = {
  scores: 'Choose another backend or convert the model again.',
  'a derivative': 'Choose occlusion, which needs none, or convert the model again.',
} as const;

/** Inputs of one forward pass at most, so that a device answers often enough to be cancelled. */
const LARGEST_BATCH = 16;

/** A model's {@link GradientModel}: numbers in, numbers out; tensors live only within a turn. */
export class NetworkGradients implements GradientModel {
  readonly #inputSize: number;

  constructor(
    private readonly manifest: ModelManifest,
    private readonly turn: Turn,
  ) {
    this.#inputSize = manifest.input.shape.reduce((product, size) => product * size, 1);
  }

  async scores(inputs: Float32Array, target: number, { signal, topWeights }: PassOptions = {}): Promise<Float32Array> {
    const count = inputs.length / this.#inputSize;
    const scores = new Float32Array(count);
    for (let from = 0; from < count; ) {
      from += await this.turn(signal, async (network, device) => {
        const n = Math.min(count - from, network.takesBatches ? largestBatch(network, device) : 1);
        const part = inputs.subarray(from * this.#inputSize, (from + n) * this.#inputSize);
        const { output } = await this.#read('scores', () => {
          const x = tensor(part, [n, ...this.manifest.input.shape]);
          if (!topWeights) return { output: network.forward([x]).at(-1)! };
          const { model, input, output } = this.#layers(network);
          return withTop(model, topWeights, top => ({ output: evaluate(output, new Map([[input.id, x]]), top) }));
        });
        const { channels, channel } = this.#channel(output.shape, target);
        for (let i = 0; i < n; i++) scores[from + i] = output.values[i * channels + channel]!;
        return n;
      });
    }
    return scores;
  }

  inputGradient(values: Float32Array, target: number, { signal, topWeights }: PassOptions = {}): Promise<{ score: number; gradient: Float32Array }> {
    return this.turn(signal, async (network, device) => {
      const { model, input, output } = this.#differentiable(network, device);
      const got = await this.#read('a derivative', () => {
        const x = tensor(values, [1, ...this.manifest.input.shape]);
        return withTop(model, topWeights, top => this.#derivative(output, target, x, of => evaluate(output, new Map([[input.id, of]]), top)));
      });
      return { score: got.score.values[0]!, gradient: got.gradient.values };
    });
  }

  layerGradient(
    values: Float32Array, target: number, { signal, topWeights, layer, activations }: PassOptions & { layer?: string; activations?: Float32Array } = {},
  ): Promise<LayerGradient> {
    return this.turn(signal, async (network, device) => {
      const { model, input, output } = this.#differentiable(network, device);
      const map = featureMap(output, layer);
      const got = await this.#read('a derivative', () => {
        const x = tensor(values, [1, ...this.manifest.input.shape]);
        const from = (of: Tensor) => new Map([[input.id, x], [map.id, of]]);
        return withTop(model, topWeights, top => {
          // A network that ends in a convolution has its feature map from the top layer: another top, another map.
          const known = activations && !(top && dependsOn(map, top.layer)) ? activations : undefined;
          const given = known ? tensor(known, [1, ...map.shape.slice(1)] as number[]) : evaluate(map, new Map([[input.id, x]]), top);
          return { ...this.#derivative(output, target, given, of => evaluate(output, from(of), top)), given };
        });
      });
      const [, rows, columns, channels] = got.given.shape as [number, number, number, number];
      return { layer: map.sourceLayer.name, shape: [rows, columns, channels], score: got.score.values[0]!, activations: got.given.values, gradient: got.gradient.values };
    });
  }

  topLayer(signal?: AbortSignal): Promise<LayerWeights> {
    return this.turn(signal, async network => {
      const layer = topLayer(this.#layers(network).output);
      const weights = layer.weights.map(async weight => ({ shape: weight.shape.map(size => size ?? 1), values: (await weight.read().data()) as Float32Array }));
      // Copies: tfjs may hand out the very array that it keeps.
      return { layer: layer.name, weights: (await Promise.all(weights)).map(({ shape, values }) => ({ shape, values: values.slice() })) };
    });
  }

  /** A score and its derivative by `at`. */
  #derivative(output: SymbolicTensor, target: number, at: Tensor, scores: (of: Tensor) => Tensor): { score: Tensor; gradient: Tensor } {
    const { channels, channel } = this.#channel(output.shape, target);
    const one = tensor(Float32Array.from({ length: channels }, (_, i) => (i === channel ? 1 : 0)), [1, channels]);
    const { value, grad } = valueAndGrad(scores)(at, one);
    return { score: slice(value, [0, channel], [1, 1]), gradient: grad };
  }

  /** Computes tensors, reads them and frees all that was made on the way. */
  async #read<K extends string>(wanted: keyof typeof ADVICE, compute: () => Record<K, Tensor>): Promise<Record<K, Read>> {
    let made: Partial<Record<K, Tensor>> = {};
    try {
      made = this.#computed(wanted, () => tidy(compute));
      const read = Object.entries<Tensor>(made as Record<K, Tensor>).map(async ([name, t]) => {
        const values = (await t.data()) as Float32Array;
        checkFinite(values, this.manifest.id);
        return [name, { shape: t.shape, values: values.slice() }] as const;
      });
      return Object.fromEntries(await Promise.all(read)) as unknown as Record<K, Read>;
    } finally {
      dispose(made);
    }
  }

  #computed<T>(wanted: keyof typeof ADVICE, compute: () => T): T {
    try {
      return compute();
    } catch (error) {
      if (error instanceof OverreadError) throw error;
      const got = error instanceof Error ? error.message : String(error);
      throw new OverreadError('model/graph', `Expected ${wanted} of ${this.manifest.id}, got an error: ${got} ${ADVICE[wanted]}`, { expected: wanted, got }, error);
    }
  }

  #layers({ layersModel: model }: Network): LayersOf {
    const { id, graph } = this.manifest;
    if (!model) {
      throw new OverreadError('model/graph',
        `Expected a layers model, whose layers can be entered, got the ${graph.format} model ${id}. Choose occlusion, or convert the model as layers.`,
        { expected: 'layers', got: graph.format });
    }
    return { model, input: model.inputs[0]!, output: model.outputs.at(-1)! };
  }

  #differentiable(network: Network, { description }: Device): LayersOf {
    if (description.backend === 'wasm') {
      throw new OverreadError('device/unavailable',
        `Expected WebGPU, WebGL or plain JavaScript for a derivative, got ${BACKEND_NAMES.wasm}, which has none for convolutions. Choose occlusion, which works there, or another backend.`,
        { expected: ['webgpu', 'webgl', 'cpu'], got: 'wasm' });
    }
    installGradientRules();
    return this.#layers(network);
  }

  /** Where a target's score stands; softmax may have a background before the targets. */
  #channel(shape: readonly (number | null)[], target: number): { channels: number; channel: number } {
    const { id, output } = this.manifest;
    const channels = shape[1];
    const background = channels == null ? NaN : channels - output.targets.length;
    if (shape.length !== 2 || channels == null || (background !== 0 && background !== 1)) {
      throw new OverreadError('model/graph',
        `Expected a classifier that gives [n, ${output.targets.length}] scores, got ${id}, which gives [${shape.map(size => size ?? 'n')}]. Choose another model.`,
        { expected: [null, output.targets.length], got: shape });
    }
    return { channels, channel: target + background };
  }
}

function largestBatch({ tensors }: Network, { maxTensor }: Device): number {
  const largest = Math.max(...tensors.map(({ shape }) => shape.reduce((product, size) => product * size, 4)));
  return Math.max(1, Math.min(LARGEST_BATCH, Math.floor(maxTensor.bytes / largest)));
}

/** Lends the network another top layer; its own is not touched. */
function withTop<T>(model: LayersModel, values: readonly Float32Array[] | undefined, work: (top?: Replacement) => T): T {
  if (!values) return work();
  const layer = topLayer(model.outputs.at(-1)!);
  const twin = twinOf(layer);
  try {
    tidy(() => twin.setWeights(values.map((of, i) => tensor(of, layer.weights[i]!.shape as number[]))));
    return work({ layer, by: twin });
  } finally {
    for (const weight of twin.weights) weight.dispose();
  }
}

/** Another layer of the same configuration, with weights of its own. */
function twinOf(layer: Layer): Layer {
  const type = layer.constructor as serialization.SerializableConstructor<Layer>;
  const twin = type.fromConfig(type, layer.getConfig());
  // The variables stay, what they are made from goes.
  tidy(() => twin.build(layer.inboundNodes[0]!.inputShapes));
  return twin;
}
