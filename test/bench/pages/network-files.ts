import { benchInput } from '../networks.ts';
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

/** The same numbers for every engine. */
export function inputOf({ shape, batch, stream }: Made): InferenceInput {
  const whole = [batch, ...shape];
  return { data: benchInput(whole.reduce((product, side) => product * side, 1)), shape: whole, stream };
}

/**
 * As many wasm threads as our engine gets (src/runtime/wasm.ts asks for half the cores, 2 to 8, and tfjs gives half the
 * cores at most), so that engines are compared and not their settings.
 */
export const WASM_THREADS = Math.max(1, Math.min(8, Math.floor(navigator.hardwareConcurrency / 2)));
