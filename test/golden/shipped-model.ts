/** What the tests of the models that are shipped share: a folder of `models/`, its files, its network on wasm. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import '@tensorflow/tfjs-backend-wasm';
import { setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import type { io } from '@tensorflow/tfjs-core';
import { loadLayersModel, type LayersModel } from '@tensorflow/tfjs-layers';
import { PNG } from 'pngjs';
import type { Image } from '../../src/image/image.ts';
import { parseManifest, type ModelManifest } from '../../src/manifest.ts';

const WASM = join(__dirname, '../../node_modules/@tensorflow/tfjs-backend-wasm/dist/');

/** A model's folder; G is its golden/golden.json, which states a SHA-256 for each golden file. */
export interface ShippedModel<G> {
  readonly manifest: ModelManifest;
  readonly golden: G;
  bytesOf(path: string): Buffer;
  /** float32 values of a golden file. */
  valuesOf(tensor: { readonly file: string }): Float32Array;
  /** The grey values of a golden PNG (pngjs gives RGBA). */
  greyOf(file: string): { readonly values: Uint8Array; readonly columns: number; readonly rows: number };
  /** A golden PNG as the engine reads a grey picture of 8 bits. */
  imageOf(file: string): Image;
  /** The network on wasm, one thread. */
  load(): Promise<LayersModel>;
  expectStatedHashes(): void;
}

export function shippedModel<G extends { readonly sha256: Readonly<Record<string, string>> }>(id: string): ShippedModel<G> {
  const folder = join(__dirname, '../../models', id);
  const bytesOf = (path: string) => readFileSync(join(folder, path));
  const jsonOf = (path: string) => JSON.parse(bytesOf(path).toString('utf8')) as unknown;
  const manifest = parseManifest(jsonOf('manifest.json'), `models/${id}/manifest.json`);
  const golden = jsonOf('golden/golden.json') as G;
  const greyOf = (file: string) => {
    const { width, height, data } = PNG.sync.read(bytesOf(`golden/${file}`));
    return { values: Uint8Array.from({ length: width * height }, (_, i) => data[4 * i]!), columns: width, rows: height };
  };
  return {
    manifest, golden, bytesOf, greyOf,
    valuesOf: ({ file }) => new Float32Array(asBuffer(bytesOf(`golden/${file}`))),

    imageOf(file) {
      const { values, columns, rows } = greyOf(file);
      return {
        pixels: Float32Array.from(values), representableRange: [0, 255], sources: [{ file }], modality: 'OT',
        shape: [columns, rows, 1], channels: 1, attributes: {},
      };
    },

    async load() {
      setWasmPaths(WASM);
      setThreadsCount(1);
      await tf.setBackend('wasm');
      const artifacts = await tf.io.getModelArtifactsForJSON(jsonOf('model.json') as io.ModelJSON, async manifests => [
        manifests.flatMap(m => m.weights),
        asBuffer(Buffer.concat(manifests.flatMap(m => m.paths).map(bytesOf))),
      ]);
      return loadLayersModel(tf.io.fromMemory(artifacts));
    },

    expectStatedHashes() {
      expect(Object.keys(manifest.graph.sha256).sort()).toEqual(['model.json', 'weights.bin']);
      for (const [path, wanted] of Object.entries(manifest.graph.sha256)) expect([path, sha256(bytesOf(path))]).toEqual([path, wanted]);
      for (const [path, wanted] of Object.entries(golden.sha256)) expect([path, sha256(bytesOf(`golden/${path}`))]).toEqual([path, wanted]);
    },
  };
}

export function largestDifference(got: ArrayLike<number>, wanted: ArrayLike<number>): number {
  expect(got.length).toBe(wanted.length);
  let largest = 0;
  for (let i = 0; i < wanted.length; i++) largest = Math.max(largest, Math.abs(got[i]! - wanted[i]!));
  return largest;
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
/** Of its own: a Buffer's may be a part of a larger one. */
const asBuffer = (bytes: Uint8Array) => new Uint8Array(bytes).buffer;
