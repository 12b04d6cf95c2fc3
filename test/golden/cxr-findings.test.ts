/** The shipped network, and the engine's way into it and out of it, against the PyTorch that it was trained in. */
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { conceptsFor } from '../../src/cli/finding-concepts.ts';
import { scoresOf } from '../../src/tasks/score-rule.ts';
import { encodePlane } from '../../src/tensor/encode.ts';
import { largestDifference, shippedModel } from './shipped-model.ts';

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

const { manifest, golden, bytesOf, valuesOf, imageOf, load, expectStatedHashes } = shippedModel<Golden>('cxr-findings');

describe('cxr-findings', () => {
  let network: LayersModel;

  beforeAll(async () => {
    network = await load();
  });

  test('every file of the graph has the SHA-256 that the manifest states', () => {
    expectStatedHashes();
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
    const wanted = valuesOf(golden.input);
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
