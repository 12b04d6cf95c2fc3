import type { Ceilings } from '../ceilings.ts';

/** What run.mjs calls in each page; every engine's page puts one on `window.bench`. */
export interface Bench {
  /** From scripts and model bytes in memory to the first output: opens the device, loads, compiles, runs once. */
  cold(network: string, backend: 'webgpu' | 'wasm'): Promise<Cold>;
  /** One run, of a whole batch, or a whole stream of inputs: from the CPU's memory, output back in it. @returns milliseconds */
  warm(): Promise<number>;
}

export interface Cold {
  readonly ms: number;
  /** Of the last input of a stream; channels last. */
  readonly output: readonly number[];
  /** What the engine runs on, in its words. */
  readonly device: string;
}

/** A network that the maker page has written. */
export interface Made {
  readonly name: string;
  /** [rows, columns, channels], of volumes [slices, rows, columns, channels] */
  readonly shape: readonly number[];
  readonly batch: number;
  readonly stream: number;
  readonly parameters: number;
  /** Multiply-adds of a run. */
  readonly multiplications: number;
}

export interface InferenceInput {
  readonly data: Float32Array;
  /** [batch, …, channels] */
  readonly shape: readonly number[];
  /** How often it goes in, one after the other. */
  readonly stream: number;
}

declare global {
  interface Window {
    bench: Bench;
    make(network: string, size?: number | 'small'): Promise<Made>;
    ceilings(): Promise<Ceilings>;
  }
}
