/** WebGPU in Node (Dawn on SwiftShader): the real path, on a software GPU, with tiny networks. */
import { memory } from '@tensorflow/tfjs-core';
import { infer } from '../../../src/infer.ts';
import type { LabelmapResult } from '../../../src/results/result.ts';
import { installWebGPU } from '../../../src/runtime/node-webgpu.ts';
import { createRuntime, type TfjsRuntime } from '../../../src/runtime/runtime.ts';
import { dawnMissing } from './dawn.ts';
import { disc, enlarged, tinyFiles, WASM } from './tiny.ts';

jest.mock('webgpu', () => jest.requireActual<typeof import('./dawn.ts')>('./dawn.ts').dawn());

const missing = dawnMissing();
if (missing) console.warn(`Skipped: the WebGPU tests in Node, since there is ${missing}.`);

(missing ? describe.skip : describe)('the runtime on WebGPU', () => {
  let runtime: TfjsRuntime;

  beforeAll(async () => {
    await installWebGPU();
    runtime = await createRuntime({ backend: 'webgpu', allowSoftware: true });
  });
  afterEach(() => expect(memory().numTensors).toBe(0));
  afterAll(() => runtime.dispose());

  test('says what it runs on', () => {
    expect(runtime.device).toMatchObject({ backend: 'webgpu', software: true, reason: 'WebGPU was asked for' });
    expect(runtime.device.adapter).toMatch(/swiftshader/i);
  });

  test('compiles ahead, and gives the masks that wasm gives', async () => {
    const stages: string[] = [];
    const image = disc(60, 44);
    const labels: Uint8Array[] = [];
    for (const id of ['tiny-unet', 'tiny-graph']) {
      const model = await runtime.load(tinyFiles(id), ({ stage }) => stages.push(stage));
      labels.push(((await infer(runtime, model, [image])) as LabelmapResult).labels);
      model.dispose();
    }
    expect(stages).toContain('compile');
    runtime.dispose();

    const wasm = await createRuntime({ backend: 'wasm', wasmPath: WASM });
    for (const [i, id] of ['tiny-unet', 'tiny-graph'].entries()) {
      const model = await wasm.load(tinyFiles(id));
      const { labels: reference } = (await infer(wasm, model, [image])) as LabelmapResult;
      model.dispose();
      const differing = reference.filter((v, k) => v !== labels[i]![k]).length;
      // The nets' outputs differ in the seventh digit, so a pixel on the threshold may fall to the other side.
      expect(differing).toBeLessThanOrEqual(1);
      expect(reference.some(v => v === 1)).toBe(true);
      expect(reference.some(v => v === 0)).toBe(true);
    }
    wasm.dispose();
    runtime = await createRuntime({ backend: 'webgpu', allowSoftware: true });
  });

  test('50 runs leave the memory as it was', async () => {
    const model = await runtime.load(tinyFiles('tiny-bright'));
    const image = disc(40, 50);
    await infer(runtime, model, [image]);
    const before = runtime.memory();
    expect(before.deviceBytes).toBeGreaterThan(0);
    for (let i = 0; i < 50; i++) await infer(runtime, model, [image]);
    expect(runtime.memory()).toEqual(before);
    model.dispose();
  });

  test('a device that is lost in the middle rejects the run at once, and the next run works', async () => {
    const model = await runtime.load(tinyFiles('tiny-bright'));
    const image = disc(40, 50);
    const before = (await infer(runtime, model, [image])) as LabelmapResult;
    const { submit } = GPUQueue.prototype;
    GPUQueue.prototype.submit = function (this: GPUQueue, buffers) {
      GPUQueue.prototype.submit = submit;
      submit.call(this, buffers);
      runtime.loseDevice();
      return undefined;
    };
    await expect(infer(runtime, model, [image])).rejects.toMatchObject({ code: 'device/lost' });
    const after = (await infer(runtime, model, [image])) as LabelmapResult;
    expect(after.labels).toEqual(before.labels);
    model.dispose();
  });

  test('a device that is lost between runs is made anew without anybody noticing', async () => {
    const model = await runtime.load(tinyFiles('tiny-bright'));
    runtime.loseDevice();
    await new Promise(resolve => setTimeout(resolve, 50));
    expect(((await infer(runtime, model, [disc(20, 20)])) as LabelmapResult).kind).toBe('labelmap');
    model.dispose();
  });

  test('an error of the GPU fails the run by name, and the next run works', async () => {
    const model = await runtime.load(tinyFiles('tiny-graph'));
    const image = disc(40, 50);
    const before = (await infer(runtime, model, [image])) as LabelmapResult;
    // A buffer over the device's limits: the error that an oversized tensor makes.
    const { createBuffer } = GPUDevice.prototype;
    let spoilt = 0;
    GPUDevice.prototype.createBuffer = function (this: GPUDevice, descriptor) {
      if (spoilt++ > 0) return createBuffer.call(this, descriptor);
      return createBuffer.call(this, { ...descriptor, mappedAtCreation: false, size: this.limits.maxBufferSize + 4 });
    };
    try {
      await expect(infer(runtime, model, [image])).rejects.toMatchObject({ code: 'device/gpu-error' });
    } finally {
      GPUDevice.prototype.createBuffer = createBuffer;
    }
    expect(((await infer(runtime, model, [image])) as LabelmapResult).labels).toEqual(before.labels);
    model.dispose();
  });

  test('refuses a network that is over the device\'s limits, before it runs', async () => {
    runtime.dispose();
    // A device may be asked for less than its adapter has, not for less than WebGPU's own 128 MiB; 4096² × 3 are 192 MiB.
    const binding = 128 * 2 ** 20;
    const small = await createRuntime({ backend: 'webgpu', allowSoftware: true, deviceLimits: { maxStorageBufferBindingSize: binding } });
    await expect(small.load(enlarged('tiny-softmax', 4096))).rejects.toMatchObject({
      code: 'device/limit',
      fields: { expected: binding, got: 192 * 2 ** 20, tensor: 'logits', limit: 'maxStorageBufferBindingSize' },
    });
    small.dispose();
    runtime = await createRuntime({ backend: 'webgpu', allowSoftware: true });
  });

  test('a software adapter is no GPU unless it is allowed', async () => {
    runtime.dispose();
    const taken = await createRuntime({ wasmPath: WASM });
    expect(taken.device.backend).toBe('wasm');
    expect(taken.device.reason).toMatch(/^WebGPU: only a software adapter \(.*swiftshader.*\); WebGL: not offered here$/i);
    taken.dispose();
    await expect(createRuntime({ backend: 'webgpu' })).rejects.toMatchObject({ code: 'device/unavailable' });
    runtime = await createRuntime({ backend: 'webgpu', allowSoftware: true });
  });
});
