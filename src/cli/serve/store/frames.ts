import { OverreadError } from '../../../errors.ts';
import type { InstanceStore, StoredInstance } from './instance-store.ts';

export function numberOfFrames({ pixels }: StoredInstance): number {
  if (!pixels) return 0;
  return pixels.kind === 'native' ? pixels.frames : pixels.frames.length;
}

/**
 * One frame in its stored transfer syntax.
 * @param frame from 1
 * @throws OverreadError `input/no-pixels`, or `store/invalid` for a frame that is not there
 */
export async function readFrame(store: InstanceStore, instance: StoredInstance, frame: number): Promise<Uint8Array> {
  const { pixels } = instance;
  if (!pixels) throw new OverreadError('input/no-pixels', `The instance ${instance.sopInstanceUID} has no pixel data.`);
  const count = numberOfFrames(instance);
  if (!Number.isInteger(frame) || frame < 1 || frame > count) {
    throw new OverreadError('store/invalid', `Expected a frame from 1 to ${count}, got ${frame}.`, { expected: count, got: frame });
  }
  if (pixels.kind === 'encapsulated') {
    const parts = await Promise.all(pixels.frames[frame - 1]!.map((range) => store.read(instance, range)));
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  }
  const firstBit = (frame - 1) * pixels.bitsPerFrame;
  const firstByte = Math.floor(firstBit / 8);
  const lastByte = Math.ceil((firstBit + pixels.bitsPerFrame) / 8);
  const bytes = await store.read(instance, [pixels.offset + firstByte, lastByte - firstByte]);
  return firstBit % 8 === 0 && pixels.bitsPerFrame % 8 === 0 ? bytes : bitsFrom(bytes, firstBit % 8, pixels.bitsPerFrame);
}

/** One-bit frames follow each other without padding, lowest bit first (PS3.5 8.1.1); a frame on its own starts at a byte. */
function bitsFrom(bytes: Uint8Array, shift: number, bits: number): Uint8Array {
  const out = new Uint8Array(Math.ceil(bits / 8));
  for (let i = 0; i < out.length; i++) out[i] = (bytes[i]! >> shift) | ((bytes[i + 1] ?? 0) << (8 - shift));
  const rest = bits % 8;
  if (rest) out[out.length - 1]! &= (1 << rest) - 1;
  return out;
}
