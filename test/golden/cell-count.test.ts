/** The shipped counter, and the engine's way in and out of it, against the PyTorch that it was trained in. */
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { PNG } from 'pngjs';
import type { Image } from '../../src/image/image.ts';
import { countedPoints } from '../../src/results/counted.ts';
import { findPeaks } from '../../src/results/density-peaks.ts';
import { receptiveField } from '../../src/runtime/receptive-field.ts';
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
  readonly output: Tensor4File;
  /** By class. */
  readonly counts: Readonly<Record<string, number>>;
  readonly markers: readonly (readonly [x: number, y: number, label: string, confidence: number])[];
  readonly sha256: Readonly<Record<string, string>>;
}

const { manifest, golden, bytesOf, valuesOf, load, expectStatedHashes } = shippedModel<Golden>('cell-count');
const [ROWS, COLUMNS] = manifest.input.shape as [number, number, number];
const { targets } = manifest.output;
const counting = manifest.output.counting!;

function goldenPicture(): Image {
  const { width, height, data } = PNG.sync.read(bytesOf(`golden/${golden.picture.file}`));
  const pixels = new Float32Array(width * height * 3);
  for (let i = 0; i < width * height; i++) for (let c = 0; c < 3; c++) pixels[3 * i + c] = data[4 * i + c]!;
  return { pixels, representableRange: [0, 255], sources: [{ file: golden.picture.file }], modality: 'OT', shape: [width, height, 1], channels: 3, attributes: {} };
}

/** The part of an output over the picture, as the engine has it: [classes, rows, columns], cells a pixel, none below 0. */
function densityOf(values: Float32Array, columns: number, rows: number): Float32Array {
  const density = new Float32Array(targets.length * rows * columns);
  for (let c = 0, i = 0; c < targets.length; c++) {
    for (let y = 0; y < rows; y++) for (let x = 0; x < columns; x++, i++) density[i] = Math.max(0, values[(y * COLUMNS + x) * targets.length + c]!) / counting.unitSum;
  }
  return density;
}

describe('cell-count', () => {
  let network: LayersModel;

  beforeAll(async () => {
    network = await load();
  });

  test('every file of the graph and of the golden set has its SHA-256, within 6 MB of weights', () => {
    expectStatedHashes();
    expect(network.countParams() * 4).toBe(bytesOf('weights.bin').length);
    expect(bytesOf('weights.bin').length).toBeLessThanOrEqual(6e6);
  });

  test('gives a density a class for each pixel, from a field that leaves most of a tile to use', () => {
    expect(network.outputs[0]!.shape).toEqual([null, ROWS, COLUMNS, targets.length]);
    const { rows } = receptiveField(network);
    expect(rows.alignment).toBeLessThanOrEqual(16);
    expect(rows.lost.before + rows.lost.after).toBeLessThan(ROWS / 2);
  });

  test('the engine normalises a picture as the recipe does', async () => {
    const image = goldenPicture();
    const [columns, rows] = image.shape;
    const { tensor } = encodePlane(image, { ...manifest.input, shape: [rows, columns, 3], fit: 'stretch' });
    const got = await tensor.data();
    const wanted = valuesOf(golden.input);
    const cut = new Float32Array(got.length);
    for (let y = 0; y < rows; y++) cut.set(wanted.subarray(y * COLUMNS * 3, (y * COLUMNS + columns) * 3), y * columns * 3);
    expect(largestDifference(got, cut)).toBeLessThan(golden.input.maxAbsDiff);
    tensor.dispose();
  });

  test('densities, counts and markers agree with PyTorch', async () => {
    const input = tf.tensor4d(valuesOf(golden.input), golden.input.shape);
    const output = network.predict(input) as tf.Tensor;
    const values = (await output.data()) as Float32Array;
    tf.dispose([input, output]);
    expect(largestDifference(values, valuesOf(golden.output))).toBeLessThan(golden.output.maxAbsDiff);

    const image = goldenPicture();
    const [columns, rows] = image.shape;
    const density = densityOf(values, columns, rows);
    const sums = targets.map((_, c) => density.subarray(c * rows * columns, (c + 1) * rows * columns).reduce((sum, value) => sum + value, 0));
    const points = countedPoints(image, { targets, sums, candidates: findPeaks(density, targets.length, columns, rows, counting), interval: counting.interval });
    for (const { target, count } of points.classes) expect([target.label, count]).toEqual([target.label, expect.closeTo(golden.counts[target.label]!, 1)]);
    const found = Array.from(points.classOf, (c, i) => [Math.round(points.coordinates[2 * i]!), Math.round(points.coordinates[2 * i + 1]!), targets[c]!.label].join(' '));
    const wanted = golden.markers.map(([x, y, label]) => [x, y, label].join(' '));
    // A reference that finds next to nothing would prove nothing.
    expect(wanted.length).toBeGreaterThan(40);
    // A maximum halfway between two pixels may round to either of them.
    expect(wanted.filter(marker => found.includes(marker)).length).toBeGreaterThanOrEqual(0.95 * wanted.length);
    expect(found.length).toBe(wanted.length);
  });
});
