/** The shipped gate, and the engine's way into it, against the PyTorch that it was trained in. */
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Image } from '../../src/image/image.ts';
import type { View } from '../../src/image/view.ts';
import { verdictOf, type Judgement } from '../../src/tasks/gate.ts';
import { scoresOf } from '../../src/tasks/score-rule.ts';
import { encodePlane } from '../../src/tensor/encode.ts';
import { largestDifference, shippedModel } from './shipped-model.ts';

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

const { manifest, golden, bytesOf, valuesOf, imageOf, load, expectStatedHashes } = shippedModel<Golden>('cxr-view');
const labels = manifest.output.targets.map(({ label }) => label);

describe('cxr-view', () => {
  let network: LayersModel;

  beforeAll(async () => {
    network = await load();
  });

  test('every file has the SHA-256 that is stated', () => {
    expectStatedHashes();
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
