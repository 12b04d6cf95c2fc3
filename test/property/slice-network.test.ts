import '@tensorflow/tfjs-backend-cpu';
import { memory, setBackend, tensor, tidy, type Tensor } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { isOverreadError } from '../../src/errors.ts';
import { receptiveField } from '../../src/runtime/receptive-field.ts';
import { SliceNetwork } from '../../src/runtime/slice-network.ts';
import { volumeNetworkOf, volumeSteps, type VolumeStep } from './volume-networks.ts';

beforeAll(() => setBackend('cpu'));

const side = fc.integer({ min: 6, max: 13 });
const shapes = fc.tuple(side, side, side);

/** The network, or nothing where the random steps leave nothing of the volume or do not meet. */
function networkOf(list: readonly VolumeStep[], shape: readonly [number, number, number], seed: number): LayersModel | undefined {
  let network: LayersModel | undefined;
  try {
    network = volumeNetworkOf(list, shape, seed, 1, true);
    receptiveField(network);
    return network;
  } catch (error) {
    network?.dispose();
    if (isOverreadError(error, 'model/graph') || !network) return undefined;
    throw error;
  }
}

test('slice by slice gives what the whole volume gives at once, and leaves nothing behind', () => {
  let compared = 0;
  fc.assert(
    fc.property(volumeSteps, shapes, fc.integer({ min: 1, max: 10_000 }), (list, shape, seed) => {
      const network = networkOf(list, shape, seed);
      fc.pre(network !== undefined);
      const [slices, rows, columns] = shape;
      const values = Float32Array.from({ length: slices * rows * columns }, (_, i) => Math.sin(i * 1.7 + seed));
      const whole = tidy(() => {
        const y = network!.predict(tensor(values, [1, ...shape, 1])) as Tensor;
        return { shape: y.shape, values: y.dataSync() };
      });
      const before = memory().numTensors;
      const sliced = new SliceNetwork(network!, [...shape, 1]);
      const run = sliced.start(slice => values.subarray(slice * rows * columns, (slice + 1) * rows * columns));
      expect([1, ...sliced.outputShape]).toEqual(whole.shape);
      const size = whole.values.length / sliced.outputShape[0];
      let at = 0;
      let largest = 0;
      for (let y = run.next(() => at % 2 === 1); y; y = run.next(() => at % 3 === 1)) {
        if (y === 'paused') continue;
        y.dataSync().forEach((value, i) => (largest = Math.max(largest, Math.abs(value - whole.values[at * size + i]!))));
        y.dispose();
        at++;
      }
      expect(at).toBe(sliced.outputShape[0]);
      expect(largest).toBeLessThan(1e-5);
      expect(sliced.memory().slices).toBe(run.mostBytes);
      run.dispose();
      sliced.dispose();
      expect(memory().numTensors).toBe(before);
      network!.dispose();
      compared++;
    }),
    { numRuns: 40 },
  );
  expect(compared).toBe(40);
});

test('the slices, rows and columns that an output reads are those that change it', () => {
  let compared = 0;
  fc.assert(
    fc.property(volumeSteps, fc.tuple(fc.integer({ min: 8, max: 11 }), fc.integer({ min: 8, max: 11 }), fc.integer({ min: 8, max: 11 })), fc.integer({ min: 1, max: 10_000 }), (list, shape, seed) => {
      const network = networkOf(list, shape, seed);
      fc.pre(network !== undefined);
      const field = receptiveField(network!);
      const axes = [field.slices!, field.rows, field.columns];
      const count = shape[0] * shape[1] * shape[2];
      const base = Float32Array.from({ length: count }, (_, i) => Math.sin(i * 2.3 + seed));
      const place = shape.map(length => Math.floor(length / 2));
      const changed = base.slice();
      changed[(place[0]! * shape[1] + place[1]!) * shape[2] + place[2]!]! += 3;
      const of = (values: Float32Array) => (network!.predict(tensor(values, [1, ...shape, 1])) as Tensor);
      const [a, b, out] = tidy(() => {
        const y = of(base);
        return [y.dataSync(), of(changed).dataSync(), y.shape.slice(1, -1)] as const;
      });
      const channels = a.length / out.reduce((product, length) => product * length, 1);
      for (let i = 0; i < a.length; i++) {
        if (a[i] === b[i]) continue;
        const pixel = Math.floor(i / channels);
        const index = [Math.floor(pixel / (out[1]! * out[2]!)), Math.floor(pixel / out[2]!) % out[1]!, pixel % out[2]!];
        for (const [axis, of] of axes.entries()) {
          const [first, last] = of.reads(index[axis]!);
          expect(place[axis]! >= first && place[axis]! <= last).toBe(true);
        }
        compared++;
      }
      network!.dispose();
    }),
    { numRuns: 15 },
  );
  expect(compared).toBeGreaterThan(200);
});
