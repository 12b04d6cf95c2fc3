import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import '@tensorflow/tfjs-backend-wasm';
import { setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import type { io } from '@tensorflow/tfjs-core';
import { loadLayersModel, type LayersModel } from '@tensorflow/tfjs-layers';
import { parseManifest } from '../../src/manifest.ts';

/** The shipped network against the PyTorch network that it was exported from, on a generated picture. */
const FOLDER = join(__dirname, '../../models/lung-unet');
const WASM = join(__dirname, '../../node_modules/@tensorflow/tfjs-backend-wasm/dist/');

interface GoldenFile {
  readonly file: string;
  readonly shape: [number, number, number, number];
  readonly sha256: string;
}
interface Golden {
  readonly input: GoldenFile;
  readonly logits: GoldenFile;
  readonly maxAbsDiff: number;
}

const bytesOf = (path: string) => readFileSync(join(FOLDER, path));
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const asBuffer = (bytes: Uint8Array) => new Uint8Array(bytes).buffer;
const manifest = parseManifest(JSON.parse(bytesOf('manifest.json').toString('utf8')), 'models/lung-unet/manifest.json');
const golden = JSON.parse(bytesOf('golden/golden.json').toString('utf8')) as Golden;

/** The two files of a layers model as tfjs wants them. */
async function load(): Promise<LayersModel> {
  const model = JSON.parse(bytesOf('model.json').toString('utf8')) as io.ModelJSON;
  const artifacts = await tf.io.getModelArtifactsForJSON(model, async manifests => [
    manifests.flatMap(m => m.weights),
    asBuffer(Buffer.concat(manifests.flatMap(m => m.paths).map(bytesOf))),
  ]);
  return loadLayersModel(tf.io.fromMemory(artifacts));
}

describe('lung-unet', () => {
  let network: LayersModel;

  beforeAll(async () => {
    setWasmPaths(WASM);
    setThreadsCount(1);
    await tf.setBackend('wasm');
    network = await load();
  });

  test('every file of the graph has the SHA-256 that the manifest states', () => {
    const paths = Object.keys(manifest.graph.sha256);
    expect(paths.sort()).toEqual(['model.json', 'weights.bin']);
    for (const path of paths) expect([path, sha256(bytesOf(path))]).toEqual([path, manifest.graph.sha256[path]]);
    for (const { file, sha256: wanted } of [golden.input, golden.logits]) {
      expect([file, sha256(bytesOf(`golden/${file}`))]).toEqual([file, wanted]);
    }
  });

  test('takes and gives what the manifest says, within 4 MB of weights', () => {
    expect(network.inputs[0]!.shape).toEqual([null, ...manifest.input.shape]);
    expect(network.outputs[0]!.shape).toEqual([null, ...manifest.input.shape.slice(0, 2), manifest.output.targets.length]);
    expect(network.countParams() * 4).toBe(bytesOf('weights.bin').length);
    expect(bytesOf('weights.bin').length).toBeLessThanOrEqual(4e6);
  });

  test('logits agree with PyTorch within the stated difference, and masks with them', async () => {
    const values = ({ file }: GoldenFile) => new Float32Array(asBuffer(bytesOf(`golden/${file}`)));
    const input = tf.tensor4d(values(golden.input), golden.input.shape);
    const output = network.predict(input) as tf.Tensor;
    const got = await output.data();
    const wanted = values(golden.logits);
    expect(output.shape).toEqual(golden.logits.shape);
    let largest = 0;
    let inside = 0;
    for (let i = 0; i < wanted.length; i++) {
      largest = Math.max(largest, Math.abs(got[i]! - wanted[i]!));
      if (wanted[i]! >= 0) inside++;
    }
    expect(largest).toBeLessThan(golden.maxAbsDiff);
    // The picture has two "lungs": a reference that finds none would prove little.
    expect(inside / wanted.length).toBeGreaterThan(0.05);
    tf.dispose([input, output]);
  });
});
