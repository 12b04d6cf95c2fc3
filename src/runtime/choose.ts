import { OverreadError } from '../errors.ts';
import { BACKEND_NAMES, type Device, type Opener, type Refusal } from './device.ts';
import type { Backend, RuntimeOptions } from './types.ts';

/** Best first. Plain JavaScript is never taken unless it is asked for by name. */
const ORDER: readonly Backend[] = ['webgpu', 'webgl', 'wasm'];

export type Openers = Readonly<Record<Backend, Opener>>;

/** The openers of tfjs's backends; each is imported when it is first tried. */
export function tfjsOpeners(options: RuntimeOptions): Openers {
  return {
    webgpu: async reason => (await import('./webgpu.ts')).openWebGPU(options, reason),
    webgl: async reason => (await import('./webgl.ts')).openWebGL(options, reason),
    wasm: async reason => (await import('./wasm.ts')).openWasm(options, reason),
    cpu: async reason => (await import('./wasm.ts')).openCpu(reason),
  };
}

export interface Choice {
  readonly device: Device;
  /** Opens the same backend again, after a loss. */
  readonly reopen: () => Promise<Device>;
}

/**
 * Opens the backend that was asked for, or the best real device: WebGPU, WebGL, then wasm.
 * @throws OverreadError `device/unavailable`, with why each one was not taken
 */
export async function chooseDevice(options: RuntimeOptions, openers: Openers): Promise<Choice> {
  const candidates = options.backend ? [options.backend] : ORDER;
  const refusals: string[] = [];
  for (const backend of candidates) {
    const reason = reasonFor(backend, options, refusals);
    const outcome = await attempt(openers[backend], reason);
    if (!('refused' in outcome)) return { device: outcome, reopen: () => reopen(openers[backend], backend, reason) };
    refusals.push(`${BACKEND_NAMES[backend]}: ${outcome.refused}`);
  }
  throw unavailable(options.backend ? BACKEND_NAMES[options.backend] : 'WebGPU, WebGL or WebAssembly', refusals);
}

async function reopen(opener: Opener, backend: Backend, reason: string): Promise<Device> {
  const outcome = await attempt(opener, reason);
  if ('refused' in outcome) throw unavailable(`${BACKEND_NAMES[backend]}, again after it failed`, [outcome.refused]);
  return outcome;
}

async function attempt(opener: Opener, reason: string): Promise<Device | Refusal> {
  try {
    return await opener(reason);
  } catch (error) {
    return { refused: error instanceof Error ? error.message : String(error) };
  }
}

function reasonFor(backend: Backend, options: RuntimeOptions, refusals: readonly string[]): string {
  if (options.backend) return `${BACKEND_NAMES[backend]} was asked for`;
  return refusals.length ? refusals.join('; ') : `${BACKEND_NAMES[backend]} is the fastest`;
}

function unavailable(expected: string, refusals: readonly string[]): OverreadError {
  return new OverreadError(
    'device/unavailable',
    `Expected ${expected}, got none (${refusals.join('; ')}). Choose another backend, ` +
      'or turn on hardware acceleration; a software adapter counts only when it is allowed.',
    { expected, got: refusals },
  );
}
