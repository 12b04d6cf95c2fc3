import '@tensorflow/tfjs-backend-cpu';
import { mean, ones, setBackend, slice, tensor4d, tidy, zeros, type Tensor } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { buildUNet } from '../../src/architectures/unet.ts';
import { receptiveField, type ReceptiveField } from '../../src/runtime/receptive-field.ts';
import { isOverreadError } from '../../src/errors.ts';
import { networkOf, steps, type Step } from './windowed-networks.ts';

beforeAll(() => setBackend('cpu'));

/** The field, or nothing where the random network leaves nothing of its input or its branches do not meet. */
export function fieldOf(list: readonly Step[], side: number): ReceptiveField | undefined {
  let network;
  try {
    network = networkOf(list, [side, side]);
  } catch {
    return undefined;
  }
  try {
    return receptiveField(network);
  } catch (error) {
    if (isOverreadError(error, 'model/graph')) return undefined;
    throw error;
  } finally {
    network.dispose();
  }
}

test('the inputs that an output reads are those that change it', () => {
  let compared = 0;
  fc.assert(
    fc.property(steps, fc.integer({ min: 18, max: 20 }), (list, side) => {
      const field = fieldOf(list, side);
      fc.pre(field !== undefined);
      const network = networkOf(list, [side, side]);
      // One picture a column, in which that column is bright.
      const changed = tidy(() => {
        const lines = tensor4d(Float32Array.from({ length: side ** 3 }, (_, i) => (i % side === Math.floor(i / side ** 2) ? 1 : 0)), [side, side, side, 1]);
        return mean(network.predict(lines) as Tensor, [1, 3]).arraySync() as number[][];
      });
      network.dispose();
      const { columns } = field!;
      expect(changed[0]).toHaveLength(columns.output);
      for (let output = 0; output < columns.output; output++) {
        const readers = changed.flatMap((outputs, column) => (outputs[output]! > 0 ? [column] : []));
        const [first, last] = columns.reads(output);
        expect(readers.every(column => column >= first && column <= last)).toBe(true);
        // What is not lost at an end reads no padding, and no pixel that was cropped away.
        if (output >= columns.lost.before && output < columns.output - columns.lost.after) {
          expect(first >= 0 && last < side).toBe(true);
          expect([readers[0], readers.at(-1)]).toEqual([first, last]);
          compared++;
        }
        expect(last - first + 1).toBeLessThanOrEqual(columns.size);
      }
    }),
    { numRuns: 25, examples: [[[{ kind: 'crop', before: 0, after: 1 }, { kind: 'spread', size: 3, stride: 1, padding: 'same' }], 18]] },
  );
  expect(compared).toBeGreaterThan(100);
});

test('U-Nets of any depth, width and heads: the field is what changes an output', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 2 }), fc.boolean(), fc.boolean(), (depth, width, skip, edgeHead) => {
      const side = 2 ** depth * 16;
      const network = buildUNet({ inputShape: [side, side], depth, width, skip, edgeHead, weights: 'zeros' });
      const { columns } = receptiveField(network);
      // All weights positive and no bias: no pixel can hide behind another, or behind a ReLU.
      tidy(() => network.setWeights(network.getWeights().map(weight => (weight.rank > 1 ? ones(weight.shape) : zeros(weight.shape)))));
      const at = side / 2;
      const changed = tidy(() => {
        const of = (column: number) => tensor4d(Float32Array.from({ length: side * side }, (_, i) => (i % side === column ? 1 : 0)), [1, side, side, 1]);
        const [first, last] = columns.reads(at);
        return [first - 1, first, last, last + 1].map(column => {
          const y = network.predict(of(column)) as Tensor;
          // Any channel: the edge head reads further than the objects' own.
          return (slice(y, [0, at, at, 0], [1, 1, 1, -1]) as Tensor).dataSync().some(value => value > 0);
        });
      });
      network.dispose();
      expect(changed).toEqual([false, true, true, false]);
    }),
    { numRuns: 6, examples: [[1, 1, false, true]] },
  );
});
