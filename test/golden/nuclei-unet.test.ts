/** The shipped network, and the engine's way in and out of it, against the PyTorch that it was trained in. */
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { PNG } from 'pngjs';
import type { Image } from '../../src/image/image.ts';
import { instanceRuleOf, splitInstances } from '../../src/results/instances.ts';
import { receptiveField } from '../../src/runtime/receptive-field.ts';
import { labelSource } from '../../src/tasks/segment.ts';
import { encodePlane } from '../../src/tensor/encode.ts';
import { largestDifference, shippedModel } from './shipped-model.ts';

interface Tensor4File {
  readonly file: string;
  readonly shape: [number, number, number, number];
  readonly maxAbsDiff: number;
}
interface Golden {
  readonly picture: { readonly file: string };
  readonly input: Tensor4File;
  readonly logits: Tensor4File;
  readonly labels: { readonly file: string; readonly nucleus: number; readonly border: number; readonly minAgreement: number };
  readonly objects: { readonly file: string; readonly count: number };
  readonly sha256: Readonly<Record<string, string>>;
}

const { manifest, golden, bytesOf, greyOf, valuesOf, load, expectStatedHashes } = shippedModel<Golden>('nuclei-unet');
const [ROWS, COLUMNS] = manifest.input.shape as [number, number, number];

/** The golden picture, gone on by its last column and row to the network's size as a tile is. */
function goldenTile(): { image: Image; columns: number; rows: number } {
  const { width, height, data } = PNG.sync.read(bytesOf(`golden/${golden.picture.file}`));
  const pixels = new Float32Array(width * height * 3);
  for (let i = 0; i < width * height; i++) for (let c = 0; c < 3; c++) pixels[3 * i + c] = data[4 * i + c]!;
  return {
    image: { pixels, representableRange: [0, 255], sources: [{ file: golden.picture.file }], modality: 'OT', shape: [width, height, 1], channels: 3, attributes: {} },
    columns: width,
    rows: height,
  };
}

describe('nuclei-unet', () => {
  let network: LayersModel;

  beforeAll(async () => {
    network = await load();
  });

  test('every file of the graph and of the golden set has its SHA-256, within 6 MB of weights', () => {
    expectStatedHashes();
    expect(network.countParams() * 4).toBe(bytesOf('weights.bin').length);
    expect(bytesOf('weights.bin').length).toBeLessThanOrEqual(6e6);
  });

  test('gives a nucleus and a border for each pixel, from a field that leaves most of a tile to use', () => {
    expect(network.outputs[0]!.shape).toEqual([null, ROWS, COLUMNS, manifest.output.targets.length]);
    const { rows } = receptiveField(network);
    expect(rows.alignment).toBeLessThanOrEqual(16);
    expect(rows.lost.before + rows.lost.after).toBeLessThan(ROWS / 2);
  });

  test('the engine normalises a picture as the recipe does', async () => {
    const { image, rows, columns } = goldenTile();
    const { tensor } = encodePlane(image, { ...manifest.input, shape: [rows, columns, 3], fit: 'stretch' });
    const got = await tensor.data();
    const wanted = valuesOf(golden.input);
    const cut = new Float32Array(got.length);
    for (let y = 0; y < rows; y++) cut.set(wanted.subarray(y * COLUMNS * 3, (y * COLUMNS + columns) * 3), y * columns * 3);
    expect(largestDifference(got, cut)).toBeLessThan(golden.input.maxAbsDiff);
    tensor.dispose();
  });

  test('logits and labels agree with PyTorch', async () => {
    const input = tf.tensor4d(valuesOf(golden.input), golden.input.shape);
    const output = network.predict(input) as tf.Tensor;
    const values = (await output.data()) as Float32Array;
    expect(largestDifference(values, valuesOf(golden.logits))).toBeLessThan(golden.logits.maxAbsDiff);

    const placement = { scale: [1, 1], offset: [0, 0], inputSize: [COLUMNS, ROWS], sourceSize: [COLUMNS, ROWS] } as const;
    const labels = labelSource(values, { rows: ROWS, columns: COLUMNS, channels: 2 }, placement, manifest);
    const { width, height, data } = PNG.sync.read(bytesOf(`golden/${golden.labels.file}`));
    let same = 0;
    for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) same += Number(labels[y * COLUMNS + x] === data[4 * (y * width + x)]);
    // A reference that finds next to nothing would prove nothing.
    expect(golden.labels.nucleus / (width * height)).toBeGreaterThan(0.05);
    expect(golden.labels.border / (width * height)).toBeGreaterThan(0.01);
    expect(same / (width * height)).toBeGreaterThanOrEqual(golden.labels.minAgreement);
    tf.dispose([input, output]);
  });

  test('the labels fall into the objects of the recipe', () => {
    const { values: labels, columns } = greyOf(golden.labels.file);
    const wanted = Array.from(greyOf(golden.objects.file).values);
    const numbers = new Map([[0, 0]]);
    for (const object of wanted) if (!numbers.has(object)) numbers.set(object, numbers.size);
    const { labels: objects, count } = splitInstances(labels, columns, instanceRuleOf(manifest)!);
    expect(count).toBe(golden.objects.count);
    expect(Array.from(objects)).toEqual(wanted.map(object => numbers.get(object)));
  });
});
