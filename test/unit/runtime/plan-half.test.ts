/**
 * Plans in float16. That their shaders are sound and their memory is half is seen without a GPU (on Dawn's null device, which compiles and computes nothing);
 * the rest needs `shader-f16`, which SwiftShader has not: VK_DRIVER_FILES=/usr/share/vulkan/icd.d/lvp_icd.json npx jest test/unit/runtime/plan-half
 */
import { createHash } from 'node:crypto';
import '@tensorflow/tfjs-backend-cpu';
import { setBackend, tensor4d, type Tensor } from '@tensorflow/tfjs-core';
import { initializers, input, layers as tfl, model as modelOf, type LayersModel } from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { layersFiles } from '../../../src/architectures/layers-files.ts';
import { dialectFeatures, LARGEST_HALF, PLAIN, type Dialect } from '../../../src/runtime/kernels/kernel.ts';
import { fromLayers } from '../../../src/runtime/plan/from-layers.ts';
import { fused } from '../../../src/runtime/plan/fuse.ts';
import { testHalf } from '../../../src/runtime/plan/half-test.ts';
import { memoryOf, Plan } from '../../../src/runtime/plan/plan.ts';
import { Program } from '../../../src/runtime/plan/program.ts';
import { deviceOfTfjs, planOf } from '../../../src/runtime/plan/tfjs-plan.ts';
import type { TfjsRuntime } from '../../../src/runtime/runtime.ts';
import type { ModelFiles } from '../../../src/runtime/types.ts';
import { CASES, fedNetwork } from '../../property/kernel-cases.ts';
import { dawn, dawnMissing } from './dawn.ts';
import { noise, valuesIn } from './gpu-values.ts';
import { onWebGPU } from './on-webgpu.ts';
import { asBytes, tinyManifest } from './tiny.ts';

jest.mock('webgpu', () => jest.requireActual<typeof import('./dawn.ts')>('./dawn.ts').dawn());

const HALF: Dialect = { precision: 'float16', subgroups: false };
const missing = dawnMissing();
if (missing) console.warn(`Skipped: float16 on WebGPU in Node, since there is ${missing}.`);

const SIDE = 32;

function constant(name: string, kernelSize: number, weight: number, bias: number) {
  return tfl.conv2d({ filters: 1, kernelSize, padding: 'same', name, kernelInitializer: initializers.constant({ value: weight }), biasInitializer: initializers.constant({ value: bias }) });
}

/** The sum of each pixel's 9 × 9 neighbours times `weight`, then scaled down again. */
function sumNetwork(weight: number): LayersModel {
  const x = input({ shape: [SIDE, SIDE, 1] });
  const sum = constant('sum', 9, weight, 0).apply(x) as typeof x;
  // A pool takes the sums as they are stored: an activation alone would be a part of the convolution, in 32 bits.
  const pooled = tfl.maxPooling2d({ poolSize: 1, strides: 1 }).apply(sum) as typeof x;
  return modelOf({ inputs: x, outputs: constant('scaled', 1, 1 / weight / 81, -0.7).apply(tfl.reLU({}).apply(pooled)) as typeof x });
}

async function filesOf(network: LayersModel): Promise<ModelFiles> {
  const files = new Map(await layersFiles(network));
  const sha256 = Object.fromEntries([...files].map(([path, bytes]) => [path, createHash('sha256').update(bytes).digest('hex')]));
  files.set('manifest.json', asBytes(tinyManifest('tiny-bright', m => ({ ...m, graph: { url: 'model.json', format: 'layers', sha256, precision: 'float16-allowed' } }))));
  return { location: 'sums', read: async path => files.get(path)! };
}

describe('without a GPU', () => {
  beforeAll(() => setBackend('cpu'));

  test('tensors and kernels of layers take half the memory, inputs and outputs as much as before', async () => {
    const x = input({ shape: [16, 16, 4] });
    const layer = (of: typeof x) => tfl.conv2d({ filters: 32, kernelSize: 3, padding: 'same', useBias: false }).apply(of) as typeof x;
    const network = modelOf({ inputs: x, outputs: layer(layer(x)) });
    const forward = fused(await fromLayers(network));
    const [full, half] = [memoryOf(new Program(forward), 2), memoryOf(new Program(forward, undefined, HALF), 2)];
    expect(half.arena).toBe(full.arena / 2);
    expect(half.rest).toBe(full.rest + 4);
    // The bias of either layer and the lanes of the output stay, 256 bytes each.
    expect(half.weights - 3 * 256).toBe((full.weights - 3 * 256) / 2);
    // What float16 just takes is no budget for float32.
    const device = { limits: { maxBufferSize: 2 ** 28, maxStorageBufferBindingSize: 2 ** 27 } } as GPUDevice;
    const [budget, needed] = [HALF, PLAIN].map(dialect => memoryOf(new Program(forward, undefined, dialect), 1)).map(({ weights, arena, rest }) => weights + arena + rest);
    await expect(Plan.make(device, new Program(forward), budget)).rejects.toMatchObject({ needed, budget });
    network.dispose();
  });

  test('a weight beyond float16 is refused by name', async () => {
    const network = sumNetwork(LARGEST_HALF + 100);
    const forward = fused(await fromLayers(network));
    expect(() => new Program(forward, undefined, HALF)).toThrow(/^sum has a weight of 6\.56e\+4, which is beyond float16$/);
    network.dispose();
  });
});

(missing ? describe.skip : describe)('on the null device', () => {
  /** Dawn goes with its last reference, whatever is still under way. */
  let gpu: GPU;
  let device: GPUDevice;

  beforeAll(async () => {
    const { create, globals } = dawn();
    Object.assign(globalThis, globals);
    gpu = create(['backend=null']);
    const adapter = (await gpu.requestAdapter())!;
    device = await adapter.requestDevice({ requiredFeatures: dialectFeatures(adapter) });
  });
  afterAll(() => {
    device.destroy();
    expect(gpu).toBeDefined();
  });

  test.each<[string, Dialect]>([['float16', HALF], ['float16 and subgroups', { ...HALF, subgroups: true }], ['subgroups', { ...PLAIN, subgroups: true }]])('all kernels are sound in %s', async (_, dialect) => {
    for (const [name, cases] of Object.entries(CASES)) {
      device.pushErrorScope('validation');
      for (const one of fc.sample(cases, { numRuns: 3, seed: 5 })) {
        const { network, feeds } = fedNetwork(one, 2, 1);
        const plan = await Plan.make(device, new Program(network, undefined, dialect));
        plan.run(feeds, 2);
        plan.dispose();
      }
      expect([name, (await device.popErrorScope())?.message]).toEqual([name, undefined]);
    }
  });
});

(missing ? describe.skip : describe)('a model that allows float16', () => {
  let runtime: TfjsRuntime;
  onWebGPU(made => (runtime = made), () => runtime);

  const isHere = () => deviceOfTfjs().features.has('shader-f16');
  const told = () => console.warn('Skipped: this adapter has no shader-f16.');

  /** What the sums give of an even picture, in its middle. */
  async function middleOf(files: ModelFiles, values: readonly number[]) {
    const model = await runtime.load(files);
    const given: number[] = [];
    const reasons: string[] = [];
    for (const value of values) {
      const x = tensor4d(new Float32Array(SIDE * SIDE).fill(value), [1, SIDE, SIDE, 1]);
      const [y] = await model.predict([x]);
      given.push(((await y!.data()) as Float32Array)[SIDE * SIDE / 2 + SIDE / 2]!);
      reasons.push(model.device!.reason);
      x.dispose();
      y!.dispose();
    }
    model.dispose();
    return { given, reasons };
  }

  test('is computed in it where the device can, and says how far that is from float32; else in float32, and says why', async () => {
    const network = sumNetwork(3);
    const { given, reasons } = await middleOf(await filesOf(network), [1, 0.8]);
    network.dispose();
    expect(given[0]).toBeCloseTo(0.3, 2);
    expect(given[1]).toBeCloseTo(0.1, 2);
    for (const reason of reasons) expect(reason).toMatch(isHere() ? /plan of 6 kernels in float16, \d\S* of the largest output from float32$/ : /plan of 6 kernels in float32, not in float16 since the device has no shader-f16$/);
  });

  test('a value beyond it is seen, even where a later layer hides it; float32 takes over and says so', async () => {
    if (!isHere()) return told();
    // Noise sums up to some 45,000, a white picture to 89,100.
    const network = sumNetwork(1100);
    const { given, reasons } = await middleOf(await filesOf(network), [0.5, 1, 0.5]);
    expect(given[0]).toBeCloseTo(-0.2, 2);
    expect(given[1]).toBeCloseTo(0.3, 4);
    expect(given[2]).toBeCloseTo(-0.2, 5);
    expect(reasons[0]).toMatch(/in float16/);
    for (const reason of reasons.slice(1)) expect(reason).toMatch(/in float32, not in float16 since a value was beyond it$/);

    const plan = await planOf(network, { precision: 'float16' });
    // Sums of -89,100 are nothing behind the ReLU, in either precision: they count all the same.
    for (const [value, beyond] of [[1, true], [0.5, false], [-1, true], [0, false]] as const) {
      plan.poison(7);
      const [values] = await plan.values([new Float32Array(SIDE * SIDE).fill(value)]);
      expect([value, values!.every(Number.isNaN), values!.every(Number.isFinite)]).toEqual([value, beyond, !beyond]);
    }
    plan.dispose();
    network.dispose();
  });

  test('whose outputs are further from float32 than a hundredth is not computed in it', async () => {
    if (!isHere()) return told();
    const x = input({ shape: [8, 8, 1] });
    // At 2,000 steps are 1.
    const network = modelOf({ inputs: x, outputs: constant('down', 1, 1, -2000).apply(tfl.reLU({}).apply(constant('up', 1, 1, 2000).apply(x))) as typeof x });
    const outcome = await testHalf('a network that cancels', [-1, 1], precision => planOf(network, { precision }));
    expect(outcome).toEqual({ fault: expect.stringMatching(/^its outputs differ from float32's by 0\.\d+ of the largest$/) as string });
    network.dispose();
  });

  test('random networks are near tfjs in it', async () => {
    if (!isHere()) return told();
    const x = input({ shape: [17, 15, 3] });
    const seeded = (seed: number) => initializers.randomUniform({ minval: -0.5, maxval: 0.5, seed });
    const conv = (of: typeof x, filters: number, seed: number, more: object = {}) => tfl.conv2d({ filters, kernelSize: 3, padding: 'same', kernelInitializer: seeded(seed), biasInitializer: seeded(seed + 1), ...more }).apply(of) as typeof x;
    const first = conv(x, 9, 1, { activation: 'relu' });
    const joined = tfl.concatenate().apply([first, conv(first, 7, 3, { activation: 'tanh' })]) as typeof x;
    const network = modelOf({ inputs: x, outputs: conv(tfl.maxPooling2d({ poolSize: 2 }).apply(joined) as typeof x, 5, 5, { activation: 'softmax' }) });
    const values = noise(17 * 15 * 3, 9);
    const plan = await planOf(network, { precision: 'float16' });
    plan.poison(NaN);
    const got = await valuesIn(deviceOfTfjs(), plan.run([values])[0]!);
    const fed = tensor4d(values, [1, 17, 15, 3]);
    const stock = network.predict(fed) as Tensor;
    const wanted = await stock.data();
    expect(got.length).toBe(wanted.length);
    const difference = got.reduce((largest, value, i) => Math.max(largest, Math.abs(value - wanted[i]!)), 0);
    expect(difference).toBeLessThan(1e-2);
    // In float32 it would be some 1e-7.
    expect(difference).toBeGreaterThan(1e-5);
    plan.dispose();
    network.dispose();
    fed.dispose();
    stock.dispose();
  });
});
