import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';

/** A tensor as test/generators/torch-golden.py writes it, NHWC. */
export interface Encoded {
  readonly shape: [number, number, number, number];
  readonly base64: string;
}

/** The backends on which parity is tested in Node; WebGPU has its own runs. */
export const BACKENDS = ['cpu', 'wasm'] as const;

/** The farthest that logits may be from PyTorch's, in parts of the largest of them. */
export const RELATIVE_TOLERANCE = 1e-4;

export async function useBackend(name: (typeof BACKENDS)[number]): Promise<void> {
  setWasmPaths(`${join(__dirname, '../../node_modules/@tensorflow/tfjs-backend-wasm/dist')}/`);
  if (!(await tf.setBackend(name))) throw new Error(`no backend ${name}`);
}

export function goldenBytes(path: string): Uint8Array {
  return new Uint8Array(readFileSync(join(__dirname, path)));
}

export function goldenJson<T>(path: string): T {
  return JSON.parse(readFileSync(join(__dirname, path), 'utf8')) as T;
}

export function decode({ shape, base64 }: Encoded): tf.Tensor4D {
  const bytes = Buffer.from(base64, 'base64');
  return tf.tensor4d(new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)), shape);
}

/** The largest difference, in parts of the largest expected value. */
export async function relativeDifference(got: tf.Tensor, expected: readonly (readonly number[])[]): Promise<number> {
  expect(got.shape).toEqual([expected.length, expected[0]!.length]);
  const values = await got.data();
  const flat = expected.flat();
  const scale = Math.max(...flat.map(Math.abs));
  return Math.max(...flat.map((v, i) => Math.abs(values[i]! - v))) / scale;
}
