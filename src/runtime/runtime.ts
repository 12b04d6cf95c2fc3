import { engine, memory } from '@tensorflow/tfjs-core';
import { OverreadError, throwIfAborted } from '../errors.ts';
import type { DeviceDescription } from '../results/result.ts';
import { chooseDevice, tfjsOpeners, type Choice, type Openers } from './choose.ts';
import type { Device } from './device.ts';
import { TfjsModel, type Turns } from './model.ts';
import { Queue } from './queue.ts';
import type { LoadedModel, ModelFiles, OnProgress, Runtime, RuntimeOptions } from './types.ts';
import { readVerified, type VerifiedModel } from './verified.ts';

/**
 * Opens the best device there is, or exactly the one that was asked for. tfjs has one engine a process, so one
 * runtime is in use at a time; dispose it before another is made.
 * @param openers how to open each backend; tfjs's own unless a test says otherwise
 * @throws OverreadError `device/unavailable`, with why each device was not taken
 */
export async function createRuntime(options: RuntimeOptions = {}, openers: Openers = tfjsOpeners(options)): Promise<TfjsRuntime> {
  return new TfjsRuntime(await chooseDevice(options, openers), options.wasmPath);
}

/** One device and the models on it; a broken device is replaced before the next turn. */
export class TfjsRuntime implements Runtime, Turns {
  #device: Device;
  readonly #reopen: () => Promise<Device>;
  readonly #queue = new Queue();
  readonly #models = new Set<TfjsModel>();
  #disposed = false;

  constructor(
    { device, reopen }: Choice,
    readonly wasmPath?: string,
  ) {
    this.#device = device;
    this.#reopen = reopen;
  }

  get device(): DeviceDescription {
    return this.#device.description;
  }

  async ready(): Promise<void> {
    if (this.#disposed || this.#device.broken() !== undefined) await this.turn(async () => {});
  }

  async load(files: ModelFiles, onProgress?: OnProgress, signal?: AbortSignal): Promise<LoadedModel> {
    throwIfAborted(signal);
    return this.open(await readVerified(files, onProgress, signal), onProgress, signal);
  }

  /** As {@link load}, of files that are at hand. */
  async open(verified: VerifiedModel, onProgress?: OnProgress, signal?: AbortSignal): Promise<LoadedModel> {
    throwIfAborted(signal);
    const model = new TfjsModel(verified, this);
    this.#models.add(model);
    try {
      await model.load(signal, () => onProgress?.({ stage: 'compile' }));
      return model;
    } catch (error) {
      model.dispose();
      throw error;
    }
  }

  turn<T>(job: (device: Device) => Promise<T>): Promise<T> {
    return this.#queue.run(async () => job(await this.#sound()));
  }

  released(model: TfjsModel): void {
    this.#models.delete(model);
  }

  memory(): { readonly tensors: number; readonly deviceBytes: number } {
    // memory() would start a backend where there is none any more.
    if (this.#disposed) return { tensors: engine().state.numTensors, deviceBytes: 0 };
    const info = memory() as ReturnType<typeof memory> & { numBytesAllocatedInGPU?: number; numBytesInGPU?: number };
    const ofPlans = [...this.#models].reduce((sum, model) => sum + model.deviceBytes, 0);
    return { tensors: info.numTensors, deviceBytes: ofPlans + (info.numBytesAllocatedInGPU ?? info.numBytesInGPU ?? info.numBytes) };
  }

  /** Takes the device away, as a driver reset would: for tests of what follows. */
  loseDevice(): void {
    this.#device.lose();
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const model of [...this.#models]) model.dispose();
    this.#device.close();
  }

  async #sound(): Promise<Device> {
    if (this.#disposed) throw new OverreadError('internal', 'The runtime was disposed before the run. Create another one.');
    if (this.#device.broken() === undefined) return this.#device;
    for (const model of this.#models) model.drop();
    const broken = this.#device;
    this.#device = await this.#reopen();
    broken.retire();
    return this.#device;
  }
}
