/**
 * Every kernel on random shapes, on WebGPU in Node (Dawn on SwiftShader), against float64. SwiftShader has subgroups of four and no float16; on
 * Mesa's lavapipe, which has both (subgroups of eight with AVX2): VK_DRIVER_FILES=/usr/share/vulkan/icd.d/lvp_icd.json npx jest test/property/plan-kernels
 */
import fc from 'fast-check';
import { halfToNumber, numberToHalf } from '../../src/runtime/half.ts';
import { dialectFeatures, PLAIN, type Dialect } from '../../src/runtime/kernels/kernel.ts';
import { installWebGPU } from '../../src/runtime/node-webgpu.ts';
import { Plan } from '../../src/runtime/plan/plan.ts';
import { Program } from '../../src/runtime/plan/program.ts';
import { dawnMissing } from '../unit/runtime/dawn.ts';
import { valuesIn } from '../unit/runtime/gpu-values.ts';
import { CASES, DERIVATIVES, fedNetwork, largestError, TOLERANCE, type Case } from './kernel-cases.ts';

jest.mock('webgpu', () => jest.requireActual<typeof import('../unit/runtime/dawn.ts')>('../unit/runtime/dawn.ts').dawn());

const missing = dawnMissing();
if (missing) console.warn(`Skipped: the kernels on WebGPU, since there is ${missing}.`);

/** Half a step of float16, of a value just above a power of two: what a result is rounded by, once, and never more. */
const HALF_STEP = 2 ** -11;
/** Workgroups join sums in these only. */
const REDUCTIONS = ['dense', 'global pooling', 'inner product'];

(missing ? describe.skip : describe)('kernels', () => {
  let device: GPUDevice;
  const told = new Set<string>();

  beforeAll(async () => {
    await installWebGPU();
    const adapter = (await navigator.gpu.requestAdapter())!;
    device = await adapter.requestDevice({ requiredFeatures: dialectFeatures(adapter) });
  });
  afterAll(() => device.destroy());

  function lacks(feature: 'shader-f16' | 'subgroups'): boolean {
    if (device.features.has(feature)) return false;
    if (!told.has(feature)) console.warn(`Skipped: this adapter has no ${feature}.`);
    told.add(feature);
    return true;
  }

  /** Fails where a layer's output is further from float64 than float32 sums are, and in float16 the one rounding. */
  async function check(cases: fc.Arbitrary<Case>, dialect: Dialect, numRuns = 15): Promise<void> {
    await fc.assert(fc.asyncProperty(cases, fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 1e6 }), async (one, batch, seed) => {
      const { network, node, feeds } = fedNetwork(one, batch, seed);
      const half = dialect.precision === 'float16';
      const given = half ? feeds.map(rounded) : feeds;
      device.pushErrorScope('validation');
      const plan = await Plan.make(device, new Program(network, undefined, dialect));
      plan.poison(NaN, batch);
      const got = await valuesIn(device, plan.run(given, batch)[0]!);
      plan.dispose();
      expect((await device.popErrorScope())?.message).toBeUndefined();
      expect(largestError(got, node, one.inputs, given, batch, half ? HALF_STEP : 0)).toBeLessThan(TOLERANCE);
    }), { numRuns });
  }

  test.each(Object.entries({ ...CASES, ...DERIVATIVES }))('%s is what float64 says', async (_, cases) => check(cases, PLAIN));

  test.each(REDUCTIONS)('%s is what float64 says, joined by subgroups', async name => {
    if (!lacks('subgroups')) await check(CASES[name]!, { ...PLAIN, subgroups: true }, 8);
  });

  // What is given is rounded before, so that what is left is the one rounding of the result: sums of 700 products lose nothing else.
  test.each(Object.entries(CASES))('%s is what float64 says, rounded to float16', async (_, cases) => {
    if (lacks('shader-f16')) return;
    await check(cases.map(one => ('kernel' in one.op ? { ...one, op: { ...one.op, kernel: rounded(one.op.kernel) } } : one)), { precision: 'float16', subgroups: device.features.has('subgroups') });
  });
});

function rounded(values: Float32Array): Float32Array {
  return values.map(value => halfToNumber(numberToHalf(value)));
}
