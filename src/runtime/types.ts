import type { Tensor } from '@tensorflow/tfjs-core';
import type { ModelManifest } from '../manifest.ts';
import type { DeviceDescription, ModelIdentity } from '../results/result.ts';

export type Backend = DeviceDescription['backend'];

export interface Disposable {
  dispose(): void;
}

/** What a run is doing, in the order in which it happens. `fraction` (0..1) only where it is known. */
export interface Progress {
  readonly stage: 'download' | 'verify' | 'compile' | 'read pixels' | 'encode' | 'infer' | 'decode';
  readonly fraction?: number;
}
export type OnProgress = (progress: Progress) => void;

export interface LoadedModel extends Disposable {
  readonly manifest: ModelManifest;
  readonly identity: ModelIdentity;
  /**
   * Runs the network once: `input` [1, ...manifest.input.shape] → its last tensor, as the manifest's `gives` says.
   * The caller disposes both. Guarded: sizes are checked against the device's limits before, error scopes stand
   * around, and a GPU error or a lost device rejects.
   * @throws OverreadError `device/limit`, `device/gpu-error`, `device/lost`, `job/cancelled`, `model/output`
   */
  predict(input: Tensor, signal?: AbortSignal): Promise<Tensor>;
}

export interface RuntimeOptions {
  /** Use exactly this backend or fail; without it the best real device is taken: webgpu, webgl, wasm. */
  readonly backend?: Backend;
  /** Count software adapters (SwiftShader, llvmpipe) as devices. Off but for tests. */
  readonly allowSoftware?: boolean;
  /** Folder URL of the wasm binaries, with a trailing slash. */
  readonly wasmPath?: string;
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
  load(files: ModelFiles, onProgress?: OnProgress, signal?: AbortSignal): Promise<LoadedModel>;
  /** Number of live tensors and bytes held on the device, for leak checks. */
  memory(): { readonly tensors: number; readonly deviceBytes: number };
}
