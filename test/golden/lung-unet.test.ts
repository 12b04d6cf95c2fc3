/** The shipped network, and the engine's way in and out of it, against the PyTorch that it was trained in. */
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { dice } from '../../src/metrics/dice.ts';
import { overlap } from '../../src/metrics/overlap.ts';
import { segment } from '../../src/tasks/segment.ts';
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
  readonly mask: { readonly file: string; readonly pixels: number; readonly minDice: number };
  readonly sha256: Readonly<Record<string, string>>;
}

const { manifest, golden, bytesOf, valuesOf, greyOf, imageOf, load, expectStatedHashes } = shippedModel<Golden>('lung-unet');

describe('lung-unet', () => {
  let network: LayersModel;

  beforeAll(async () => {
    network = await load();
  });

  test('every file of the graph has the SHA-256 that the manifest states', () => {
    expectStatedHashes();
  });

  test('takes and gives what the manifest says, within 4 MB of weights', () => {
    expect(network.inputs[0]!.shape).toEqual([null, ...manifest.input.shape]);
    expect(network.outputs[0]!.shape).toEqual([null, ...manifest.input.shape.slice(0, 2), manifest.output.targets.length]);
    expect(network.countParams() * 4).toBe(bytesOf('weights.bin').length);
    expect(bytesOf('weights.bin').length).toBeLessThanOrEqual(4e6);
  });

  test('the engine prepares a picture as the recipe does', async () => {
    const [tensor] = segment.encode([{ image: imageOf(golden.picture.file) }], manifest).inputs as [tf.Tensor];
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
    const image = imageOf(golden.picture.file);
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
