import { env, findBackendFactory, registerBackend, removeBackend, setBackend } from '@tensorflow/tfjs-core';
import { NEVER, type Device, type Refusal } from './device.ts';
import type { RuntimeOptions } from './types.ts';

/** Threads are workers of the wasm backend; one that cannot start (a security policy) leaves it waiting for ever. */
const THREAD_START_MS = 15_000;
/** A wasm memory ends at 4 GiB for all tensors together. */
const MAX_TENSOR_BYTES = 2 ** 30;

/** Opens tfjs's WebAssembly backend: SIMD where the engine has it, threads where the page is cross-origin isolated. */
export async function openWasm(options: RuntimeOptions, reason: string): Promise<Device | Refusal> {
  if (typeof WebAssembly === 'undefined') return { refused: 'not offered here' };
  const wasm = await import('@tensorflow/tfjs-backend-wasm');
  if (options.wasmPath !== undefined) wasm.setWasmPaths(options.wasmPath);
  const simd = await env().getAsync('WASM_HAS_SIMD_SUPPORT');
  // tfjs turns threads off in Node (tfjs issue 3830).
  const isolated = (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated === true;
  const threads = isolated && (await env().getAsync('WASM_HAS_MULTITHREAD_SUPPORT')) === true;
  env().set('WASM_HAS_MULTITHREAD_SUPPORT', threads);

  const factory = findBackendFactory('wasm');
  let started = await start(threads ? THREAD_START_MS : undefined);
  const threaded = threads && started;
  if (threads && !started) {
    env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
    removeBackend('wasm');
    registerBackend('wasm', factory);
    started = await start();
  }
  if (!started) return { refused: `the wasm files did not start from ${options.wasmPath ?? 'beside the script'}` };
  const adapter = [simd ? 'simd' : 'no simd', threaded ? `${wasm.getThreadsCount()} threads` : '1 thread'].join(', ');
  return new PlainDevice({ backend: 'wasm', adapter, software: false, reason }, { bytes: MAX_TENSOR_BYTES, limit: 'wasm memory' });
}

/** Plain JavaScript, for tests and for those who ask for it by name; never a fall-back. */
export async function openCpu(reason: string): Promise<Device | Refusal> {
  await import('@tensorflow/tfjs-backend-cpu');
  if (!(await setBackend('cpu'))) return { refused: 'tfjs did not start it' };
  return new PlainDevice({ backend: 'cpu', adapter: 'JavaScript', software: false, reason }, { bytes: MAX_TENSOR_BYTES, limit: 'typed array' });
}

/** A device that reports no errors of its own and cannot be lost. */
class PlainDevice implements Device {
  readonly lost = NEVER;

  constructor(
    readonly description: Device['description'],
    readonly maxTensor: Device['maxTensor'],
  ) {}

  broken(): undefined {
    return undefined;
  }

  guard<T>(work: () => Promise<T>): Promise<T> {
    return work();
  }

  lose(): void {}

  retire(): void {}

  /** The backend stays with tfjs: it holds no device, and a second start of the wasm module would leak the first. */
  close(): void {}
}

async function start(withinMs?: number): Promise<boolean> {
  const started = setBackend('wasm').catch(() => false);
  if (withinMs === undefined) return started;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<boolean>(resolve => (timer = setTimeout(() => resolve(false), withinMs)));
  try {
    return await Promise.race([started, late]);
  } finally {
    clearTimeout(timer);
  }
}
