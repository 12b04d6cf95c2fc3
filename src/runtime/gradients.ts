import { dispose, mean, slice, tensor, tidy, tile, valueAndGrad, type serialization, type Tensor } from '@tensorflow/tfjs-core';
import type { SymbolicTensor } from '@tensorflow/tfjs-layers';
import { OverreadError } from '../errors.ts';
import { inputNames, outputsRead, type ModelManifest } from '../manifest.ts';
import { checkFinite } from './check-finite.ts';
import { BACKEND_NAMES, type Device } from './device.ts';
import { installGradientRules } from './gradient-rules.ts';
import { dependsOn, evaluate, featureMap, topLayer, type Layer, type Replacement } from './layer-graph.ts';
import type { Network } from './network.ts';
import type { AskedInput, GradientModel, LayerGradient, LayerWeights, PassOptions } from './types.ts';

/** Runs a piece of work with the network in a guarded turn on its device; what it gives holds no tensors. */
type Turn = <T>(signal: AbortSignal | undefined, work: (network: Network, device: Device) => Promise<T>) => Promise<T>;

interface LayersOf {
  readonly input: SymbolicTensor;
  /** The network's other inputs. A tensor's own name is none to go by: tfjs changes it when it was given before. */
  readonly others: readonly { readonly name: string; readonly tensor: SymbolicTensor }[];
  readonly output: SymbolicTensor;
}

interface Read {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

const ADVICE = {
  scores: 'Choose another backend or convert the model again.',
  features: 'Choose another backend or convert the model again.',
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
    private readonly asked?: AskedInput,
  ) {
    this.#inputSize = manifest.input.shape.reduce((product, size) => product * size, 1);
  }

  of(input: AskedInput): GradientModel {
    return new NetworkGradients(this.manifest, this.turn, input);
  }

  async scores(inputs: Float32Array, target: number, { signal, topWeights }: PassOptions = {}): Promise<Float32Array> {
    const count = inputs.length / this.#inputSize;
    const scores = new Float32Array(count);
    for (let from = 0; from < count; ) {
      from += await this.turn(signal, async (network, device) => {
        const n = Math.min(count - from, network.takesBatches ? largestBatch(network, device) : 1);
        const part = inputs.subarray(from * this.#inputSize, (from + n) * this.#inputSize);
        const output = topWeights ? await this.#scoresBy(topWeights, network, part, n) : await this.#forward(network, part, n);
        const { channels, channel } = this.#channel(output.shape, target);
        for (let i = 0; i < n; i++) scores[from + i] = output.values[i * channels + channel]!;
        return n;
      });
    }
    return scores;
  }

  /** Through the whole network, whatever it runs on. */
  async #forward(network: Network, part: Float32Array, n: number): Promise<Read> {
    const inputs = tidy(() => {
      const x = tensor(part, [n, ...this.manifest.input.shape]);
      return this.#names().map(name => this.#given(name, x, n));
    });
    let outputs: Tensor[] = [];
    try {
      outputs = await network.forward(inputs);
      return await this.#values(outputs.at(this.#output)!);
    } catch (error) {
      return this.#failed('scores', error);
    } finally {
      dispose([inputs, outputs]);
    }
  }

  async #scoresBy(topWeights: readonly Float32Array[], network: Network, part: Float32Array, n: number): Promise<Read> {
    const layers = this.#layers(network);
    const { output } = await this.#read('scores', () => {
      const fed = this.#fed(layers, tensor(part, [n, ...this.manifest.input.shape]), n);
      return withTop(layers.output, topWeights, top => ({ output: evaluate(layers.output, fed, top) }));
    });
    return output;
  }

  inputGradient(values: Float32Array, target: number, { signal, topWeights }: PassOptions = {}): Promise<{ score: number; gradient: Float32Array }> {
    return this.turn(signal, async (network, device) => {
      const layers = this.#differentiable(network, device);
      const { input, output } = layers;
      const planned = topWeights ? undefined : await this.#planned(network, layers, input, values, target);
      if (planned) return { score: planned.score, gradient: planned.gradient };
      const got = await this.#read('a derivative', () => {
        const x = tensor(values, [1, ...this.manifest.input.shape]);
        return withTop(output, topWeights, top => this.#derivative(output, target, x, of => evaluate(output, this.#fed(layers, of), top)));
      });
      return { score: got.score.values[0]!, gradient: got.gradient.values };
    });
  }

  layerGradient(
    values: Float32Array, target: number, { signal, topWeights, layer, activations }: PassOptions & { layer?: string; activations?: Float32Array } = {},
  ): Promise<LayerGradient> {
    return this.turn(signal, async (network, device) => {
      const layers = this.#differentiable(network, device);
      const { input, others, output } = layers;
      // What is no picture ([n, views], which of them are there) has no part in what a map shows.
      const map = featureMap(output, { asked: input, others: others.map(({ tensor: of }) => of).filter(({ shape }) => shape.length === 4) }, layer);
      const planned = topWeights || activations ? undefined : await this.#planned(network, layers, map, values, target);
      if (planned) {
        const [, rows, columns, channels] = map.shape as [number, number, number, number];
        return { layer: map.sourceLayer.name, shape: [rows, columns, channels], score: planned.score, activations: planned.at, gradient: planned.gradient };
      }
      const got = await this.#read('a derivative', () => {
        const x = tensor(values, [1, ...this.manifest.input.shape]);
        const fed = this.#fed(layers, x);
        const from = (of: Tensor) => new Map([...fed, [map.id, of]]);
        return withTop(output, topWeights, top => {
          // A network that ends in a convolution has its feature map from the top layer: another top, another map.
          const known = activations && !(top && dependsOn(map, top.layer)) ? activations : undefined;
          const given = known ? tensor(known, [1, ...map.shape.slice(1)] as number[]) : evaluate(map, fed, top);
          return { ...this.#derivative(output, target, given, of => evaluate(output, from(of), top)), given };
        });
      });
      const [, rows, columns, channels] = got.given.shape as [number, number, number, number];
      return { layer: map.sourceLayer.name, shape: [rows, columns, channels], score: got.score.values[0]!, activations: got.given.values, gradient: got.gradient.values };
    });
  }

  features(values: Float32Array, { signal }: Pick<PassOptions, 'signal'> = {}): Promise<Float32Array> {
    return this.turn(signal, async network => {
      const layers = this.#layers(network);
      const read = topLayer(layers.output).inboundNodes[0]!.inputTensors[0]!;
      const { features } = await this.#read('features', () => {
        const given = evaluate(read, this.#fed(layers, tensor(values, [1, ...this.manifest.input.shape])));
        return { features: given.rank === 4 ? mean(given, [1, 2]) : given };
      });
      return features.values;
    });
  }

  /** By kernels of our own, forward and back in one submit, where the network has a plan and each of its layers a way back in it. */
  async #planned(network: Network, { output }: LayersOf, wrt: SymbolicTensor, picture: Float32Array, target: number): Promise<{ score: number; at: Float32Array; gradient: Float32Array } | undefined> {
    const { plan, layersModel } = network;
    if (!plan?.derivative || !plan.made) return undefined;
    const { channels, channel } = this.#channel(output.shape, target);
    const inputs = layersModel!.inputNames.flatMap(name => (this.asked && name !== this.asked.name ? this.asked.others[name] ?? [] : [picture]));
    if (inputs.length < layersModel!.inputs.length) return undefined;
    const got = await plan.derivative({ output, wrt, inputs, weights: Float32Array.from({ length: channels }, (_, i) => Number(i === channel)) });
    if (!got) return undefined;
    for (const values of [got.scores, got.at, got.gradient]) checkFinite(values, this.manifest.id);
    return { score: got.scores[channel]!, at: got.at, gradient: got.gradient };
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
      const read = Object.entries<Tensor>(made as Record<K, Tensor>).map(async ([name, t]) => [name, await this.#values(t)] as const);
      return Object.fromEntries(await Promise.all(read)) as unknown as Record<K, Read>;
    } finally {
      dispose(made);
    }
  }

  /** What a tensor holds, copied and checked. */
  async #values(of: Tensor): Promise<Read> {
    const values = (await of.data()) as Float32Array;
    checkFinite(values, this.manifest.id);
    return { shape: of.shape, values: values.slice() };
  }

  #computed<T>(wanted: keyof typeof ADVICE, compute: () => T): T {
    try {
      return compute();
    } catch (error) {
      return this.#failed(wanted, error);
    }
  }

  #failed(wanted: keyof typeof ADVICE, error: unknown): never {
    if (error instanceof OverreadError) throw error;
    const got = error instanceof Error ? error.message : String(error);
    throw new OverreadError('model/graph', `Expected ${wanted} of ${this.manifest.id}, got an error: ${got} ${ADVICE[wanted]}`, { expected: wanted, got }, error);
  }

  /** The inputs' names in the order in which the network is fed. */
  #names(): readonly string[] {
    const names = inputNames(this.manifest) ?? [''];
    if (names.length === 1 || (this.asked && names.includes(this.asked.name))) return names;
    throw new OverreadError('internal', `Expected to be asked of one of the inputs ${names.join(', ')} of ${this.manifest.id}, got ${this.asked?.name ?? 'none'}. Please report this.`, { expected: names, got: this.asked?.name });
  }

  /** Where the scores stand among the network's last tensors, from the end. */
  get #output(): number {
    return this.asked ? this.asked.output - outputsRead(this.manifest) : -1;
  }

  /** What an input is given, for a batch of n. */
  #given(name: string, x: Tensor, n: number): Tensor {
    if (!this.asked || name === this.asked.name) return x;
    const other = this.asked.others[name];
    if (!other) throw new OverreadError('internal', `Expected what the input ${name} of ${this.manifest.id} is given, got nothing. Please report this.`, { expected: name });
    const one = tensor(other, name === 'present' ? [1, other.length] : [1, ...this.manifest.input.shape]);
    return n === 1 ? one : tile(one, [n, ...one.shape.slice(1).fill(1)]);
  }

  #fed({ input, others }: LayersOf, x: Tensor, n = 1): Map<number, Tensor> {
    return new Map([[input.id, x], ...others.map(({ name, tensor: of }) => [of.id, this.#given(name, x, n)] as const)]);
  }

  #layers({ layersModel: model }: Network): LayersOf {
    const { id, graph } = this.manifest;
    if (!model) {
      throw new OverreadError('model/graph',
        `Expected a layers model, whose layers can be entered, got the ${graph.format} model ${id}. Choose occlusion, or convert the model as layers.`,
        { expected: 'layers', got: graph.format });
    }
    const inputs = model.inputs.map((of, i) => ({ name: model.inputNames[i]!, tensor: of }));
    const asked = this.#names().length === 1 ? inputs[0]! : inputs.find(({ name }) => name === this.asked!.name)!;
    return { input: asked.tensor, others: inputs.filter(of => of !== asked), output: model.outputs.at(this.#output)! };
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
function withTop<T>(output: SymbolicTensor, values: readonly Float32Array[] | undefined, work: (top?: Replacement) => T): T {
  if (!values) return work();
  const layer = topLayer(output);
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
