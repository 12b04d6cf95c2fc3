import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import '@tensorflow/tfjs-backend-wasm';
import { setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import type { io } from '@tensorflow/tfjs-core';
import { loadLayersModel, type LayersModel } from '@tensorflow/tfjs-layers';
import { PNG } from 'pngjs';
import { conceptsFor } from '../../src/cli/finding-concepts.ts';
import type { Image } from '../../src/image/image.ts';
import { parseManifest } from '../../src/manifest.ts';
import { scoresOf } from '../../src/tasks/score-rule.ts';
import { encodePlane } from '../../src/tensor/encode.ts';

/** The shipped network, and the engine's way into it and out of it, against the PyTorch that it was trained in. */
const FOLDER = join(__dirname, '../../models/cxr-findings');
const WASM = join(__dirname, '../../node_modules/@tensorflow/tfjs-backend-wasm/dist/');
const MOST_BYTES = 12 * 2 ** 20;

interface Picture {
  readonly file: string;
  readonly logits: readonly number[];
  readonly probabilities: readonly number[];
}
interface Golden {
  readonly pictures: readonly Picture[];
  readonly input: { readonly file: string; readonly of: string; readonly shape: [number, number, number, number]; readonly maxAbsDiff: number };
  readonly logits: { readonly labels: readonly string[]; readonly maxAbsDiff: number };
  readonly sha256: Readonly<Record<string, string>>;
}

const bytesOf = (path: string) => readFileSync(join(FOLDER, path));
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const asBuffer = (bytes: Uint8Array) => new Uint8Array(bytes).buffer;
const manifest = parseManifest(JSON.parse(bytesOf('manifest.json').toString('utf8')), 'models/cxr-findings/manifest.json');
const golden = JSON.parse(bytesOf('golden/golden.json').toString('utf8')) as Golden;

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

/** The two files of a layers model as tfjs wants them. */
async function load(): Promise<LayersModel> {
  const model = JSON.parse(bytesOf('model.json').toString('utf8')) as io.ModelJSON;
  const artifacts = await tf.io.getModelArtifactsForJSON(model, async manifests => [
    manifests.flatMap(m => m.weights),
    asBuffer(Buffer.concat(manifests.flatMap(m => m.paths).map(bytesOf))),
  ]);
  return loadLayersModel(tf.io.fromMemory(artifacts));
}

describe('cxr-findings', () => {
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

  test('takes and gives what the manifest says, within 12 MB of weights', () => {
    expect(network.inputs[0]!.shape).toEqual([null, ...manifest.input.shape]);
    expect(network.outputs[0]!.shape).toEqual([null, manifest.output.targets.length]);
    expect(network.countParams() * 4).toBe(bytesOf('weights.bin').length);
    expect(bytesOf('weights.bin').length).toBeLessThanOrEqual(MOST_BYTES);
  });

  test('the six labels in order, each with its usual code, an operating point and a pair for its calibration', () => {
    const { targets, calibration } = manifest.output;
    const labels = targets.map(target => target.label);
    expect(labels).toEqual(['No Finding', 'Pneumonia', 'Infiltration', 'Atelectasis', 'Effusion', 'Edema']);
    expect(golden.logits.labels).toEqual(labels);
    expect(targets.slice(1).map(target => target.concept)).toEqual(conceptsFor(labels).slice(1));
    expect(targets.every(target => target.operatingPoint !== undefined)).toBe(true);
    expect(calibration?.kind).toBe('platt');
  });

  test('ends in one feature map of all members, its mean and one dense layer, as Grad-CAM needs', () => {
    expect(network.layers.slice(-3).map(layer => layer.getClassName())).toEqual(['Concatenate', 'GlobalAveragePooling2D', 'Dense']);
    expect(network.getLayer('features').outputShape).toEqual([null, 6, 6, 512]);
  });

  test('the engine prepares a picture as the recipe does', async () => {
    const { tensor } = encodePlane(imageOf(golden.input.of), manifest.input);
    expect(tensor.shape).toEqual(golden.input.shape);
    const wanted = new Float32Array(asBuffer(bytesOf(`golden/${golden.input.file}`)));
    expect(largestDifference(await tensor.data(), wanted)).toBeLessThan(golden.input.maxAbsDiff);
    tensor.dispose();
  });

  test.each(golden.pictures.map(picture => [picture.file, picture] as const))('%s to scores, the whole way, agrees with PyTorch', async (file, picture) => {
    const { tensor } = encodePlane(imageOf(file), manifest.input);
    const output = network.predict(tensor) as tf.Tensor;
    const scores = scoresOf(await output.data(), manifest);
    expect(largestDifference(scores.map(score => score.logit), picture.logits)).toBeLessThan(golden.logits.maxAbsDiff);
    expect(largestDifference(scores.map(score => score.probability), picture.probabilities)).toBeLessThan(golden.logits.maxAbsDiff);
    tf.dispose([tensor, output]);
  });

  test('the pictures score differently: a reference that is one number for all would prove nothing', () => {
    const [first, ...others] = golden.pictures;
    for (const other of others) expect(largestDifference(other.logits, first!.logits)).toBeGreaterThan(100 * golden.logits.maxAbsDiff);
  });
});
