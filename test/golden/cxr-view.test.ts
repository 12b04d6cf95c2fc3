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
import type { View } from '../../src/image/view.ts';
import { parseManifest } from '../../src/manifest.ts';
import { verdictOf, type Judgement } from '../../src/tasks/gate.ts';
import { scoresOf } from '../../src/tasks/score-rule.ts';
import { encodePlane } from '../../src/tensor/encode.ts';

/** The shipped gate, and the engine's way into it, against the PyTorch that it was trained in. */
const FOLDER = join(__dirname, '../../models/cxr-view');
const WASM = join(__dirname, '../../node_modules/@tensorflow/tfjs-backend-wasm/dist/');

interface TensorFile {
  readonly file: string;
  readonly shape: number[];
  readonly maxAbsDiff: number;
}
interface Golden {
  readonly pictures: readonly { readonly file: string; readonly rows: number; readonly columns: number; readonly shows: string }[];
  readonly input: TensorFile;
  readonly distance: TensorFile;
  readonly logits: TensorFile;
  readonly sha256: Readonly<Record<string, string>>;
}

const bytesOf = (path: string) => readFileSync(join(FOLDER, path));
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const asBuffer = (bytes: Uint8Array) => new Uint8Array(bytes).buffer;
const valuesOf = ({ file }: TensorFile) => new Float32Array(asBuffer(bytesOf(`golden/${file}`)));
const manifest = parseManifest(JSON.parse(bytesOf('manifest.json').toString('utf8')), 'models/cxr-view/manifest.json');
const golden = JSON.parse(bytesOf('golden/golden.json').toString('utf8')) as Golden;
const labels = manifest.output.targets.map(({ label }) => label);

function imageOf(file: string): Image {
  const png = PNG.sync.read(bytesOf(`golden/${file}`));
  return {
    pixels: Float32Array.from({ length: png.width * png.height }, (_, i) => png.data[4 * i]!),
    representableRange: [0, 255],
    sources: [{ file }],
    modality: 'OT',
    shape: [png.width, png.height, 1],
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

async function load(): Promise<LayersModel> {
  const model = JSON.parse(bytesOf('model.json').toString('utf8')) as io.ModelJSON;
  const artifacts = await tf.io.getModelArtifactsForJSON(model, async manifests => [
    manifests.flatMap(m => m.weights),
    asBuffer(Buffer.concat(manifests.flatMap(m => m.paths).map(bytesOf))),
  ]);
  return loadLayersModel(tf.io.fromMemory(artifacts));
}

describe('cxr-view', () => {
  let network: LayersModel;

  beforeAll(async () => {
    setWasmPaths(WASM);
    setThreadsCount(1);
    await tf.setBackend('wasm');
    network = await load();
  });

  test('every file has the SHA-256 that is stated', () => {
    expect(Object.keys(manifest.graph.sha256).sort()).toEqual(['model.json', 'weights.bin']);
    for (const [path, wanted] of Object.entries(manifest.graph.sha256)) expect([path, sha256(bytesOf(path))]).toEqual([path, wanted]);
    for (const [path, wanted] of Object.entries(golden.sha256)) expect([path, sha256(bytesOf(`golden/${path}`))]).toEqual([path, wanted]);
  });

  test('takes and gives what the manifest says, the distance before the logits, within 3 MB of weights', () => {
    expect(network.inputs.map(({ shape }) => shape)).toEqual([[null, ...manifest.input.shape]]);
    expect(network.outputs.map(({ shape }) => shape)).toEqual([[null, 1], [null, labels.length]]);
    expect(network.countParams() * 4).toBe(bytesOf('weights.bin').length);
    expect(bytesOf('weights.bin').length).toBeLessThanOrEqual(3e6);
    const { frontal, lateral, faults } = manifest.gate!;
    expect([frontal, lateral, ...Object.keys(faults)]).toEqual(labels);
  });

  test('the engine prepares pictures as the recipe does', async () => {
    const size = golden.input.shape.slice(1).reduce((a, b) => a * b);
    const wanted = valuesOf(golden.input);
    for (const [i, { file }] of golden.pictures.entries()) {
      const { tensor } = encodePlane(imageOf(file), manifest.input);
      expect(largestDifference(await tensor.data(), wanted.subarray(i * size, (i + 1) * size))).toBeLessThan(golden.input.maxAbsDiff);
      tensor.dispose();
    }
  });

  test('distance and logits agree with PyTorch', async () => {
    const input = tf.tensor4d(valuesOf(golden.input), golden.input.shape as [number, number, number, number]);
    const [distance, logits] = network.predict(input) as [tf.Tensor, tf.Tensor];
    expect(largestDifference(await distance.data(), valuesOf(golden.distance))).toBeLessThan(golden.distance.maxAbsDiff);
    expect(largestDifference(await logits.data(), valuesOf(golden.logits))).toBeLessThan(golden.logits.maxAbsDiff);
    tf.dispose([input, distance, logits]);
  });

  test('picture to verdict, the whole way: a generated frontal passes; a lateral, faults and a brain do not', async () => {
    const reasons: Record<string, RegExp | undefined> = {
      'Frontal': undefined,
      'Lateral': /^lateral view where a frontal one is read: probability/,
      'Inverted': /^inverted grey scale: probability/,
      'Rotated': /^rotated picture: probability/,
      'Not a chest radiograph': /^not a chest radiograph: probability/,
    };
    expect(golden.pictures.map(({ shows }) => shows).sort()).toEqual(Object.keys(reasons).sort());
    for (const { file, shows } of golden.pictures) {
      const { verdict, view } = await judged(imageOf(file));
      expect([file, verdict.refused]).toEqual([file, shows !== 'Frontal']);
      expect([file, view]).toEqual([file, shows === 'Frontal' ? 'PA' : shows === 'Lateral' ? 'L' : undefined]);
      if (verdict.refused) expect(verdict.reason).toMatch(reasons[shows]!);
    }
  });

  test('a generated lateral passes where laterals are read too', async () => {
    const { verdict } = await judged(imageOf('lateral.png'), ['PA', 'L']);
    expect(verdict.refused).toBe(false);
  });

  test('an all-black picture is no chest radiograph', async () => {
    const black: Image = { ...imageOf('frontal.png'), pixels: new Float32Array(40 * 50), shape: [40, 50, 1] };
    expect((await judged(black)).verdict.reason).toMatch(/^not a chest radiograph: probability/);
  });

  /** As a model that reads `expected` would hear it. */
  async function judged(image: Image, expected: readonly View[] = ['PA']): Promise<Judgement> {
    const { tensor } = encodePlane(image, manifest.input);
    const [distance, logits] = network.predict(tensor) as [tf.Tensor, tf.Tensor];
    const probabilities = Object.fromEntries(scoresOf(await logits.data(), manifest).map(({ target, probability }) => [target.label, probability]));
    const judgement = verdictOf(manifest.gate!, probabilities, (await distance.data())[0]!, expected);
    tf.dispose([tensor, distance, logits]);
    return judgement;
  }
});
