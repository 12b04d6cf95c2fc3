import type { InferenceInput, Made } from './contract.ts';

/** Where the maker page left a network: `/made/<network>/`. */
export async function madeFile(network: string, file: string): Promise<ArrayBuffer> {
  const response = await fetch(`/made/${network}/${file}`);
  if (!response.ok) throw new Error(`/made/${network}/${file} answers ${response.status}.`);
  return response.arrayBuffer();
}

export async function madeDescription(network: string): Promise<Made> {
  return JSON.parse(new TextDecoder().decode(await madeFile(network, 'made.json'))) as Made;
}

/** The same numbers for every engine: uniform in -1..1, from a fixed seed, [rows, columns, channels]. */
export function inputOf({ shape }: Made): InferenceInput {
  const [rows, columns, channels] = shape;
  const data = new Float32Array(rows * columns * channels);
  let state = 7;
  for (let i = 0; i < data.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    data[i] = (state / 4294967296) * 2 - 1;
  }
  return { data, rows, columns, channels };
}

/**
 * As many wasm threads as our engine gets (src/runtime/wasm.ts asks for half the cores, 2 to 8, and tfjs gives half the
 * cores at most), so that engines are compared and not their settings.
 */
export const WASM_THREADS = Math.max(1, Math.min(8, Math.floor(navigator.hardwareConcurrency / 2)));
