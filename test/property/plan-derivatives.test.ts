/** Derivatives by our own kernels, on WebGPU in Node (Dawn on SwiftShader), against tfjs's tape on plain JavaScript. */
import '@tensorflow/tfjs-backend-cpu';
import { setBackend, tensor, tidy, valueAndGrad } from '@tensorflow/tfjs-core';
import { initializers, input, layers as tfl, model as modelOf, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { buildDenseNet } from '../../src/architectures/densenet.ts';
import { buildResNet } from '../../src/architectures/resnet.ts';
import { installGradientRules } from '../../src/runtime/gradient-rules.ts';
import { evaluate, featureMap } from '../../src/runtime/layer-graph.ts';
import { installWebGPU } from '../../src/runtime/node-webgpu.ts';
import { derivativeOf } from '../../src/runtime/plan/derivative.ts';
import { fromLayers } from '../../src/runtime/plan/from-layers.ts';
import { fused } from '../../src/runtime/plan/fuse.ts';
import { NoPlan } from '../../src/runtime/plan/ops.ts';
import { Plan } from '../../src/runtime/plan/plan.ts';
import { Program } from '../../src/runtime/plan/program.ts';
import { selfTest } from '../../src/runtime/plan/self-test.ts';
import { dawnMissing } from '../unit/runtime/dawn.ts';
import { noise, valuesIn } from '../unit/runtime/gpu-values.ts';

jest.mock('webgpu', () => jest.requireActual<typeof import('../unit/runtime/dawn.ts')>('../unit/runtime/dawn.ts').dawn());

const missing = dawnMissing();
if (missing) console.warn(`Skipped: derivatives on WebGPU, since there is ${missing}.`);

type Apply = { apply(x: SymbolicTensor | SymbolicTensor[]): unknown };
const on = (layer: Apply, x: SymbolicTensor | SymbolicTensor[]) => layer.apply(x) as SymbolicTensor;
let made = 0;
const random = () => initializers.randomUniform({ minval: -0.6, maxval: 0.6, seed: ++made });
const positive = () => initializers.randomUniform({ minval: 0.5, maxval: 1.5, seed: ++made });
const conv = (x: SymbolicTensor, filters: number, kernelSize: number, more: object = {}) => on(tfl.conv2d({ filters, kernelSize, padding: 'same', kernelInitializer: random(), biasInitializer: random(), ...more }), x);
const normalised = (x: SymbolicTensor) => on(tfl.batchNormalization({ gammaInitializer: positive(), betaInitializer: random(), movingMeanInitializer: random(), movingVarianceInitializer: positive() }), x);
const relu = (x: SymbolicTensor) => on(tfl.activation({ activation: 'relu' }), x);
const pooled = (x: SymbolicTensor) => on(tfl.globalAveragePooling2d({}), x);

/** From the picture, 9 × 10 × 3, to what the scores are made of. */
const BODIES: Readonly<Record<string, (x: SymbolicTensor) => SymbolicTensor>> = {
  'a concatenation with gaps, normalised before its layers': x => {
    const first = conv(x, 5, 3);
    const second = on(tfl.concatenate(), [first, conv(relu(normalised(first)), 6, 3)]);
    return pooled(relu(normalised(on(tfl.concatenate(), [second, conv(relu(normalised(second)), 3, 3)]))));
  },
  'residual sums, strides and padding': x => {
    const y = relu(conv(on(tfl.zeroPadding2d({ padding: [[1, 0], [2, 1]] }), x), 6, 4, { strides: 2, padding: 'valid' }));
    return pooled(on(tfl.add(), [y, conv(conv(y, 6, 3, { activation: 'elu' }), 6, 1)]));
  },
  'pools of either kind, then a vector': x => {
    const y = on(tfl.maxPooling2d({ poolSize: 3, strides: 2, padding: 'same' }), conv(x, 7, 3, { activation: 'tanh' }));
    const z = on(tfl.averagePooling2d({ poolSize: [2, 3], strides: [1, 2], padding: 'valid' }), y);
    return on(tfl.dense({ units: 6, activation: 'sigmoid', kernelInitializer: random() }), on(tfl.flatten(), z));
  },
  'spread and cropped, by channel and multiplied': x => {
    const y = on(tfl.upSampling2d({ size: [2, 4] }), on(tfl.depthwiseConv2d({ kernelSize: 3, padding: 'same', depthwiseInitializer: random() }), x));
    const z = on(tfl.cropping2D({ cropping: [[1, 2], [0, 3]] }), y);
    const t = on(tfl.conv2dTranspose({ filters: 3, kernelSize: 3, strides: 1, padding: 'same', kernelInitializer: random(), activation: 'softplus' }), z);
    return pooled(on(tfl.leakyReLU({ alpha: 0.2 }), on(tfl.multiply(), [t, z])));
  },
};

(missing ? describe.skip : describe)('derivatives in a plan', () => {
  let device: GPUDevice;

  beforeAll(async () => {
    await installWebGPU();
    device = await (await navigator.gpu.requestAdapter())!.requestDevice();
    await setBackend('cpu');
    installGradientRules();
  });
  afterAll(() => device.destroy());

  const networks = {
    ...Object.fromEntries(Object.entries(BODIES).map(([name, body]) => [name, () => {
      const image = input({ shape: [9, 10, 3] });
      return modelOf({ inputs: image, outputs: on(tfl.dense({ units: 3, kernelInitializer: random() }), body(image)) });
    }])),
    'a DenseNet': () => buildDenseNet({ inputShape: [32, 32], classes: 2, growth: 6, blockConfig: [2, 2], initFeatures: 8, bnSize: 2, weights: { seed: 3 } }),
    'a ResNet': () => buildResNet({ inputShape: [32, 32], classes: 2, layers: [1, 1], width: 4, weights: { seed: 4 } }),
  };

  test.each(Object.entries(networks))('%s: by the picture and by the last map as tfjs has them', async (_, build) => {
    const network = build();
    const image = network.inputs[0]!;
    const output = network.outputs[0]!;
    const shape = [1, ...image.shape.slice(1)] as number[];
    const values = noise(shape.reduce((product, side) => product * side, 1), 7);
    const weights = Float32Array.from({ length: output.shape[1]! }, (_value, i) => (i === 1 ? 1 : 0));
    for (const wrt of [image, featureMap(output, { asked: image, others: [] })]) {
      const wanted = tidy(() => {
        const x = tensor(values, shape);
        const given = wrt === image ? x : evaluate(wrt, new Map([[image.id, x]]));
        const { grad } = valueAndGrad(of => evaluate(output, new Map([[image.id, x], [wrt.id, of]])))(given, tensor(weights, [1, weights.length]));
        return { at: given.dataSync() as Float32Array, gradient: grad.dataSync() as Float32Array };
      });
      const forward = fused(await fromLayers(network, [output, wrt]));
      const plan = await Plan.make(device, new Program(derivativeOf(forward, forward.outputs[0]!, forward.outputs[1]!)));
      plan.poison(NaN);
      const [, at, gradient] = await Promise.all(plan.run([values, weights]).map(buffer => valuesIn(device, buffer)));
      expect(await selfTest(plan)).toBeUndefined();
      plan.dispose();
      expect(differenceOf(at!, wanted.at)).toBeLessThan(1e-5);
      expect(differenceOf(gradient!, wanted.gradient)).toBeLessThan(1e-4);
    }
    network.dispose();
  });

  test('of a dilated convolution, which tfjs has none of, and of an average at borders, of which it has another, it tells how scores change', async () => {
    const image = input({ shape: [9, 8, 3] });
    const network = modelOf({ inputs: image, outputs: on(tfl.dense({ units: 1, kernelInitializer: random() }), pooled(conv(image, 5, 3, { dilationRate: [2, 3] }))) });
    const forward = fused(await fromLayers(network, [network.outputs[0]!, image]));
    const plan = await Plan.make(device, new Program(derivativeOf(forward, forward.outputs[0]!, forward.outputs[1]!)));
    const run = async (values: Float32Array) => Promise.all(plan.run([values, Float32Array.of(1)]).map(buffer => valuesIn(device, buffer)));
    const [from, step] = [noise(9 * 8 * 3, 5), noise(9 * 8 * 3, 6)];
    const [before, , gradient] = await run(from);
    const [after] = await run(from.map((value, i) => value + step[i]!));
    const expected = gradient!.reduce((sum, value, i) => sum + value * step[i]!, 0);
    expect(Math.abs(expected)).toBeGreaterThan(1e-3);
    expect(after![0]! - before![0]!).toBeCloseTo(expected, 5);
    plan.dispose();
    network.dispose();
  });

  test('what has no way back is refused by name', async () => {
    const image = input({ shape: [6, 6, 2] });
    const largest = modelOf({ inputs: image, outputs: on(tfl.globalMaxPooling2d({ name: 'largest' }), conv(image, 3, 3)) });
    const forward = fused(await fromLayers(largest, [largest.outputs[0]!, image]));
    expect(() => derivativeOf(forward, forward.outputs[0]!, forward.outputs[1]!)).toThrow(NoPlan);
    expect(() => derivativeOf(forward, forward.outputs[0]!, forward.outputs[1]!)).toThrow(/largest/);
    largest.dispose();
  });
});

/** Of the largest value. */
function differenceOf(got: Float32Array, wanted: Float32Array): number {
  expect(got.length).toBe(wanted.length);
  const most = wanted.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  expect(most).toBeGreaterThan(0);
  return wanted.reduce((largest, value, i) => Math.max(largest, Math.abs(value - got[i]!)), 0) / most;
}
