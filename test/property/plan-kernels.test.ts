/** Every kernel on random shapes, on WebGPU in Node (Dawn on SwiftShader), against float64. */
import fc from 'fast-check';
import { installWebGPU } from '../../src/runtime/node-webgpu.ts';
import { Plan } from '../../src/runtime/plan/plan.ts';
import { Program } from '../../src/runtime/plan/program.ts';
import { dawnMissing } from '../unit/runtime/dawn.ts';
import { valuesIn } from '../unit/runtime/gpu-values.ts';
import { CASES, DERIVATIVES, fedNetwork, largestError, TOLERANCE } from './kernel-cases.ts';

jest.mock('webgpu', () => jest.requireActual<typeof import('../unit/runtime/dawn.ts')>('../unit/runtime/dawn.ts').dawn());

const missing = dawnMissing();
if (missing) console.warn(`Skipped: the kernels on WebGPU, since there is ${missing}.`);

(missing ? describe.skip : describe)('kernels', () => {
  let device: GPUDevice;

  beforeAll(async () => {
    await installWebGPU();
    device = await (await navigator.gpu.requestAdapter())!.requestDevice();
  });
  afterAll(() => device.destroy());

  test.each(Object.entries({ ...CASES, ...DERIVATIVES }))('%s is what float64 says', async (_, cases) => {
    await fc.assert(fc.asyncProperty(cases, fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 1e6 }), async (one, batch, seed) => {
      const { network, node, feeds } = fedNetwork(one, batch, seed);
      device.pushErrorScope('validation');
      const plan = await Plan.make(device, new Program(network));
      plan.poison(NaN, batch);
      const got = await valuesIn(device, plan.run(feeds, batch)[0]!);
      plan.dispose();
      expect((await device.popErrorScope())?.message).toBeUndefined();
      expect(largestError(got, node, one.inputs, feeds, batch)).toBeLessThan(TOLERANCE);
    }), { numRuns: 15 });
  });
});
