import type { Tensor } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { OverreadError } from '../errors.ts';
import { inputNames, outputsRead, type ModelManifest } from '../manifest.ts';
import type { DeviceDescription } from '../results/result.ts';
import type { SliceNetwork, SliceRun } from './slice-network.ts';
import { tfjsNetwork } from './tfjs-network.ts';
import type { Device } from './device.ts';
import type { OnnxPlace } from './onnx-session.ts';
import type { DerivativeAsk, DerivativeValues } from './plan/derivative-plans.ts';
import type { VerifiedModel } from './verified.ts';

/** A model whose input and output agree with its manifest. Its weights belong to the backend it was made on. */
export interface Network {
  /**
   * [n, ...input.shape] each, in the order of the manifest's `inputNames` → the last tensors, as many as `outputsRead`.
   * A promise only where `device` or `plan` is given.
   */
  forward(inputs: readonly Tensor[]): Tensor[] | Promise<Tensor[]>;
  /** Every tensor that a run makes, as far as the topology tells: name and shape, the batch being 1. */
  readonly tensors: readonly { readonly name: string; readonly shape: readonly number[] }[];
  /** False for a network that was saved for one input at a time. */
  readonly takesBatches: boolean;
  /** The model itself, where it is one of layers. */
  readonly layersModel?: LayersModel;
  /** Of layers and volumes: it runs slice by slice, and `forward` refuses. */
  readonly sliced?: SliceNetwork;
  /** What it runs on, where that is not tfjs's backend. */
  readonly device?: DeviceDescription;
  /** Of layers on WebGPU and WebAssembly: what `forward` runs in place of tfjs's kernels, once it is made. */
  readonly plan?: NetworkPlan;
  dispose(): void;
}

/** A layers model on kernels that are not tfjs's. What has none runs on tfjs's. */
export interface NetworkPlan {
  /** Which kernels the network runs on, and why no better ones, in words for the user. */
  readonly kernels: string;
  readonly made: boolean;
  /** Bytes on the device. */
  readonly bytes: number;
  /** Called once, within the device's guard. */
  make(device: Device): Promise<void>;
  /**
   * Scores of one input and their derivative; on WebGPU only.
   * @returns nothing where tfjs's tape has to compute it
   */
  derivative?(ask: DerivativeAsk): Promise<DerivativeValues | undefined>;
  /**
   * Of a plan in float16 that gave NaN: goes over to float32 for good, within the device's guard.
   * @returns whether it did; false where it was in float32 before
   */
  widen?(device: Device): Promise<boolean>;
  /**
   * Of a network of volumes: goes through it slice by slice.
   * @returns nothing where there is no plan
   */
  start?(read: (slice: number) => Float32Array): SliceRun | undefined;
  /** @returns nothing where there is no plan */
  run(inputs: readonly Tensor[]): Tensor[] | undefined | Promise<Tensor[] | undefined>;
  dispose(): void;
}

/**
 * Makes the network from its verified files.
 * @param place what an ONNX model needs: it does not run in tfjs
 * @throws OverreadError `model/graph` when it cannot be read, or its shapes are not the manifest's;
 *   `model/manifest` when it names a weight file that has no SHA-256; `device/unavailable` when onnxruntime does not start
 */
export async function buildNetwork(model: VerifiedModel, place: OnnxPlace = {}): Promise<Network> {
  const { manifest } = model;
  const network = manifest.graph.format === 'onnx' ? await (await import('./onnx.ts')).onnxNetwork(model, place) : await tfjsNetwork(model, place);
  try {
    checkInputs(network.inputs, manifest);
    checkOutputs(network.outputs, manifest);
  } catch (error) {
    network.dispose();
    throw error;
  }
  return network;
}

export type Shape = readonly (number | null)[] | undefined;

/** An input of a graph; its shape as the engine feeds it, NHWC. */
export interface Port {
  readonly name: string;
  readonly shape: Shape;
}

export type Shaped = Network & { readonly inputs: readonly Port[]; readonly outputs: readonly Shape[] };

function checkInputs(inputs: readonly Port[], manifest: ModelManifest): void {
  const { id, input } = manifest;
  const names = inputNames(manifest);
  const wanted = [1, ...input.shape];
  if (!names) {
    const shape = inputs.length === 1 ? inputs[0]!.shape : undefined;
    if (shape && fits(shape, wanted)) return;
    throw new OverreadError(
      'model/graph',
      `Expected the graph of ${id} to have one input of shape [${wanted}] as its manifest says, got ${describe(shape)}. Mend input.shape or convert the model again.`,
      { expected: wanted, got: shape },
    );
  }
  const expected = names.map(name => (name === 'present' ? [1, names.length - 1] : wanted));
  const sound = inputs.length === names.length && names.every((name, i) => inputs[i]!.name === name && inputs[i]!.shape && fits(inputs[i]!.shape!, expected[i]!));
  if (sound) return;
  const got = inputs.map(({ name, shape }) => `${name || 'another'} ${describe(shape)}`).join(', ') || 'none';
  throw new OverreadError(
    'model/graph',
    `Expected the graph of ${id} to have the inputs ${names.map((name, i) => `${name} [${expected[i]}]`).join(', ')} for ${input.modalities ? 'input.modalities' : `input.fusion ${input.fusion}`}, got ${got}. Mend the manifest or convert the model again.`,
    { expected: names, got },
  );
}

/** The batch may be open, or of the one that is given. */
function fits(shape: readonly (number | null)[], wanted: readonly number[]): boolean {
  return shape.length === wanted.length && shape.every((size, i) => size === null || size === wanted[i]);
}

function checkOutputs(outputs: readonly Shape[], manifest: ModelManifest): void {
  const { id, output: { targets, activation }, gate } = manifest;
  const needed = outputsRead(manifest);
  if (outputs.length < needed) {
    throw new OverreadError(
      'model/graph',
      `Expected the graph of ${id} to give ${needed} tensors ${gate ? '(distance, scores), as a gate does' : `for input.fusion ${manifest.input.fusion}`}, got ${outputs.length}. Mend the manifest or convert the model again.`,
      { expected: needed, got: outputs.length },
    );
  }
  // Softmax may carry a background class before the targets.
  const channels = activation === 'softmax' ? [targets.length, targets.length + 1] : [targets.length];
  const scores = gate ? outputs.slice(-1) : outputs.slice(-needed);
  const wrong = scores.find(shape => shape?.at(-1) != null && !channels.includes(shape.at(-1)!));
  if (wrong) {
    throw new OverreadError(
      'model/graph',
      `Expected the graph of ${id} to give ${channels.join(' or ')} channels for its ${targets.length} target(s), got ${describe(wrong)}. Mend output.targets or convert the model again.`,
      { expected: channels, got: wrong },
    );
  }
}

function describe(shape: Shape): string {
  return shape ? `[${shape.map(size => size ?? 'any').join(',')}]` : 'no single known shape';
}
