import type { DeviceDescription } from '../results/result.ts';
import type { Backend } from './types.ts';

/** A tfjs backend that stands, with what tfjs itself does not watch: GPU errors, loss, limits. */
export interface Device {
  readonly description: DeviceDescription;
  /** Bytes that one tensor may have, and the name of the limit that says so. */
  readonly maxTensor: { readonly bytes: number; readonly limit: string };
  /** Bytes that one model may take of the device; none where nobody said so. */
  readonly budget?: number | undefined;
  /** Of what stands between us and the device (`versionsHere`): what was found out about it under other ones has to be found out again. */
  readonly versions?: string | undefined;
  /** Resolves, with the reason, when the device is gone; never when it was closed by us. */
  readonly lost: Promise<string>;
  /** Says what broke the device for good (an error outside a run, its loss); undefined while it is sound. */
  broken(): string | undefined;
  /**
   * Runs a piece of GPU work to its end with error scopes around it.
   * @throws OverreadError `device/gpu-error`, `device/lost`
   */
  guard<T>(work: () => Promise<T>): Promise<T>;
  /** Compiles the shaders of a dry run in parallel; absent where there is nothing to compile. */
  compile?(dryRun: () => void): Promise<void>;
  /** Takes the device away under tfjs, as a driver reset would: for tests. */
  lose(): void;
  /**
   * Frees the device. Its backend stays registered, broken, until another one is opened in its place: without any,
   * tfjs would silently start the next best for whoever makes a tensor in between.
   */
  retire(): void;
  /** Frees the device and takes the backend out of tfjs. */
  close(): void;
}

/** Opens one kind of device, or says in a few words why there is none. */
export type Opener = (reason: string) => Promise<Device | Refusal>;

export interface Refusal {
  readonly refused: string;
}

export const BACKEND_NAMES: Readonly<Record<Backend, string>> = {
  webgpu: 'WebGPU',
  webgl: 'WebGL',
  wasm: 'WebAssembly',
  cpu: 'plain JavaScript',
};

const SOFTWARE = /swiftshader|llvmpipe|lavapipe|softpipe|software|basic render|\bwarp\b/i;

/** True for the names of software rasterisers: a DenseNet takes 16 s there and 0.2 s on wasm. */
export function isSoftwareName(name: string): boolean {
  return SOFTWARE.test(name);
}

/** A promise that never settles, for devices that cannot be lost. */
export const NEVER: Promise<never> = new Promise(() => {});
