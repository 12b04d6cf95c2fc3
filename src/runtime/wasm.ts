import { env, findBackendFactory, registerBackend, removeBackend, setBackend } from '@tensorflow/tfjs-core';
import { NEVER, type Device, type Refusal } from './device.ts';
import type { RuntimeOptions } from './types.ts';
import { withThreadScript } from './wasm-threads.ts';

/** Threads are workers of the wasm backend; one that cannot start may leave it waiting for ever. */
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

  if (threads) wasm.setThreadsCount(threadCount());
  const factory = findBackendFactory('wasm');
  let started = threads ? await startThreaded() : await start();
  const threaded = threads && started;
  if (threads && !started) {
    env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
    removeBackend('wasm');
    registerBackend('wasm', factory);
    started = await start();
  }
  if (!started) return { refused: `the wasm files did not start from ${options.wasmPath ?? 'beside the script'}` };
  const adapter = [simd ? 'simd' : 'no simd', counted(threaded ? wasm.getThreadsCount() : 1)].join(', ');
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

/** Half of the cores, as tfjs has it, so that the viewer keeps some; two where there are two. */
export function threadCount(): number {
  return Math.max(2, Math.min(8, Math.floor((globalThis.navigator?.hardwareConcurrency ?? 4) / 2)));
}

export function counted(threads: number): string {
  return threads === 1 ? '1 thread' : `${threads} threads`;
}

function start(): Promise<boolean> {
  return setBackend('wasm').catch(() => false);
}

/** False when a thread fails or does not answer. Its error would else go on to the page and end the engine's worker. */
async function startThreaded(): Promise<boolean> {
  let fail: () => void = () => {};
  const failed = new Promise<boolean>(resolve => (fail = () => resolve(false)));
  const onError = (event: Event) => {
    event.preventDefault();
    fail();
  };
  const timer = setTimeout(fail, THREAD_START_MS);
  globalThis.addEventListener('error', onError);
  try {
    const started = await Promise.race([withThreadScript(start), failed]);
    // Several threads fail one after the other; the last one's error comes after the first.
    if (!started) await new Promise(resolve => setTimeout(resolve, 200));
    return started;
  } finally {
    clearTimeout(timer);
    globalThis.removeEventListener('error', onError);
  }
}
