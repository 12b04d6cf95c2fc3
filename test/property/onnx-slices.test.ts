/** Networks of volumes slice by slice with onnxruntime's kernels, on WebAssembly, against tfjs's. */
import '@tensorflow/tfjs-backend-cpu';
import { randomUniform, setBackend, tidy } from '@tensorflow/tfjs-core';
import { input, layers as tfl, model as modelOf, type LayersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import type { Device } from '../../src/runtime/device.ts';
import type { Network } from '../../src/runtime/network.ts';
import { OnnxSlices } from '../../src/runtime/onnx-slices.ts';
import { predictSlices } from '../../src/runtime/slice-prediction.ts';
import { SliceNetwork } from '../../src/runtime/slice-network.ts';

beforeAll(() => setBackend('cpu'));

const description = { backend: 'wasm', adapter: 'simd', software: false, reason: 'a test' } as const;
type Shape = readonly [number, number, number, number];

/** Weights of both signs, such that values stay about 1; of a normalisation, whose variance is among them, positive ones. */
function seeded(network: LayersModel, seed: number): void {
  tidy(() => network.layers.forEach((layer, l) => layer.setWeights(layer.getWeights().map(({ shape }, w) => {
    const most = shape.length < 2 ? 0.5 : Math.sqrt(3 / shape.slice(0, -1).reduce((product, side) => product * side, 1));
    return randomUniform(shape, layer.getClassName() === 'BatchNormalization' ? 0.5 : -most, layer.getClassName() === 'BatchNormalization' ? 1.5 : most, 'float32', seed + 31 * l + w);
  }))));
}

async function differenceOf(network: LayersModel, shape: Shape, seed: number): Promise<{ kernels: string; largest: number }> {
  const [slices, ...plane] = shape;
  const size = plane.reduce((product, side) => product * side, 1);
  const values = Float32Array.from({ length: slices * size }, (_, i) => Math.sin(i * 1.7 + seed));
  const plan = new OnnxSlices(network, shape, 'a network of volumes', { on: description });
  await plan.make({ description } as Device);
  // By tfjs's kernels: slice-network.test.ts holds them to the whole volume, for which tfjs has no normalisation.
  const sliced = new SliceNetwork(network, shape);
  const reference = sliced.start(slice => values.subarray(slice * size, (slice + 1) * size));
  const whole: number[] = [];
  for (let y = reference.next(); y && y !== 'paused'; y = reference.next()) {
    whole.push(...y.dataSync());
    y.dispose();
  }
  reference.dispose();
  const { kernels } = plan;
  let largest = 0;
  let at = 0;
  const running = { sliced, plan } as unknown as Network;
  for await (const part of predictSlices('a network', work => work(running, {} as Device), { shape, read: slice => values.subarray(slice * size, (slice + 1) * size) })) {
    for (const slice of part.slices) for (const value of slice) largest = Math.max(largest, Math.abs(value - whole[at++]!));
  }
  expect(at).toBe(whole.length);
  sliced.dispose();
  plan.dispose();
  return { kernels, largest };
}

const triple = (least: number, most: number) => fc.tuple(fc.integer({ min: least, max: most }), fc.integer({ min: least, max: most }), fc.integer({ min: least, max: most }));
const padding = fc.constantFrom('same' as const, 'valid' as const);
const activation = fc.constantFrom('linear', 'relu', 'elu', 'softmax');
const step = fc.oneof(
  fc.record({ size: triple(1, 3), strides: fc.constant([1, 1, 1]), rate: fc.integer({ min: 1, max: 3 }), filters: fc.integer({ min: 1, max: 5 }), padding, activation, after: fc.constantFrom('nothing', 'norm', 'branch') }),
  fc.record({ size: triple(2, 3), strides: triple(1, 2), rate: fc.constant(1), filters: fc.integer({ min: 1, max: 5 }), padding, activation, after: fc.constantFrom('nothing', 'elu') }),
);

test('convolutions, normalisation, activations and joins give what tfjs gives', async () => {
  let compared = 0;
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 2 }), triple(6, 8), fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 9999 }), async (list, sides, channels, seed) => {
    const shape: Shape = [...sides, channels];
    let network: LayersModel | undefined;
    try {
      const image = input({ shape: [...shape] });
      const output = list.reduce<SymbolicTensor>((x, { size, strides, rate, filters, after, ...rest }) => {
        const conv = (of: SymbolicTensor, more: object) => tfl.conv3d({ kernelSize: size, filters, strides: strides as [number, number, number], dilationRate: rate, ...more } as Parameters<typeof tfl.conv3d>[0]).apply(of) as SymbolicTensor;
        const y = conv(x, rest);
        if (after === 'norm') return tfl.activation({ activation: 'relu' }).apply(tfl.dropout({ rate: 0.5 }).apply(tfl.batchNormalization().apply(y)) as SymbolicTensor) as SymbolicTensor;
        if (after === 'elu') return tfl.elu({ alpha: 0.7 }).apply(y) as SymbolicTensor;
        if (after === 'branch') return tfl.add().apply([y, tfl.concatenate().apply([y, conv(x, { ...rest, activation: 'tanh' })]) as SymbolicTensor].map(of => tfl.conv3d({ filters: 2, kernelSize: 1 }).apply(of) as SymbolicTensor)) as SymbolicTensor;
        return y;
      }, image);
      network = output.shape.slice(1, -1).every(side => side! > 0) ? modelOf({ inputs: image, outputs: output }) : undefined;
    } catch {
      // Nothing is left of the volume.
    }
    fc.pre(network !== undefined);
    seeded(network!, seed);
    const { kernels, largest } = await differenceOf(network!, shape, seed);
    network!.dispose();
    expect(kernels).toMatch(/^computed slice by slice by onnxruntime/);
    expect(largest).toBeLessThan(2e-5);
    compared++;
  }), { numRuns: 12 });
  expect(compared).toBe(12);
}, 60_000);

test('what has no counterpart is left to tfjs, and the result says so', async () => {
  const image = input({ shape: [6, 6, 6, 1] });
  const pooled = tfl.maxPooling3d({ name: 'pool', poolSize: 2, strides: 2, padding: 'valid' }).apply(tfl.conv3d({ filters: 2, kernelSize: 3 }).apply(image)) as SymbolicTensor;
  const network = modelOf({ inputs: image, outputs: pooled });
  const { kernels, largest } = await differenceOf(network, [6, 6, 6, 1], 1);
  expect(kernels).toBe('computed by tfjs, since pool is of the class MaxPooling3D');
  expect(largest).toBeLessThan(1e-5);
  network.dispose();
  const many = modelOf({ inputs: image, outputs: tfl.conv3d({ filters: 32, kernelSize: 3 }).apply(tfl.conv3d({ filters: 5, kernelSize: 1 }).apply(image)) as SymbolicTensor });
  expect(await differenceOf(many, [6, 6, 6, 1], 1)).toEqual({ kernels: "computed by tfjs, whose kernels suit its many channels better than onnxruntime's", largest: 0 });
  many.dispose();
});
