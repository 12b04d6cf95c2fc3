import { readPyTorch } from './pytorch.ts';
import { readSafetensors } from './safetensors.ts';
import type { StateDict } from './state-dict.ts';

/**
 * Reads a checkpoint of either kind, told apart by content, since names are not to be trusted.
 * @param where the file's name, for messages
 * @throws OverreadError `input/truncated`, `model/checkpoint`
 */
export function readCheckpoint(bytes: Uint8Array, where: string): StateDict {
  // Eight bytes of length, the upper four zero in any file of ours, then the header's brace. Zip and pickle differ there.
  const safetensors = bytes[8] === 0x7b && bytes.subarray(4, 8).every(byte => byte === 0) && !(bytes[0] === 0x50 && bytes[1] === 0x4b);
  return safetensors || where.endsWith('.safetensors') ? readSafetensors(bytes, where) : readPyTorch(bytes, where);
}
