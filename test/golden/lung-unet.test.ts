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
import { parseManifest } from '../../src/manifest.ts';
import { dice } from '../../src/metrics/dice.ts';
import { overlap } from '../../src/metrics/overlap.ts';
import { segment } from '../../src/tasks/segment.ts';

/** The shipped network, and the engine's way in and out of it, against the PyTorch that it was trained in. */
const FOLDER = join(__dirname, '../../models/lung-unet');
const WASM = join(__dirname, '../../node_modules/@tensorflow/tfjs-backend-wasm/dist/');

interface Tensor4File {
  readonly file: string;
  readonly shape: [number, number, number, number];
  readonly maxAbsDiff: number;
}
interface Golden {
  readonly picture: { readonly file: string };
  readonly input: Tensor4File;
  readonly logits: Tensor4File;
  readonly mask: { readonly file: string; readonly pixels: number; readonly minDice: number };
  readonly sha256: Readonly<Record<string, string>>;
}

const bytesOf = (path: string) => readFileSync(join(FOLDER, path));
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const asBuffer = (bytes: Uint8Array) => new Uint8Array(bytes).buffer;
const valuesOf = ({ file }: Tensor4File) => new Float32Array(asBuffer(bytesOf(`golden/${file}`)));
const manifest = parseManifest(JSON.parse(bytesOf('manifest.json').toString('utf8')), 'models/lung-unet/manifest.json');
const golden = JSON.parse(bytesOf('golden/golden.json').toString('utf8')) as Golden;

/** The grey values of a golden PNG (pngjs gives RGBA). */
function greyOf(file: string): { values: Uint8Array; columns: number; rows: number } {
  const png = PNG.sync.read(bytesOf(`golden/${file}`));
  return { values: Uint8Array.from({ length: png.width * png.height }, (_, i) => png.data[4 * i]!), columns: png.width, rows: png.height };
}

function goldenImage(): Image {
  const { values, columns, rows } = greyOf(golden.picture.file);
  return {
    pixels: Float32Array.from(values),
    representableRange: [0, 255],
    sources: [{ file: golden.picture.file }],
    modality: 'OT',
    shape: [columns, rows, 1],
    channels: 1,
    attributes: {},
  };
}

function largestDifference(got: ArrayLike<number>, wanted: ArrayLike<number>): number {
  expect(got.length).toBe(wanted.length);
  let largest = 0;
  for (let i = 0; i < wanted.length; i++) largest = Math.max(largest, Math.abs(got[i]! - wanted[i]!));
  return largest;
}

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
    for (const [path, wanted] of Object.entries(golden.sha256)) {
      expect([path, sha256(bytesOf(`golden/${path}`))]).toEqual([path, wanted]);
    }
  });

  test('takes and gives what the manifest says, within 4 MB of weights', () => {
    expect(network.inputs[0]!.shape).toEqual([null, ...manifest.input.shape]);
    expect(network.outputs[0]!.shape).toEqual([null, ...manifest.input.shape.slice(0, 2), manifest.output.targets.length]);
    expect(network.countParams() * 4).toBe(bytesOf('weights.bin').length);
    expect(bytesOf('weights.bin').length).toBeLessThanOrEqual(4e6);
  });

  test('the engine prepares a picture as the recipe does', async () => {
    const [tensor] = segment.encode([{ image: goldenImage() }], manifest).inputs as [tf.Tensor];
    expect(tensor.shape).toEqual(golden.input.shape);
    expect(largestDifference(await tensor.data(), valuesOf(golden.input))).toBeLessThan(golden.input.maxAbsDiff);
    tensor.dispose();
  });

  test('logits agree with PyTorch', async () => {
    const input = tf.tensor4d(valuesOf(golden.input), golden.input.shape);
    const output = network.predict(input) as tf.Tensor;
    expect(output.shape).toEqual(golden.logits.shape);
    expect(largestDifference(await output.data(), valuesOf(golden.logits))).toBeLessThan(golden.logits.maxAbsDiff);
    tf.dispose([input, output]);
  });

  test('picture to mask, the whole way, agrees with the recipe', async () => {
    const image = goldenImage();
    const encoded = segment.encode([{ image }], manifest);
    const output = network.predict([...encoded.inputs]) as tf.Tensor;
    const { labels } = await segment.decode([output], encoded, [{ image }], manifest);
    const wanted = greyOf(golden.mask.file).values.map(v => (v > 0 ? 1 : 0));
    // A reference that finds next to nothing would prove nothing.
    expect(golden.mask.pixels / labels.length).toBeGreaterThan(0.05);
    expect(dice(overlap(labels, wanted))).toBeGreaterThanOrEqual(golden.mask.minDice);
    tf.dispose([...encoded.inputs, output]);
  });
});
