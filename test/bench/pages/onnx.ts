import type { LayersModel } from '@tensorflow/tfjs-layers';
import { Float } from '../../../src/runtime/onnx-wire.ts';
import { transposedValues } from '../../../src/runtime/strided.ts';
import { OnnxGraph, type Attributes } from '../../../src/runtime/plan/onnx-graph.ts';

/** A layer as tfjs writes it in a model's topology. */
interface LayerJson {
  readonly name: string;
  readonly class_name: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly inbound_nodes: readonly (readonly (readonly [name: string, ...unknown[]])[])[];
}

/**
 * The same network with the same weights as an ONNX file: input and output 'input' and 'output', in ONNX's channel order
 * (NCHW, NCDHW). It knows the layers that our networks are made of and refuses others by name.
 */
export function onnxOf(model: LayersModel, batch = 1): Uint8Array<ArrayBuffer> {
  const topology = model.toJSON(null, false) as unknown as { config: { layers: LayerJson[]; output_layers: [string][] } };
  const writer = new GraphWriter(model, batch);
  for (const layer of topology.config.layers) writer.add(layer);
  const output = topology.config.output_layers[0]![0];
  return writer.finish(output);
}

class GraphWriter {
  readonly #graph = new OnnxGraph();
  /** Which value holds each layer's output. */
  readonly #values = new Map<string, string>();

  constructor(private readonly model: LayersModel, private readonly batch: number) {}

  add({ name, class_name, config, inbound_nodes }: LayerJson): void {
    const inputs = (inbound_nodes[0] ?? []).map(([from]) => this.#values.get(from)!);
    this.#values.set(name, this.#layer(class_name, name, config, inputs));
  }

  finish(outputLayer: string): Uint8Array<ArrayBuffer> {
    this.#graph.output('output', this.#values.get(outputLayer)!, nchw(this.model.outputs[0]!.shape, this.batch));
    return this.#graph.bytes() as Uint8Array<ArrayBuffer>;
  }

  #layer(kind: string, name: string, config: LayerJson['config'], inputs: string[]): string {
    const [x] = inputs;
    switch (kind) {
      case 'InputLayer': return this.#graph.input('input', nchw(this.model.inputs[0]!.shape, this.batch));
      case 'Dropout': return x!;
      case 'ReLU': return this.#node('Relu', [x!]);
      case 'LeakyReLU': return this.#node('LeakyRelu', [x!], { alpha: new Float(config.alpha as number) });
      case 'Activation': return this.#activation(x!, config.activation);
      case 'Concatenate': return this.#node('Concat', inputs, { axis: 1 });
      case 'Add': return this.#node('Add', inputs);
      case 'MaxPooling2D': return this.#node('MaxPool', [x!], window(config.pool_size, config.strides, config.padding));
      case 'AveragePooling2D': return this.#node('AveragePool', [x!], window(config.pool_size, config.strides, config.padding));
      case 'GlobalAveragePooling2D': return this.#node('Flatten', [this.#node('GlobalAveragePool', [x!])]);
      case 'ZeroPadding2D': {
        const [[top, bottom], [left, right]] = config.padding as [[number, number], [number, number]];
        return this.#node('Pad', [x!, this.#graph.integers([0, 0, top, left, 0, 0, bottom, right])]);
      }
      case 'UpSampling2D': {
        const [rows, columns] = config.size as [number, number];
        const bilinear = config.interpolation === 'bilinear';
        const how = { mode: bilinear ? 'linear' : 'nearest', coordinate_transformation_mode: bilinear ? 'half_pixel' : 'asymmetric', nearest_mode: 'floor' };
        return this.#node('Resize', [x!, '', this.#floats([4], Float32Array.of(1, 1, rows, columns))], how);
      }
      case 'BatchNormalization': {
        const weights = this.#weightsOf(name).map(({ data, shape }) => this.#floats(shape, data));
        if (weights.length !== 4) throw new Error(`Expected scale, offset, mean and variance in ${name}, got ${weights.length} weights.`);
        return this.#node('BatchNormalization', [x!, ...weights], { epsilon: new Float(config.epsilon as number) });
      }
      case 'Conv2D': {
        const [kernel, ...bias] = this.#weightsOf(name);
        const weights = [this.#permuted(kernel!, [3, 2, 0, 1]), ...bias.map(b => this.#floats(b.shape, b.data))];
        return this.#activation(this.#node('Conv', [x!, ...weights], window(config.kernel_size, config.strides, config.padding)), config.activation);
      }
      case 'Conv3D': {
        const [kernel, ...bias] = this.#weightsOf(name);
        const weights = [this.#permuted(kernel!, [4, 3, 0, 1, 2]), ...bias.map(b => this.#floats(b.shape, b.data))];
        const [size, dilations] = [config.kernel_size as number[], config.dilation_rate as number[]];
        if (config.padding === 'same' && !(config.strides as number[]).every(stride => stride === 1)) throw new Error(`${name} has strides, whose padding is not written yet.`);
        // onnxruntime works out no padding of dilated kernels.
        const sides = size.map((taps, axis) => (config.padding === 'same' ? (dilations[axis]! * (taps - 1)) / 2 : 0));
        return this.#activation(this.#node('Conv', [x!, ...weights], { kernel_shape: size, strides: config.strides as number[], dilations, pads: [...sides, ...sides] }), config.activation);
      }
      case 'Conv2DTranspose': {
        const [kernel, ...bias] = this.#weightsOf(name);
        const weights = [this.#permuted(kernel!, [3, 2, 0, 1]), ...bias.map(b => this.#floats(b.shape, b.data))];
        return this.#activation(this.#node('ConvTranspose', [x!, ...weights], window(config.kernel_size, config.strides, config.padding)), config.activation);
      }
      case 'Dense': {
        const [kernel, ...bias] = this.#weightsOf(name);
        return this.#activation(this.#node('Gemm', [x!, this.#floats(kernel!.shape, kernel!.data), ...bias.map(b => this.#floats(b.shape, b.data))]), config.activation);
      }
      default: throw new Error(`The layer ${name} is a ${kind}, which test/bench/pages/onnx.ts does not write yet.`);
    }
  }

  #activation(x: string, name: unknown): string {
    if (name === 'linear' || name == null) return x;
    if (name === 'relu') return this.#node('Relu', [x]);
    if (name === 'sigmoid') return this.#node('Sigmoid', [x]);
    throw new Error(`The activation ${String(name)} is not written yet.`);
  }

  #node(op: string, inputs: readonly string[], attributes?: Attributes): string {
    return this.#graph.node(op, inputs, attributes);
  }

  #weightsOf(layer: string): Weights[] {
    return this.model.getLayer(layer).getWeights().map(tensor => ({ data: tensor.dataSync() as Float32Array, shape: tensor.shape }));
  }

  /** tfjs's kernels are [rows, columns, in, out], transposed ones [rows, columns, out, in]; ONNX leads with channels. */
  #permuted({ data, shape }: Weights, order: readonly number[]): string {
    return this.#floats(order.map(axis => shape[axis]!), transposedValues(data, shape, order));
  }

  #floats(shape: readonly number[], data: Float32Array): string {
    return this.#graph.floats(shape, data);
  }
}

interface Weights {
  readonly data: Float32Array;
  readonly shape: readonly number[];
}

function window(size: unknown, strides: unknown, padding: unknown): Attributes {
  return { kernel_shape: size as number[], strides: strides as number[], ...(padding === 'same' && { auto_pad: 'SAME_UPPER' }) };
}

function nchw(shape: readonly (number | null)[], batch: number): number[] {
  const [, ...sides] = shape as readonly number[];
  return [batch, sides.at(-1)!, ...sides.slice(0, -1)];
}
