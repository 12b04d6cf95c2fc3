/** The shipped network, and the engine's way into it, against the PyTorch that it was trained in. */
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import type { View } from '../../src/image/view.ts';
import { featureMap } from '../../src/runtime/layer-graph.ts';
import { fusionAnswer, fusionInputs } from '../../src/tasks/fusion.ts';
import { encodePlane } from '../../src/tensor/encode.ts';
import { largestDifference, shippedModel } from './shipped-model.ts';

const VIEWS = ['PA', 'L'] as const;
const CASES = { both: VIEWS, 'PA only': ['PA'], 'L only': ['L'] } as const satisfies Record<string, readonly View[]>;

type Answer = { readonly fused: readonly number[] } & { readonly [V in View]?: readonly number[] };
interface Patient {
  readonly seed: number;
  readonly PA: string;
  readonly L: string;
  readonly logits: Readonly<Record<keyof typeof CASES, Answer>>;
}
interface Golden {
  readonly patients: readonly Patient[];
  readonly input: { readonly file: string; readonly maxAbsDiff: number };
  readonly logits: { readonly maxAbsDiff: number };
  readonly sha256: Readonly<Record<string, string>>;
}

const { manifest, golden, bytesOf, valuesOf, imageOf, load, expectStatedHashes } = shippedModel<Golden>('phantom-chest-fusion');

const inputOf = (file: string) => encodePlane(imageOf(file), manifest.input).tensor as tf.Tensor4D;

describe('phantom-chest-fusion', () => {
  let network: LayersModel;

  beforeAll(async () => {
    network = await load();
  });

  test('every file of the graph has the SHA-256 that the manifest states', () => {
    expectStatedHashes();
  });

  test('takes two views and gives what the manifest says, within 6 MB of weights', () => {
    expect(network.inputs.slice(0, 2).map(({ shape }) => shape)).toEqual([[null, ...manifest.input.shape], [null, ...manifest.input.shape]]);
    for (const { shape } of network.outputs) expect(shape).toEqual([null, manifest.output.targets.length]);
    expect(network.outputs).toHaveLength(manifest.input.fusion === 'auxloss' ? 3 : 1);
    expect(network.countParams() * 4).toBe(bytesOf('weights.bin').length);
    expect(bytesOf('weights.bin').length).toBeLessThanOrEqual(6e6);
  });

  test('says that it is for no patient', () => {
    expect(manifest.notice).toBe('Demonstration on generated phantoms. Not for real patients, not for diagnosis.');
    expect(bytesOf('README.md').toString('utf8')).toContain('Not for real patients');
  });

  test('the last feature map is fine enough to point at a finding', () => {
    const [PA, L] = network.inputs as [SymbolicTensor, SymbolicTensor];
    for (const pictures of [{ asked: PA, others: [L] }, { asked: L, others: [PA] }]) {
      const [, rows, columns] = featureMap(network.outputs[0]!, pictures).shape;
      expect([rows, columns]).toEqual([16, 16]);
    }
  });

  test('the engine prepares both views as the recipe does', async () => {
    const [first] = golden.patients;
    const tensors = VIEWS.map(view => inputOf(first![view]));
    const both = tf.concat(tensors, 0);
    const wanted = valuesOf(golden.input);
    expect(largestDifference(await both.data(), wanted)).toBeLessThan(golden.input.maxAbsDiff);
    tf.dispose([both, ...tensors]);
  });

  test.each(golden.patients.flatMap(patient => Object.keys(CASES).map(which => [patient.seed, which as keyof typeof CASES, patient] as const)))(
    'films of seed %i with %s to logits, the whole way, agree with PyTorch', async (_, which, patient) => {
      const used = CASES[which];
      const kind = manifest.input.fusion!;
      const given = Object.fromEntries(used.map(view => [view, inputOf(patient[view])]));
      const inputs = fusionInputs(kind, given);
      const outputs = [network.predict(inputs) as tf.Tensor | tf.Tensor[]].flat();
      const answer = fusionAnswer(kind, used, await Promise.all(outputs.map(async output => (await output.data()) as Float32Array)));
      tf.dispose([inputs, outputs, given]);
      expect(largestDifference(answer.fused, patient.logits[which].fused)).toBeLessThan(golden.logits.maxAbsDiff);
      // A view alone is the view with the other one missing.
      for (const view of used) expect(largestDifference(answer.alone[view]!, patient.logits[`${view} only`].fused)).toBeLessThan(golden.logits.maxAbsDiff);
    });

  test('the patients and the views score differently: a reference that is one number for all would prove nothing', () => {
    const [first, second] = golden.patients;
    expect(largestDifference(first!.logits.both.fused, second!.logits.both.fused)).toBeGreaterThan(100 * golden.logits.maxAbsDiff);
    expect(largestDifference(first!.logits['PA only'].fused, first!.logits.both.fused)).toBeGreaterThan(100 * golden.logits.maxAbsDiff);
  });
});
