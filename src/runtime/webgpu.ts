import { backend, env, findBackendFactory, registerBackend, removeBackend, setBackend } from '@tensorflow/tfjs-core';
import { OverreadError } from '../errors.ts';
import { isSoftwareName, type Device, type Refusal } from './device.ts';
import { dialectFeatures } from './kernels/kernel.ts';
import type { RuntimeOptions } from './types.ts';
import { versionsHere } from './versions.ts';

/** What tfjs and large images need above WebGPU's modest defaults. */
const RAISED_LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeWorkgroupsPerDimension',
  'maxComputeWorkgroupSizeX',
  'maxComputeInvocationsPerWorkgroup',
] as const;

const SCOPES: readonly GPUErrorFilter[] = ['validation', 'out-of-memory', 'internal'];

/**
 * Opens a WebGPU device of our own and gives it to tfjs. tfjs asks for a device itself, but then nobody hears its
 * errors: an invalid kernel leaves the last run's values in a tensor and nothing is thrown.
 */
export async function openWebGPU(options: RuntimeOptions, reason: string): Promise<Device | Refusal> {
  const gpu = (globalThis.navigator as Navigator | undefined)?.gpu;
  if (!gpu) return { refused: 'not offered here' };
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' }).catch(() => null);
  if (!adapter) return { refused: 'no adapter' };
  const { info } = adapter;
  const name = [info.vendor, info.architecture, info.device, info.description].filter(Boolean).join(' ') || 'unnamed adapter';
  const fallback = (info as { isFallbackAdapter?: boolean }).isFallbackAdapter ?? (adapter as { isFallbackAdapter?: boolean }).isFallbackAdapter;
  const software = fallback === true || isSoftwareName(name);
  if (software && !options.allowSoftware) return { refused: `only a software adapter (${name})` };

  const requiredLimits: Record<string, number> = {};
  for (const limit of RAISED_LIMITS) {
    const value = adapter.limits[limit];
    if (value !== undefined) requiredLimits[limit] = value;
  }
  Object.assign(requiredLimits, options.deviceLimits);
  let device: GPUDevice;
  try {
    device = await adapter.requestDevice({ requiredLimits, requiredFeatures: dialectFeatures(adapter) });
  } catch (error) {
    return { refused: `the adapter ${name} gave no device (${error instanceof Error ? error.message : String(error)})` };
  }

  const versions = await versionsHere();
  const { WebGPUBackend } = await import('@tensorflow/tfjs-backend-webgpu');
  // From here to setBackend nothing waits, so that there is no moment without a backend.
  if (findBackendFactory('webgpu')) removeBackend('webgpu');
  type BackendArguments = ConstructorParameters<typeof WebGPUBackend>;
  registerBackend('webgpu', () => new WebGPUBackend(device as BackendArguments[0], info as BackendArguments[1]), 3);
  if (!(await setBackend('webgpu'))) return { refused: 'tfjs did not take the device' };
  return new WebGPUDevice(device, { backend: 'webgpu', adapter: name, software, reason }, options.memoryBudget, versions);
}

const LOST = Symbol('lost');

class WebGPUDevice implements Device {
  readonly lost: Promise<string>;
  readonly maxTensor: Device['maxTensor'];
  #uncaptured: string[] = [];
  #lostBecause: string | undefined;
  #closed = false;
  /** Wakes the runs that wait for the device. A set, since `lost.then` would keep a callback of every run for ever. */
  readonly #waiting = new Set<(lost: typeof LOST) => void>();

  constructor(
    private readonly device: GPUDevice,
    readonly description: Device['description'],
    readonly budget: number | undefined,
    readonly versions: string,
  ) {
    const { maxBufferSize, maxStorageBufferBindingSize } = device.limits;
    this.maxTensor =
      maxBufferSize < maxStorageBufferBindingSize
        ? { bytes: maxBufferSize, limit: 'maxBufferSize' }
        : { bytes: maxStorageBufferBindingSize, limit: 'maxStorageBufferBindingSize' };
    device.addEventListener('uncapturederror', event => {
      event.preventDefault();
      this.#uncaptured.push(event.error.message);
    });
    this.lost = new Promise(resolve => {
      void device.lost.then(({ reason, message }) => {
        if (this.#closed) return;
        this.#lostBecause = message || reason || 'no reason given';
        for (const wake of this.#waiting) wake(LOST);
        resolve(this.#lostBecause);
      });
    });
  }

  broken(): string | undefined {
    return this.#lostBecause ?? this.#uncaptured[0];
  }

  async guard<T>(work: () => Promise<T>): Promise<T> {
    for (const scope of SCOPES) this.device.pushErrorScope(scope);
    const outcome = await this.#untilLost(settle(work()));
    const scoped = await this.#untilLost(
      // A lost device answers its scopes with null or a rejection; the loss itself is reported below.
      Promise.all(SCOPES.map(() => this.device.popErrorScope().then(e => e?.message, () => undefined))),
    );
    if (outcome === LOST || scoped === LOST || this.#lostBecause !== undefined) throw this.#lossError();
    const messages = [...scoped.filter(m => m !== undefined), ...this.#uncaptured];
    if (messages.length) {
      this.#uncaptured.push(...messages);
      throw new OverreadError(
        'device/gpu-error',
        `The GPU reported an error, so the result was thrown away: ${firstLine(messages[0])}. ` +
          'The device is made anew for the next run; if it happens again, choose the wasm backend.',
        { expected: 'no GPU error', got: messages.slice(0, 5) },
        outcome.error,
      );
    }
    if ('error' in outcome) throw outcome.error;
    return outcome.value;
  }

  async compile(dryRun: () => void): Promise<void> {
    env().set('WEBGPU_ENGINE_COMPILE_ONLY', true);
    try {
      dryRun();
    } finally {
      env().set('WEBGPU_ENGINE_COMPILE_ONLY', false);
    }
    try {
      await (backend() as unknown as { checkCompileCompletionAsync(): Promise<void> }).checkCompileCompletionAsync();
    } catch (error) {
      // A pipeline that fails is rejected, not reported to the error scopes.
      this.#uncaptured.push(error instanceof Error ? error.message : String(error));
    }
  }

  lose(): void {
    this.device.destroy();
  }

  retire(): void {
    this.#closed = true;
    this.device.destroy();
  }

  close(): void {
    if (findBackendFactory('webgpu')) removeBackend('webgpu');
    this.retire();
  }

  #lossError(): OverreadError {
    return new OverreadError(
      'device/lost',
      `The GPU device was lost during the run (${this.#lostBecause}). Nothing was kept of it; run again, the device is made anew.`,
      { expected: 'a device until the end of the run', got: this.#lostBecause },
    );
  }

  async #untilLost<T>(promise: Promise<T>): Promise<T | typeof LOST> {
    if (this.#lostBecause !== undefined) return LOST;
    let wake: (lost: typeof LOST) => void = () => {};
    const lost = new Promise<typeof LOST>(resolve => (wake = resolve));
    this.#waiting.add(wake);
    try {
      return await Promise.race([promise, lost]);
    } finally {
      this.#waiting.delete(wake);
    }
  }
}

type Outcome<T> = { value: T; error?: undefined } | { error: unknown };

async function settle<T>(promise: Promise<T>): Promise<Outcome<T>> {
  try {
    return { value: await promise };
  } catch (error) {
    return { error };
  }
}

function firstLine(text: string | undefined): string {
  return (text ?? 'no message').split('\n')[0]?.trim() ?? '';
}
