import '@tensorflow/tfjs-backend-cpu';
import { dispose, setBackend, tensor4d } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import type { ModelManifest } from '../../../src/manifest.ts';
import { MAX_PROBABILITY_BYTES, nearestStop, stopsOf } from '../../../src/results/probability-planes.ts';
import type { LabelmapResult } from '../../../src/results/result.ts';
import { rethreshold, thresholdsOf } from '../../../src/results/rethreshold.ts';
import { probabilityCoder } from '../../../src/tasks/probability-code.ts';
import { segment } from '../../../src/tasks/segment.ts';
import { picture, tinyManifest } from '../runtime/tiny.ts';

beforeAll(() => setBackend('cpu'));

const SIDE = 8;
type Output = Partial<ModelManifest['output']>;
const target = (label: string, operatingPoint?: number) => ({ label, concept: { codeValue: '1', codingSchemeDesignator: '99TEST', codeMeaning: label }, ...(operatingPoint !== undefined && { operatingPoint }) });
const manifest = (output: Output) => tinyManifest('tiny-bright', m => ({ ...m, input: { ...m.input, shape: [SIDE, SIDE, 1] }, output: { ...m.output, ...output } }));

/** What `segment` makes of a network's output of SIDE × SIDE. */
async function decoded(values: readonly number[], output: Output, spacingMm?: [number, number]): Promise<LabelmapResult> {
  const m = manifest(output);
  const pictures = [{ image: picture(SIDE, SIDE, x => x, spacingMm && { spacingMm }) }];
  const encoded = segment.encode(pictures, m);
  const given = tensor4d(Float32Array.from(values), [1, SIDE, SIDE, values.length / SIDE / SIDE]);
  const finding = await segment.decode([given], encoded, pictures, m);
  dispose([...encoded.inputs, given]);
  return finding as LabelmapResult;
}

const plane = (channels: number, value: fc.Arbitrary<number>) => fc.array(value, { minLength: SIDE * SIDE * channels, maxLength: SIDE * SIDE * channels });
const logits = fc.double({ min: -6, max: 6, noNaN: true });
const stop = fc.constantFrom(...stopsOf(0.5));

test('stops are every half percent, and the operating point', () => {
  expect(stopsOf(0.5)).toHaveLength(199);
  expect([stopsOf(0.5)[0], stopsOf(0.5).at(-1)]).toEqual([0.005, 0.995]);
  expect(stopsOf(0.1234)).toHaveLength(200);
  expect(stopsOf(0.1234).slice(23, 26)).toEqual([0.12, 0.1234, 0.125]);
  expect(nearestStop(stopsOf(0.1234), 0.1236)).toBe(0.1234);
});

describe('one target: moved to a threshold is what the manifest would have given with it', () => {
  test.each<[string, number, fc.Arbitrary<number>, Output]>([
    ['sigmoid of logits', 1, logits, { activation: 'sigmoid', gives: 'logits' }],
    ['sigmoid of probabilities', 1, fc.double({ min: 0, max: 1, noNaN: true }), { activation: 'sigmoid', gives: 'probability' }],
  ])('%s', async (_, channels, value, output) => {
    await fc.assert(fc.asyncProperty(plane(channels, value), stop, fc.constantFrom(0.5, 0.1234, 0.75), async (values, moved, point) => {
      const from = await decoded(values, { ...output, targets: [target('a', point)] });
      const to = await decoded(values, { ...output, targets: [target('a', moved)] });
      const again = rethreshold(from, [moved]);
      expect(again.labels).toEqual(to.labels);
      expect(again.segments.map(({ pixels }) => pixels)).toEqual(to.segments.map(({ pixels }) => pixels));
      expect(again.segments[0]!.threshold).toBe(moved);
      // And back.
      expect(rethreshold(again, [point]).labels).toBe(from.labels);
    }), { numRuns: 40 });
  });

  test('softmax over background and a target, from a half upwards', async () => {
    await fc.assert(fc.asyncProperty(plane(2, logits), fc.constantFrom(...stopsOf(0.5).filter(s => s > 0.5)), async (values, moved) => {
      const from = await decoded(values, { activation: 'softmax', gives: 'logits', targets: [target('a')] });
      const to = await decoded(values, { activation: 'softmax', gives: 'logits', targets: [target('a', moved)] });
      expect(thresholdsOf(from)).toEqual([0.5]);
      expect(rethreshold(from, [moved]).labels).toEqual(to.labels);
    }), { numRuns: 40 });
  });
});

test('largest components are kept at every threshold', async () => {
  const values = Array.from({ length: SIDE * SIDE }, (_, i) => (i === 0 ? 3 : i % SIDE > 3 ? 1 : -3));
  const output: Output = { activation: 'sigmoid', gives: 'logits', targets: [target('a', 0.5)], keepLargestComponents: 1 };
  const from = await decoded(values, output);
  expect(from.segments[0]!.pixels).toBe(32);
  expect(rethreshold(from, [0.9]).segments[0]!.pixels).toBe(1);
  expect(rethreshold(from, [0.2]).segments[0]!.pixels).toBe(32);
});

test('of several targets each has its own threshold; the one further above has the pixel', async () => {
  const output: Output = { activation: 'sigmoid', gives: 'logits', targets: [target('a', 0.5), target('b', 0.3)] };
  const values = Array.from({ length: SIDE * SIDE }, (_, i) => (i < 32 ? [2, 1] : [-2, -3])).flat();
  const from = await decoded(values, output, [0.5, 0.5]);
  // a: 2 − 0; b: 1 + 0.85.
  expect(from.segments.map(s => [s.pixels, s.areaMm2, s.threshold])).toEqual([[32, 8, 0.5], [0, 0, 0.3]]);
  expect(rethreshold(from, [0.7, 0.3]).segments.map(s => s.pixels)).toEqual([0, 32]);
  expect(rethreshold(from, [0.1, 0.3]).segments.map(s => s.pixels)).toEqual([64, 0]);
  expect(rethreshold(from, [0.9, 0.9]).segments.map(s => s.pixels)).toEqual([0, 0]);
  expect(rethreshold(from, [0.5, 0.3]).labels).toBe(from.labels);
});

describe('no probabilities are kept', () => {
  test('of a softmax over several targets: no threshold decides there', async () => {
    const from = await decoded(Array.from({ length: 3 * SIDE * SIDE }, (_, i) => i % 3), { activation: 'softmax', gives: 'logits', targets: [target('a'), target('b')] });
    expect(from.probabilities).toBeUndefined();
    expect(from.segments[0]).not.toHaveProperty('threshold');
    expect(rethreshold(from, [0.3, 0.3])).toBe(from);
    expect(thresholdsOf(from)).toBeUndefined();
  });

  test('where they would be too large', () => {
    const two = manifest({ targets: [target('a'), target('b')] });
    expect(probabilityCoder(two, MAX_PROBABILITY_BYTES / 2)).toBeDefined();
    expect(probabilityCoder(two, MAX_PROBABILITY_BYTES / 2 + 1)).toBeUndefined();
  });
});
