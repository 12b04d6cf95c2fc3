/** 3D convolutions slice by slice with the kernel of our own (Dawn on SwiftShader), against tfjs on plain JavaScript. */
import '@tensorflow/tfjs-backend-cpu';
import { memory, setBackend, tensor, tidy, type Tensor } from '@tensorflow/tfjs-core';
import { initializers, input, layers as tfl, model, type LayersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { installWebGPU } from '../../src/runtime/node-webgpu.ts';
import type { Device } from '../../src/runtime/device.ts';
import type { Network } from '../../src/runtime/network.ts';
import { createRuntime, type TfjsRuntime } from '../../src/runtime/runtime.ts';
import { SliceNetwork, UNIFORMS } from '../../src/runtime/slice-network.ts';
import { predictSlices } from '../../src/runtime/slice-prediction.ts';
import { countBuffers, DEFAULT_LIMITS } from '../bench/meshnet/buffers.ts';
import { dawnMissing } from '../unit/runtime/dawn.ts';

jest.mock('webgpu', () => jest.requireActual<typeof import('../unit/runtime/dawn.ts')>('../unit/runtime/dawn.ts').dawn());

const missing = dawnMissing();
if (missing) console.warn(`Skipped: 3D convolutions on WebGPU, since there is ${missing}.`);

const triple = (least: number, most: number) => fc.tuple(fc.integer({ min: least, max: most }), fc.integer({ min: least, max: most }), fc.integer({ min: least, max: most }));
/** A layer whose output may have several parts of channels, of a channel count that is no multiple of four. */
const layer = fc.record({
  size: triple(1, 3), strides: fc.constant<[number, number, number]>([1, 1, 1]), rate: fc.integer({ min: 1, max: 3 }), filters: fc.constantFrom(1, 3, 5, 13),
  padding: fc.constantFrom('same' as const, 'valid' as const), activation: fc.constantFrom('linear' as const, 'relu' as const, 'elu' as const), apart: fc.boolean(),
});
const strided = fc.record({
  size: triple(2, 3), strides: triple(1, 2), rate: fc.constant(1), filters: fc.constantFrom(2, 5), padding: fc.constantFrom('same' as const, 'valid' as const),
  activation: fc.constant('linear' as const), apart: fc.boolean(),
});

(missing ? describe.skip : describe)('3D convolutions on WebGPU', () => {
  let runtime: TfjsRuntime;

  beforeAll(async () => {
    await installWebGPU();
    runtime = await createRuntime({ backend: 'webgpu', allowSoftware: true });
  });
  afterAll(() => runtime.dispose());

  test('give what the whole volume gives at once, their activations taken in', async () => {
    await fc.assert(fc.asyncProperty(fc.array(fc.oneof(layer, strided), { minLength: 1, maxLength: 2 }), triple(7, 9), fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 9999 }), async (list, [slices, rows, columns], channels, seed) => {
      const random = (k: number) => initializers.randomUniform({ minval: -1, maxval: 1, seed: seed + k });
      const image = input({ shape: [slices, rows, columns, channels] });
      let network: LayersModel | undefined;
      try {
        const output = list.reduce<SymbolicTensor>((x, { size, strides, rate, filters, padding, activation, apart }, i) => {
          const y = tfl.conv3d({ kernelSize: size, strides, dilationRate: rate, filters, padding, activation: apart ? 'linear' : activation, kernelInitializer: random(2 * i), biasInitializer: random(2 * i + 1) }).apply(x) as SymbolicTensor;
          return apart ? tfl.activation({ activation }).apply(y) as SymbolicTensor : y;
        }, image);
        network = output.shape.slice(1, -1).every(side => side! > 0) ? model({ inputs: image, outputs: output }) : undefined;
      } catch {
        // Nothing is left of the volume.
      }
      fc.pre(network !== undefined);
      const plane = rows * columns * channels;
      const values = Float32Array.from({ length: slices * plane }, (_, i) => Math.sin(i * 1.7 + seed));
      await setBackend('cpu');
      const whole = tidy(() => (network!.predict(tensor(values, [1, slices, rows, columns, channels])) as Tensor).dataSync() as Float32Array);
      await setBackend('webgpu');
      const sliced = new SliceNetwork(network!, [slices, rows, columns, channels]);
      const before = memory().numTensors;
      const run = sliced.start(slice => values.subarray(slice * plane, (slice + 1) * plane));
      const got: number[] = [];
      for (let y = run.next(); y && y !== 'paused'; y = run.next()) {
        got.push(...(await y.data()));
        y.dispose();
      }
      run.dispose();
      expect(memory().numTensors).toBe(before);
      sliced.dispose();
      network!.dispose();
      expect(got.length).toBe(whole.length);
      const most = whole.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1);
      expect(whole.reduce((largest, value, i) => Math.max(largest, Math.abs(value - got[i]!)), 0) / most).toBeLessThan(1e-5);
    }), { numRuns: 15 });
  }, 120_000);

  test('take no more of a device of the usual limits than was predicted, and no buffer as large as a layer', async () => {
    runtime.dispose();
    const buffers = countBuffers();
    runtime = await createRuntime({ backend: 'webgpu', allowSoftware: true, deviceLimits: DEFAULT_LIMITS });
    const side = 24;
    const image = input({ shape: [side, side, side, 1] });
    const random = (seed: number) => initializers.randomUniform({ minval: -0.2, maxval: 0.2, seed });
    const rates = [1, 2, 4, 8, 4, 2, 1];
    const features = rates.reduce<SymbolicTensor>((x, dilationRate, i) => tfl.conv3d({ filters: 5, kernelSize: 3, dilationRate, padding: 'same', activation: 'relu', kernelInitializer: random(i) }).apply(x) as SymbolicTensor, image);
    const network = model({ inputs: image, outputs: tfl.conv3d({ filters: 3, kernelSize: 1, kernelInitializer: random(99) }).apply(features) as SymbolicTensor });
    const sliced = new SliceNetwork(network, [side, side, side, 1]);
    const standing = buffers.now;
    const read = (slice: number) => Float32Array.from({ length: side * side }, (_, i) => Math.sin(i * 1.7 + slice));
    let slices = 0;
    const whole = { sliced } as Network;
    for await (const part of predictSlices('meshnet', work => work(whole, {} as Device), { shape: [side, side, side, 1], read })) slices += part.slices.length;
    expect(slices).toBe(side);
    const layer = 4 * 5 * side ** 3;
    const { total, slices: held } = sliced.memory();
    // A kernel of three with dilation d meets 2d + 1 slices of what it reads, the last layer one; of the output there is one.
    const slice = (channels: number) => 4 * channels * side ** 2;
    const [ofImage, ...ofFeatures] = rates.map(rate => 2 * rate + 1);
    const met = ofImage! * slice(1) + (ofFeatures.reduce((sum, count) => sum + count) + 1) * slice(5) + slice(3);
    expect(held).toBeLessThanOrEqual(met);
    expect(held).toBeGreaterThan(0.8 * met);
    expect(buffers.peak - standing).toBeGreaterThan(held);
    // Without what is set aside for uniforms, which would cover a leak of a hundred slices: here it covers four.
    expect(buffers.peak - standing).toBeLessThanOrEqual(total - UNIFORMS);
    // 256³ voxels of five channels are 320 MiB, on a device of bindings of 128: of 24³ as much less.
    expect(buffers.largest).toBeLessThan(DEFAULT_LIMITS.maxStorageBufferBindingSize * (side / 256) ** 3);
    expect(layer).toBeGreaterThan(DEFAULT_LIMITS.maxStorageBufferBindingSize * (side / 256) ** 3);
    sliced.dispose();
    network.dispose();
  });
});
