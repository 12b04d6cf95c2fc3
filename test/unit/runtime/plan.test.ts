/** What surrounds the plan of a network: its proof on the device, faults, cancels, what it cannot express (Dawn on SwiftShader). */
import '@tensorflow/tfjs-backend-cpu';
import { dispose, randomNormal, setBackend, zeros, type Tensor } from '@tensorflow/tfjs-core';
import { input, layers as tfl, model as modelOf, type LayersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { infer } from '../../../src/infer.ts';
import type { LabelmapResult } from '../../../src/results/result.ts';
import type { Device } from '../../../src/runtime/device.ts';
import { TILES } from '../../../src/runtime/kernels/convolution.ts';
import { fused } from '../../../src/runtime/plan/fuse.ts';
import { fromLayers } from '../../../src/runtime/plan/from-layers.ts';
import { memoryOf, Plan } from '../../../src/runtime/plan/plan.ts';
import { PlannedNetwork } from '../../../src/runtime/plan/planned-network.ts';
import { Program } from '../../../src/runtime/plan/program.ts';
import { remember } from '../../../src/runtime/plan/remembered.ts';
import { planOf, runPlan } from '../../../src/runtime/plan/tfjs-plan.ts';
import { createRuntime, type TfjsRuntime } from '../../../src/runtime/runtime.ts';
import { dawnMissing } from './dawn.ts';
import { noise } from './gpu-values.ts';
import { onWebGPU } from './on-webgpu.ts';
import { disc, tinyFiles } from './tiny.ts';

jest.mock('webgpu', () => jest.requireActual<typeof import('./dawn.ts')>('./dawn.ts').dawn());

const missing = dawnMissing();
if (missing) console.warn(`Skipped: plans on WebGPU in Node, since there is ${missing}.`);

(missing ? describe.skip : describe)('a plan on WebGPU', () => {
  let runtime: TfjsRuntime;
  onWebGPU(made => (runtime = made), () => runtime);

  test('is what a layers model runs on, and a graph model does not; each result says so', async () => {
    const image = disc(40, 50);
    const reasons: string[] = [];
    for (const id of ['tiny-bright', 'tiny-graph']) {
      const model = await runtime.load(tinyFiles(id));
      reasons.push((await infer(runtime, model, [image])).device.reason);
      model.dispose();
    }
    expect(reasons[0]).toMatch(/^WebGPU was asked for; compiled into a plan of \d+ kernels$/);
    expect(reasons[1]).toBe('WebGPU was asked for');
  });

  test('a device that computes a layer wrongly is not used, and is named with the layer', async () => {
    const real = GPUDevice.prototype.createShaderModule;
    GPUDevice.prototype.createShaderModule = function (this: GPUDevice, descriptor) {
      const wrong = descriptor.label?.startsWith('convolution') ? descriptor.code.replace('s0_0 = bias[quad + 0u];', 's0_0 = bias[quad + 0u] + 0.25;') : descriptor.code;
      return real.call(this, { ...descriptor, code: wrong });
    };
    try {
      await expect(runtime.load(tinyFiles('tiny-unet'))).rejects.toMatchObject({
        code: 'device/gpu-error', message: expect.stringMatching(/^The device .*swiftshader.* computes wrongly: in the layer \S+ it gave \S+ in place of \S+ \(kernel convolution/i) as unknown,
      });
    } finally {
      GPUDevice.prototype.createShaderModule = real;
    }
  });

  test('proves itself once a week for each version of browser, driver and kernels', async () => {
    const x = input({ shape: [4, 4, 2] });
    const network = modelOf({ inputs: x, outputs: tfl.conv2d({ filters: 2, kernelSize: 1 }).apply(x) as typeof x });
    const inspect = jest.spyOn(Plan.prototype, 'inspect');
    const proofs = async (versions: string) => {
      inspect.mockClear();
      const made = new PlannedNetwork(network, 'proofs');
      await made.make({ description: runtime.device, versions } as Device);
      made.dispose();
      return inspect.mock.calls.length;
    };
    expect(await proofs('Chromium 142.0.7444.59')).toBe(1);
    expect(await proofs('Chromium 142.0.7444.59')).toBe(0);
    expect(await proofs('Chromium 142.0.7444.60')).toBe(1);
    expect(await proofs('Chromium 142.0.7444.59')).toBe(0);
    const now = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 8 * 24 * 3600 * 1000);
    expect(await proofs('Chromium 142.0.7444.59')).toBe(1);
    now.mockRestore();
    inspect.mockRestore();
    network.dispose();
  });

  test('is tuned to a GPU, and not to software', async () => {
    const x = input({ shape: [4, 4, 2] });
    const network = modelOf({ inputs: x, outputs: tfl.conv2d({ filters: 2, kernelSize: 1 }).apply(x) as typeof x });
    await remember('tiles 2 float32 an adapter', JSON.stringify({ pointwise: TILES[1], windowed: TILES[2] }));
    for (const software of [true, false]) {
      const plan = await planOf(network, { on: { adapter: 'an adapter', software } });
      expect(plan.program.tiles).toEqual(software ? undefined : { pointwise: TILES[1], windowed: TILES[2] });
      plan.dispose();
    }
    network.dispose();
  });

  test('an error in the middle of a run, three times: no result, and the right one after', async () => {
    const model = await runtime.load(tinyFiles('tiny-bright'));
    const image = disc(40, 50);
    const before = (await infer(runtime, model, [image])) as LabelmapResult;
    const real = GPUCommandEncoder.prototype.copyBufferToBuffer;
    for (let i = 0; i < 3; i++) {
      // The run's commands are refused as a whole, and its output would be that of the run before.
      GPUCommandEncoder.prototype.copyBufferToBuffer = function (this: GPUCommandEncoder, ...given: unknown[]) {
        GPUCommandEncoder.prototype.copyBufferToBuffer = real;
        const [from, start, to, offset, size] = given as [GPUBuffer, number, GPUBuffer, number, number];
        return real.call(this, from, start, to, offset, size + 4 * from.size);
      } as typeof real;
      try {
        await expect(infer(runtime, model, [disc(50, 40)])).rejects.toMatchObject({ code: 'device/gpu-error' });
      } finally {
        GPUCommandEncoder.prototype.copyBufferToBuffer = real;
      }
      expect(((await infer(runtime, model, [image])) as LabelmapResult).labels).toEqual(before.labels);
    }
    model.dispose();
  });

  test('runs of several models, some of them cancelled, leave the device\'s memory as it was', async () => {
    const models = await Promise.all(['tiny-bright', 'tiny-dark'].map(id => runtime.load(tinyFiles(id))));
    const image = disc(40, 50);
    for (const model of models) await infer(runtime, model, [image]);
    const before = runtime.memory();
    expect(before.deviceBytes).toBeGreaterThan(models.reduce((sum, { bytes }) => sum + bytes, 0) / 2);
    for (let i = 0; i < 40; i++) {
      const abort = new AbortController();
      const run = infer(runtime, models[i * 7 % 3 % 2]!, [image], { signal: abort.signal });
      if (i % 4 === 1) abort.abort();
      if (i % 4 === 2) setTimeout(() => abort.abort(), i % 5);
      await run.catch((error: unknown) => expect(error).toMatchObject({ code: 'job/cancelled' }));
    }
    await runtime.turn(async () => {});
    expect(runtime.memory()).toEqual(before);
    for (const model of models) model.dispose();
  });

  test('a budget parts batches', async () => {
    const x = input({ shape: [9, 7, 3] });
    const network = modelOf({ inputs: x, outputs: tfl.conv2d({ filters: 5, kernelSize: 3 }).apply(x) as typeof x });
    const { weights, arena, rest } = memoryOf(new Program(fused(await fromLayers(network))), 1);
    const budget = weights + 2 * 3 * (arena + rest);
    const plan = await planOf(network, { budget });
    expect(plan.largestBatch).toBe(3);
    const batch = randomNormal([8, 9, 7, 3], 0, 1, 'float32', 5);
    const [parted] = runPlan(plan, network, [batch]);
    const stock = network.predict(batch) as Tensor;
    const [got, wanted] = [await parted!.data(), await stock.data()];
    expect(got.length).toBe(wanted.length);
    expect(got.every((value, i) => Math.abs(value - wanted[i]!) < 1e-4)).toBe(true);
    expect(plan.bytes).toBeLessThanOrEqual(budget);
    plan.dispose();
    network.dispose();
    dispose([batch, parted!, stock]);
  });

  test('a model that one input of is over the budget is refused', async () => {
    runtime.dispose();
    runtime = await createRuntime({ backend: 'webgpu', allowSoftware: true, memoryBudget: 1000 });
    await expect(runtime.load(tinyFiles('tiny-bright'))).rejects.toMatchObject({ code: 'device/limit', message: expect.stringMatching(/needs \d+ bytes .* its budget is 1000/) as string });
  });

  describe('the derivatives of a model', () => {
    const shape = [16, 16, 3];
    let network: LayersModel;

    beforeEach(() => {
      const image = input({ shape });
      const layer = (name: string, x: typeof image) => tfl.conv2d({ name, filters: 8, kernelSize: 3, padding: 'same', activation: 'relu' }).apply(x) as typeof x;
      const body = layer('second', layer('first', image));
      const scores = tfl.dense({ units: 2 }).apply(tfl.globalAveragePooling2d({}).apply(body)) as typeof image;
      const largest = tfl.globalMaxPooling2d({ name: 'largest' }).apply(body) as typeof image;
      network = modelOf({ inputs: image, outputs: [scores, largest] });
    });
    afterEach(() => network.dispose());

    const planned = async (budget?: number) => {
      const made = new PlannedNetwork(network, 'derivatives');
      await made.make({ description: runtime.device, budget } as Device);
      return made;
    };
    const by = (of: PlannedNetwork, layer: string, output = 0) => of.derivative({
      output: network.outputs[output]!, wrt: network.getLayer(layer).output as SymbolicTensor,
      inputs: [noise(16 * 16 * 3, 4)], weights: Float32Array.from({ length: output ? 8 : 2 }, (_, i) => Number(i === 1)),
    });
    const run = (of: PlannedNetwork, batch: number) => {
      const x = zeros([batch, ...shape]);
      dispose([x, ...of.run([x])!]);
    };

    test('share one budget with its own plan: the one that was used the longest ago makes room', async () => {
      const layers = [network.inputNames[0]!, 'first', 'second'];
      const free = await planned();
      const own = free.bytes;
      const wanted: (Float32Array | undefined)[] = [];
      const sizes: number[] = [];
      for (const layer of layers) {
        wanted.push((await by(free, layer))?.gradient);
        sizes.push(free.bytes - own - sizes.slice(-1).reduce((sum, size) => sum + size, 0));
      }
      free.dispose();
      // Room for the largest of them, but not for two.
      const budget = own + Math.max(...sizes) + 1000;
      const held = await planned(budget);
      for (const [i, layer] of [...layers.entries(), ...layers.entries()]) {
        if (i !== 1) run(held, i + 2);
        expect(held.bytes).toBeLessThanOrEqual(budget);
        expect((await by(held, layer))!.gradient).toEqual(wanted[i]);
        expect(held.bytes).toBeLessThanOrEqual(budget);
      }
      run(held, 1);
      expect(held.bytes).toBeLessThanOrEqual(budget);
      expect(held.kernels).toMatch(/^compiled into a plan of \d+ kernels$/);
      held.dispose();
    });

    test('that are over it are refused with the numbers, and the model still runs', async () => {
      const free = await planned();
      const budget = free.bytes + 100;
      free.dispose();
      const held = await planned(budget);
      await expect(by(held, 'first')).rejects.toMatchObject({ code: 'device/limit', fields: { expected: budget }, message: expect.stringMatching(/derivative by first .* need \d+ bytes .* budget is \d+\. .* choose occlusion/) as string });
      run(held, 1);
      expect(held.bytes).toBeLessThanOrEqual(budget);
      held.dispose();
    });

    test('that have no way back in a plan are left to tfjs, and the result says so', async () => {
      const made = await planned();
      expect(await by(made, 'first', 1)).toBeUndefined();
      expect(made.kernels).toMatch(/^compiled into a plan of \d+ kernels; its derivative by first on tfjs's tape, since largest takes the largest of a plane$/);
      made.dispose();
    });
  });
});

describe('the memory of a plan', () => {
  beforeAll(() => setBackend('cpu'));

  test('is known before it is made: chains share two buffers', async () => {
    let x = input({ shape: [16, 16, 4] });
    const image = x;
    for (let i = 0; i < 6; i++) x = tfl.conv2d({ filters: 4, kernelSize: 3, padding: 'same' }).apply(x) as typeof x;
    const network = modelOf({ inputs: image, outputs: x });
    const program = new Program(fused(await fromLayers(network)));
    const plane = 16 * 16 * 4 * 4;
    expect(memoryOf(program, 1)).toMatchObject({ arena: 2 * plane, largest: plane });
    expect(memoryOf(program, 3)).toMatchObject({ arena: 6 * plane, largest: 3 * plane });
    network.dispose();
  });

  test('a plan that is over the limits is not made, and says by how much', async () => {
    const x = input({ shape: [8, 8, 3] });
    const network = modelOf({ inputs: x, outputs: tfl.conv2d({ filters: 5, kernelSize: 3 }).apply(x) as typeof x });
    const program = new Program(fused(await fromLayers(network)));
    const device = { limits: { maxBufferSize: 2 ** 28, maxStorageBufferBindingSize: 100 } } as GPUDevice;
    await expect(Plan.make(device, program)).rejects.toThrow(/^a buffer would need \d+ bytes, and the device takes 100$/);
    network.dispose();
  });

  test('a plan over its budget is refused with the numbers', async () => {
    const x = input({ shape: [8, 8, 3] });
    const network = modelOf({ inputs: x, outputs: tfl.conv2d({ filters: 5, kernelSize: 3 }).apply(x) as typeof x });
    const program = new Program(fused(await fromLayers(network)));
    const { weights, arena, rest } = memoryOf(program, 1);
    const device = { limits: { maxBufferSize: 2 ** 28, maxStorageBufferBindingSize: 2 ** 27 } } as GPUDevice;
    await expect(Plan.make(device, program, weights + arena + rest - 1)).rejects.toMatchObject({ needed: weights + arena + rest, budget: weights + arena + rest - 1 });
    network.dispose();
  });
});
