/** What run.mjs calls in each page; every engine's page puts one on `window.bench`. */
export interface Bench {
  /** From scripts and model bytes in memory to the first output: opens the device, loads, compiles, runs once. */
  cold(network: string, backend: 'webgpu' | 'wasm'): Promise<Cold>;
  /** One run: input from the CPU's memory, output back in it. @returns milliseconds */
  warm(): Promise<number>;
}

export interface Cold {
  readonly ms: number;
  /** As NHWC. */
  readonly output: readonly number[];
  /** What the engine runs on, in its words. */
  readonly device: string;
}

/** A network that the maker page has written. */
export interface Made {
  readonly name: string;
  /** [rows, columns, channels] */
  readonly shape: readonly [number, number, number];
  readonly parameters: number;
}

export interface InferenceInput {
  readonly data: Float32Array;
  readonly rows: number;
  readonly columns: number;
  readonly channels: number;
}

declare global {
  interface Window {
    bench: Bench;
    make(network: string, size?: number): Promise<Made>;
  }
}
