import type { Tensor } from '@tensorflow/tfjs-core';
import type { ModelManifest } from '../manifest.ts';
import type { DeviceDescription, ModelIdentity } from '../results/result.ts';
import type { ReceptiveField } from './receptive-field.ts';
import type { OutputSlices } from './slice-prediction.ts';

export type Backend = DeviceDescription['backend'];

export interface Disposable {
  dispose(): void;
}

/** What a run is doing, in the order in which it happens. `fraction` (0..1) only where it is known. */
export interface Progress {
  readonly stage: 'download' | 'verify' | 'compile' | 'read pixels' | 'gate' | 'encode' | 'infer' | 'decode';
  readonly fraction?: number;
}
export type OnProgress = (progress: Progress) => void;

export interface LoadedModel extends Disposable {
  readonly manifest: ModelManifest;
  readonly identity: ModelIdentity;
  /** Size of the verified files, which are kept for the time after a lost device. */
  readonly bytes: number;
  /** What it runs on, where that is not the runtime's own device; known after the first run. */
  readonly device?: DeviceDescription | undefined;
  /**
   * Runs the network once: its inputs, [n, ...manifest.input.shape] each, in the order of the manifest's `inputNames` →
   * its last tensors, as many as `outputsRead`, the last as the manifest's `gives` says. The caller disposes all. Guarded: sizes are checked against the device's limits before, error scopes stand
   * around, and a GPU error or a lost device rejects.
   * @throws OverreadError `device/limit`, `device/gpu-error`, `device/lost`, `job/cancelled`, `model/output`
   */
  predict(inputs: readonly Tensor[], signal?: AbortSignal): Promise<readonly Tensor[]>;
  /**
   * Runs a network of volumes (layout NDHWC), slice by slice: what the network gives for the whole volume, in the memory
   * of its planes. The generator holds slices on the device until it ends.
   * @param read a slice of `manifest.input.shape`, rows · columns · channels values; asked once each, in order
   * @throws OverreadError as {@link predict}; `device/lost` when the device was replaced on the way
   */
  predictSlices(read: (slice: number) => Float32Array, signal?: AbortSignal): AsyncGenerator<OutputSlices, void>;
  /**
   * Which inputs each output of the network sees, for {@link ModelManifest} `input.tiling`.
   * @throws OverreadError `model/graph` for a network that has none, naming the layer; `device/*`, `job/cancelled`
   */
  receptiveField(signal?: AbortSignal): Promise<ReceptiveField>;
  /** The network from within: what its scores depend on. */
  readonly gradients: GradientModel;
}

export interface PassOptions {
  readonly signal?: AbortSignal;
  /** Weights to be used in place of the top layer's, in the order of {@link GradientModel.topLayer}. */
  readonly topWeights?: readonly Float32Array[];
}

/** A layer's weights: values and shapes in tfjs's layout (a dense kernel is [inputs, outputs]). */
export interface LayerWeights {
  readonly layer: string;
  readonly weights: readonly { readonly shape: readonly number[]; readonly values: Float32Array }[];
}

/** A feature map [rows, columns, channels], channels interleaved, and the derivative of a score by each of its values. */
export interface LayerGradient {
  readonly layer: string;
  readonly shape: readonly [rows: number, columns: number, channels: number];
  readonly score: number;
  readonly activations: Float32Array;
  readonly gradient: Float32Array;
}

/** One input of a network of several, with all that its answer then depends on. */
export interface AskedInput {
  /** The input that the values are for, by its name in the manifest's `inputNames`. */
  readonly name: string;
  /** What each of the other inputs is given, by its name: values of one, laid out as that input. */
  readonly others: Readonly<Record<string, Float32Array>>;
  /** Which of the last tensors has the scores, from 0, of as many as the manifest's `outputsRead`. */
  readonly output: number;
}

/**
 * The scores of a classifier, [n, channels], and their derivatives. A score is what the network gives (`output.gives`
 * of the manifest: a logit, or a probability). `input` is laid out as `input.shape`; `target` indexes `output.targets`.
 * Every call is one guarded turn on the device, as `predict` is; nothing stays on the device between calls.
 * Derivatives want a layers model and WebGPU, WebGL or cpu: wasm lacks the kernels for convolutions.
 * All throw OverreadError `device/*`, `job/cancelled`, `model/output` and `model/graph`, the last also for a network
 * that gives no scores; derivatives also `device/unavailable` on wasm.
 */
export interface GradientModel {
  /** The same for one input of a network of several, which must be asked so: the others stay as they are given. */
  of(input: AskedInput): GradientModel;
  /** `inputs`: n of them, one after the other → n scores. On every backend, for graph models too (without `topWeights`). */
  scores(inputs: Float32Array, target: number, options?: PassOptions): Promise<Float32Array>;
  inputGradient(input: Float32Array, target: number, options?: PassOptions): Promise<{ readonly score: number; readonly gradient: Float32Array }>;
  /**
   * @param options.layer a layer that makes a feature map; when left out, the last one there is. Of a network of several
   *   pictures, the last one that shows this picture only; where there is none, the last one that shows them all.
   * @param options.activations what the layer gave for this input, so that it is not computed again;
   *   passed over where `topWeights` change them
   * @throws OverreadError `config/invalid` when the layer makes none, or none from this input
   */
  layerGradient(input: Float32Array, target: number, options?: PassOptions & { readonly layer?: string; readonly activations?: Float32Array }): Promise<LayerGradient>;
  /**
   * What the last layer with weights reads of an input: the network's own description of the picture, of a feature map the mean
   * of each channel. No derivative: of layers models on every backend.
   */
  features(input: Float32Array, options?: Pick<PassOptions, 'signal'>): Promise<Float32Array>;
  /** The last layer with weights. */
  topLayer(signal?: AbortSignal): Promise<LayerWeights>;
}

export interface RuntimeOptions {
  /** Use exactly this backend or fail; without it the best real device is taken: webgpu, webgl, wasm. */
  readonly backend?: Backend;
  /** Count software adapters (SwiftShader, llvmpipe) as devices. Off but for tests. */
  readonly allowSoftware?: boolean;
  /** Folder URL (a path in Node) of the wasm binaries, with a trailing slash. */
  readonly wasmPath?: string;
  /** Ask the WebGPU device for these limits in place of the adapter's best: for tests of what a small device does. */
  readonly deviceLimits?: Readonly<Record<string, number>>;
  /**
   * Bytes that one model may take of a WebGPU device: its plan with those of its derivatives, or what it takes slice by slice. Models that
   * run by neither, and derivatives that are left to tfjs's tape, are not held to it. WebGPU does not tell how much memory there is;
   * without it only the device's limits hold.
   */
  readonly memoryBudget?: number;
}

/** Reads a model folder's files, over HTTP or from disk. */
export interface ModelFiles {
  /** For messages and as cache key prefix. */
  readonly location: string;
  /** @throws OverreadError `model/not-found`, `network/unreachable`, `network/status` */
  read(path: string, options?: { readonly signal?: AbortSignal; readonly onBytes?: (received: number, total?: number) => void }): Promise<Uint8Array>;
}

export interface Runtime extends Disposable {
  readonly device: DeviceDescription;
  /**
   * Resolves when the device stands. After a GPU error or a lost device it makes a new one first; loaded models then
   * come back from their kept bytes with their next run.
   * @throws OverreadError `device/unavailable` when there is none any more
   */
  ready(): Promise<void>;
  load(files: ModelFiles, onProgress?: OnProgress, signal?: AbortSignal): Promise<LoadedModel>;
  /** Number of live tensors and bytes held on the device, for leak checks. */
  memory(): { readonly tensors: number; readonly deviceBytes: number };
}
