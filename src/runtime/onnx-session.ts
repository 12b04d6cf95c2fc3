import { backend } from '@tensorflow/tfjs-core';
import type * as Ort from 'onnxruntime-web';
import { OverreadError } from '../errors.ts';
import type { DeviceDescription } from '../results/result.ts';
import { BACKEND_NAMES } from './device.ts';
import { counted, threadCount } from './wasm.ts';

/** Where an ONNX model is to run. */
export interface OnnxPlace {
  /** The runtime's own device; on WebGPU its GPU device is shared. wasm when left out. */
  readonly on?: DeviceDescription;
  /** Folder URL of onnxruntime's wasm binaries, with a trailing slash; Node finds them in the package. */
  readonly wasmPath?: string | undefined;
}

export interface OnnxSession {
  readonly ort: typeof Ort;
  readonly session: Ort.InferenceSession;
  readonly device: DeviceDescription;
}

type Provider = 'webgpu' | 'wasm';

/** A wasm thread that cannot start would leave onnxruntime waiting for ever. */
const START_MS = 60_000;

/**
 * Opens an ONNX file on onnxruntime-web: on WebGPU where the runtime is on it, else on wasm. Each is a chunk of its own,
 * loaded when it is first wanted. An operator that WebGPU lacks is computed on wasm by onnxruntime itself.
 * @param file the whole .onnx file
 * @param others files that it keeps weights in, by their paths from it
 * @throws OverreadError `device/unavailable` when onnxruntime does not start; `model/graph` when it cannot read the file
 */
export async function openOnnx(file: Uint8Array, others: ReadonlyMap<string, Uint8Array>, name: string, { on, wasmPath }: OnnxPlace): Promise<OnnxSession> {
  let refused: string | undefined;
  if (on?.backend === 'webgpu' && inNode()) {
    // Dawn's device is not a browser's: the first run never ended.
    refused = 'onnxruntime-web has no WebGPU in Node';
  } else if (on?.backend === 'webgpu') {
    try {
      return await open('webgpu', `onnxruntime on the device of tfjs: ${on.reason}`);
    } catch (error) {
      refused = `onnxruntime on WebGPU: ${textOf(error)}`;
    }
  }
  try {
    return await open('wasm', refused ?? `${on ? BACKEND_NAMES[on.backend] : 'no device'} is not one of onnxruntime's`);
  } catch (error) {
    throw failure(error, name, wasmPath);
  }

  async function open(provider: Provider, reason: string): Promise<OnnxSession> {
    const ort: typeof Ort = provider === 'webgpu' ? await import('onnxruntime-web/webgpu') : await import('onnxruntime-web/wasm');
    const threads = configure(ort, wasmPath);
    const session = await ort.InferenceSession.create(file, {
      executionProviders: [provider === 'webgpu' ? { name: 'webgpu', device: (backend() as unknown as { device: GPUDevice }).device } : 'wasm'],
      externalData: [...others].map(([path, data]) => ({ path, data })),
      logSeverityLevel: 3,
    });
    const version = `onnxruntime ${ort.env.versions.web ?? ''}`.trim();
    const device: DeviceDescription = provider === 'webgpu'
      ? { ...on!, adapter: `${on!.adapter}, ${version}`, reason }
      : { backend: 'wasm', adapter: `${version}, ${counted(threads)}`, software: false, reason: on?.backend === 'wasm' ? on.reason : reason };
    return { ort, session, device };
  }
}

/** Nothing is fetched but the wasm binaries, from where ours lie. @returns the number of threads */
function configure({ env }: typeof Ort, wasmPath: string | undefined): number {
  const scope = globalThis as { crossOriginIsolated?: boolean; location?: Location };
  if (wasmPath !== undefined && !inNode()) env.wasm.wasmPaths = new URL(wasmPath, scope.location?.href).href;
  env.wasm.numThreads = scope.crossOriginIsolated === true ? threadCount() : 1;
  // Its timer is never stopped: without threads it would only keep Node alive.
  env.wasm.initTimeout = env.wasm.numThreads > 1 ? START_MS : 0;
  env.logLevel = 'error';
  return env.wasm.numThreads;
}

function inNode(): boolean {
  return (globalThis as { process?: { versions?: { node?: string } } }).process?.versions?.node !== undefined;
}

function failure(error: unknown, name: string, wasmPath: string | undefined): OverreadError {
  const got = textOf(error);
  if (!/session|model|protobuf|graph|opset|node|operator/i.test(got) || /no available backend/i.test(got)) {
    return new OverreadError(
      'device/unavailable',
      `Expected onnxruntime-web to start for ${name}, got: ${got} Its wasm files are looked for in ${wasmPath ?? 'its package'}; install the npm package onnxruntime-web, or serve them there.`,
      { expected: 'onnxruntime-web', got },
      error,
    );
  }
  return new OverreadError(
    'model/graph',
    `Expected an ONNX model in ${name}, got one that onnxruntime cannot load: ${got} It may be cut short, keep its weights in another file, or use operators that onnxruntime does not know: export it again.`,
    { expected: 'an ONNX model', got },
    error,
  );
}

/** As a sentence: onnxruntime's messages end in many ways. */
export function textOf(error: unknown): string {
  const text = (error instanceof Error ? error.message : String(error)).trim();
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
