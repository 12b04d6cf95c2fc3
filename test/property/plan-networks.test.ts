/** Plans of random networks, on WebGPU in Node (Dawn on SwiftShader), against tfjs on plain JavaScript. */
import '@tensorflow/tfjs-backend-cpu';
import { setBackend, tensor, tidy, type Tensor } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { installWebGPU } from '../../src/runtime/node-webgpu.ts';
import { fused } from '../../src/runtime/plan/fuse.ts';
import { fromLayers } from '../../src/runtime/plan/from-layers.ts';
import { Plan } from '../../src/runtime/plan/plan.ts';
import { Program } from '../../src/runtime/plan/program.ts';
import { dawnMissing } from '../unit/runtime/dawn.ts';
import { valuesIn } from '../unit/runtime/gpu-values.ts';
import { networkOf, steps } from './windowed-networks.ts';

jest.mock('webgpu', () => jest.requireActual<typeof import('../unit/runtime/dawn.ts')>('../unit/runtime/dawn.ts').dawn());

const missing = dawnMissing();
if (missing) console.warn(`Skipped: plans on WebGPU, since there is ${missing}.`);

(missing ? describe.skip : describe)('plans of networks', () => {
  let device: GPUDevice;

  beforeAll(async () => {
    await installWebGPU();
    device = await (await navigator.gpu.requestAdapter())!.requestDevice();
    await setBackend('cpu');
  });
  afterAll(() => device.destroy());

  test('random ones give what tfjs gives', async () => {
    let compared = 0;
    await fc.assert(fc.asyncProperty(steps, fc.integer({ min: 6, max: 17 }), fc.integer({ min: 6, max: 17 }), fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 10_000 }), async (list, rows, columns, channels, batch, seed) => {
      let network: LayersModel | undefined;
      try {
        network = networkOf(list, [rows, columns], seed, channels);
      } catch {
        // The random steps leave nothing of the image, or do not meet.
      }
      fc.pre(network !== undefined);
      // A layer may leave nothing and a later one, that pads, still give values: of a picture of no pixels they say nothing.
      if (network!.layers.some(layer => [layer.outputShape].flat(2).some(side => side !== null && side < 1))) {
        await expect(fromLayers(network!)).rejects.toThrow(/leaves nothing/);
        fc.pre(false);
      }
      const values = Float32Array.from({ length: batch * rows * columns * channels }, (_, i) => Math.sin(i * 1.7 + seed));
      const wanted = tidy(() => (network!.predict(tensor(values, [batch, rows, columns, channels])) as Tensor).dataSync() as Float32Array);
      const plan = await Plan.make(device, new Program(fused(await fromLayers(network!))));
      plan.poison(NaN, batch);
      const got = await valuesIn(device, plan.run([values], batch)[0]!);
      plan.dispose();
      network!.dispose();
      expect(got.length).toBe(wanted.length);
      const most = wanted.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1e-3);
      expect(got.reduce((largest, value, i) => Math.max(largest, Math.abs(value - wanted[i]!)), 0) / most).toBeLessThan(1e-5);
      compared++;
    }), { numRuns: 40 });
    expect(compared).toBe(40);
  });
});
