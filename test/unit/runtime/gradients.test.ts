/** Derivatives against finite differences, on tfjs's plain JavaScript. */
import { conv2d, greater, image as tfImage, mul, randomNormal, setBackend, square, sum, tensor4d, tidy, valueAndGrad, where, type Tensor, type Tensor4D } from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { initializers, input, layers, model, sequential, type LayersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { installGradientRules } from '../../../src/runtime/gradient-rules.ts';
import { createRuntime, type TfjsRuntime } from '../../../src/runtime/runtime.ts';
import type { LoadedModel } from '../../../src/runtime/types.ts';
import { classifierFiles } from '../tasks/saliency/networks.ts';
import { tinyFiles, WASM } from './tiny.ts';

const [ROWS, COLUMNS] = [12, 10];
const image = () => input({ shape: [ROWS, COLUMNS, 1], name: 'image' });
const init = (seed: number) => ({ kernelInitializer: initializers.glorotNormal({ seed }), biasInitializer: initializers.randomNormal({ seed }), name: `layer${seed}` });
const apply = (layer: LayersModel['layers'][number], x: SymbolicTensor | SymbolicTensor[]) => layer.apply(x) as SymbolicTensor;
const dense = (x: SymbolicTensor) => apply(layers.dense({ ...init(8), units: 2, name: 'scores' }), x);
const mean = (x: SymbolicTensor) => apply(layers.globalAveragePooling2d({ dataFormat: 'channelsLast', name: 'mean' }), x);
const conv = (x: SymbolicTensor, seed: number, strides = 1, filters = 3) =>
  apply(layers.conv2d({ ...init(seed), filters, kernelSize: 3, strides, padding: 'same', activation: 'tanh' }), x);

/** Each as a function of the image to scores. */
const NETWORKS: Record<string, (x: SymbolicTensor) => SymbolicTensor> = {
  'a dense layer': x => dense(apply(layers.flatten({ name: 'flat' }), x)),
  'convolutions, one of them strided': x => dense(mean(conv(conv(x, 1), 2, 2))),
  'convolutions without an activation': x =>
    dense(mean(apply(layers.activation({ activation: 'tanh', name: 'tanh' }),
      apply(layers.conv2d({ ...init(2), filters: 3, kernelSize: [3, 2], padding: 'valid' }), apply(layers.conv2d({ ...init(1), filters: 2, kernelSize: 4, padding: 'same' }), x))))),
  'batch normalisation': x => dense(mean(conv(apply(layers.batchNormalization({ name: 'norm', movingMeanInitializer: 'ones', gammaInitializer: initializers.randomNormal({ seed: 7, stddev: 1 }) }), conv(x, 1)), 2))),
  'the largest of a pool': x => dense(mean(conv(apply(layers.maxPooling2d({ poolSize: 3, strides: 2, name: 'pool' }), conv(x, 1)), 2))),
  'the mean of a pool': x => dense(mean(conv(apply(layers.averagePooling2d({ poolSize: 2, strides: 2, name: 'pool' }), conv(x, 1)), 2))),
  'a concatenation, as in a DenseNet': x => {
    const first = conv(x, 1);
    return dense(mean(conv(apply(layers.concatenate({ name: 'joined' }), [first, conv(first, 2), x]), 3)));
  },
  'a sum, as in a ResNet': x => {
    const first = conv(x, 1);
    return dense(mean(apply(layers.add({ name: 'sum' }), [first, conv(first, 2)])));
  },
  'a layer that is used twice': x => {
    const twice = layers.conv2d({ ...init(9), filters: 1, kernelSize: 3, padding: 'same', activation: 'tanh' });
    return dense(mean(apply(twice, apply(twice, x))));
  },
  'bilinear upsampling': x => dense(mean(conv(apply(layers.upSampling2d({ size: [2, 2], interpolation: 'bilinear', name: 'up' }), conv(x, 1)), 2))),
  'a comparison': x => dense(apply(layers.thresholdedReLU({ theta: 0, name: 'over' }), mean(conv(x, 1)))),
};

const values = (seed: number, size = ROWS * COLUMNS) => tidy(() => randomNormal([size], 0, 1, 'float32', seed).dataSync().slice() as Float32Array);

describe('derivatives of a classifier', () => {
  let runtime: TfjsRuntime;
  beforeAll(async () => {
    runtime = await createRuntime({ backend: 'cpu' });
  });
  afterAll(() => runtime.dispose());

  async function loaded(network: (x: SymbolicTensor) => SymbolicTensor, changes = {}): Promise<LoadedModel> {
    const x = image();
    return runtime.load(await classifierFiles(model({ inputs: x, outputs: network(x) }), ['First', 'Second'], changes));
  }

  test.each(Object.entries(NETWORKS))('%s: finite differences agree', async (_, network) => {
    const net = await loaded(network);
    const before = runtime.memory();
    const x = values(1);
    const { score, gradient } = await net.gradients.inputGradient(x, 1);
    const [plain] = await net.gradients.scores(x, 1);
    expect(score).toBeCloseTo(plain!, 5);
    const step = 5e-4;
    for (const seed of [2, 3, 4]) {
      const direction = values(seed);
      const moved = [step, -step].flatMap(s => [...x.map((v, i) => v + s * direction[i]!)]);
      const [up, down] = await net.gradients.scores(Float32Array.from(moved), 1);
      const slope = gradient.reduce((total, g, i) => total + g * direction[i]!, 0);
      const length = Math.sqrt(gradient.reduce((total, g) => total + g * g, 0) * direction.reduce((total, d) => total + d * d, 0));
      expect(length).toBeGreaterThan(0);
      expect(Math.abs((up! - down!) / (2 * step) - slope) / length).toBeLessThan(1e-3);
    }
    expect(runtime.memory()).toEqual(before);
    net.dispose();
  });

  test('by a feature map: the rest of the network, entered in its middle', async () => {
    const net = await loaded(NETWORKS['a concatenation, as in a DenseNet']!);
    const x = values(1);
    const whole = await net.gradients.layerGradient(x, 0);
    expect(whole.layer).toBe('layer3');
    expect(whole.shape).toEqual([ROWS, COLUMNS, 3]);
    const [score] = await net.gradients.scores(x, 0);
    expect(whole.score).toBeCloseTo(score!, 5);
    // The scores are linear in that map's mean: each pixel has the dense weight of its channel, over the pixels.
    const { weights } = await net.gradients.topLayer();
    whole.gradient.forEach((g, i) => expect(g).toBeCloseTo(weights[0]!.values[(i % 3) * 2]! / (ROWS * COLUMNS), 6));

    const known = await net.gradients.layerGradient(x, 0, { activations: whole.activations });
    expect(known).toEqual(whole);
    const joined = await net.gradients.layerGradient(x, 0, { layer: 'joined' });
    expect(joined.shape).toEqual([ROWS, COLUMNS, 7]);
    expect([...joined.activations.filter((_, i) => i % 7 === 6)]).toEqual([...x]);
    await expect(net.gradients.layerGradient(x, 0, { layer: 'nowhere' })).rejects.toMatchObject({ code: 'config/invalid', fields: { expected: ['layer3', 'joined', 'layer1', 'layer2'], got: 'nowhere' } });
    net.dispose();
  });

  test('another top layer is lent, the model keeps its own', async () => {
    const net = await loaded(NETWORKS['convolutions, one of them strided']!);
    const x = values(1);
    const before = await net.gradients.inputGradient(x, 0);
    const top = await net.gradients.topLayer();
    expect(top.layer).toBe('scores');
    expect(top.weights.map(w => w.shape)).toEqual([[3, 2], [2]]);
    const doubled = { topWeights: top.weights.map(w => w.values.map(v => 2 * v)) };
    const lent = await net.gradients.inputGradient(x, 0, doubled);
    expect(lent.score).toBeCloseTo(2 * before.score, 5);
    lent.gradient.forEach((g, i) => expect(g).toBeCloseTo(2 * before.gradient[i]!, 5));
    expect((await net.gradients.scores(x, 0, doubled))[0]).toBeCloseTo(2 * before.score, 5);
    expect(await net.gradients.inputGradient(x, 0)).toEqual(before);
    net.dispose();
  });

  test('a feature map of the top layer itself changes with it', async () => {
    const net = await loaded(x => mean(conv(conv(x, 1), 2, 1, 2)));
    const x = values(1);
    const before = await net.gradients.layerGradient(x, 0);
    const top = await net.gradients.topLayer();
    expect([before.layer, top.layer]).toEqual(['layer2', 'layer2']);
    const topWeights = top.weights.map(w => w.values.map(v => -v));
    const { activations } = await net.gradients.layerGradient(x, 0, { topWeights, activations: before.activations });
    activations.forEach((v, i) => expect(v).toBeCloseTo(-before.activations[i]!, 6));
    net.dispose();
  });

  test('many inputs are scored in parts, each as by itself', async () => {
    const net = await loaded(NETWORKS['convolutions, one of them strided']!);
    const many = values(5, 37 * ROWS * COLUMNS);
    const scores = await net.gradients.scores(many, 1);
    expect(scores).toHaveLength(37);
    for (const i of [0, 15, 16, 36]) {
      const [alone] = await net.gradients.scores(many.subarray(i * ROWS * COLUMNS, (i + 1) * ROWS * COLUMNS), 1);
      expect(scores[i]).toBeCloseTo(alone!, 5);
    }
    net.dispose();
  });

  test('softmax with a background has its targets one channel on; a Sequential model is a model', async () => {
    const net = await runtime.load(await classifierFiles(
      sequential({ layers: [layers.flatten({ inputShape: [ROWS, COLUMNS, 1], name: 'flat' }), layers.dense({ units: 3, name: 'scores' })] }), ['First', 'Second'], { output: { activation: 'softmax' } }));
    const { weights } = await net.gradients.topLayer();
    const { gradient } = await net.gradients.inputGradient(values(1), 0);
    gradient.forEach((g, i) => expect(g).toBeCloseTo(weights[0]!.values[i * 3 + 1]!, 6));
    net.dispose();
  });

  test('50 passes leave the memory as it was, failed and cancelled ones too', async () => {
    const net = await loaded(NETWORKS['batch normalisation']!);
    const x = values(1);
    const top = await net.gradients.topLayer();
    const topWeights = top.weights.map(w => w.values);
    const before = runtime.memory();
    for (let i = 0; i < 10; i++) {
      await net.gradients.scores(x, 0, { topWeights });
      await net.gradients.inputGradient(x, 0, { topWeights });
      await net.gradients.layerGradient(x, 0, { topWeights });
      await expect(net.gradients.layerGradient(x, 0, { layer: 'nowhere' })).rejects.toThrow();
      await expect(net.gradients.inputGradient(x, 0, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'job/cancelled' });
      await expect(net.gradients.inputGradient(x.map(() => NaN), 0)).rejects.toMatchObject({ code: 'model/output' });
    }
    expect(runtime.memory()).toEqual(before);
    net.dispose();
  });

  test('a network that makes no scores, and one that ends in its image, are refused by name', async () => {
    const masks = await runtime.load(tinyFiles('tiny-unet'));
    const x = values(1, 32 * 32);
    await expect(masks.gradients.scores(x, 0)).rejects.toMatchObject({ code: 'model/graph', fields: { got: [1, 32, 32, 1] } });
    await expect(masks.gradients.inputGradient(x, 0)).rejects.toMatchObject({ code: 'model/graph' });
    masks.dispose();
    const flat = await loaded(NETWORKS['a dense layer']!);
    await expect(flat.gradients.layerGradient(values(1), 0)).rejects.toMatchObject({ code: 'config/invalid', message: expect.stringMatching(/Choose integrated gradients or occlusion/) });
    flat.dispose();
  });

  test('a graph model has no layers to enter', async () => {
    const graph = await runtime.load(tinyFiles('tiny-graph'));
    await expect(graph.gradients.inputGradient(values(1, 1024), 0)).rejects.toMatchObject({ code: 'model/graph', message: expect.stringMatching(/Choose occlusion/) });
    graph.dispose();
  });

  test('an operation without a derivative is named', async () => {
    const net = await loaded(x => dense(mean(apply(layers.conv2d({ ...init(1), filters: 2, kernelSize: 3, dilationRate: 2, padding: 'same' }), x))));
    await expect(net.gradients.inputGradient(values(1), 0)).rejects.toMatchObject({ code: 'model/graph', message: expect.stringMatching(/dilation.*Choose occlusion/s) });
    expect(await net.gradients.scores(values(1), 0)).toHaveLength(1);
    net.dispose();
  });
});

test('wasm has scores and no derivatives, and says what works there', async () => {
  await setBackend('cpu');
  const x = image();
  const files = await classifierFiles(model({ inputs: x, outputs: NETWORKS['a dense layer']!(x) }), ['First', 'Second']);
  const wasm = await createRuntime({ backend: 'wasm', wasmPath: WASM });
  const net = await wasm.load(files);
  const top = await net.gradients.topLayer();
  const topWeights = top.weights.map(w => w.values);
  const [score] = await net.gradients.scores(values(1), 1);
  expect((await net.gradients.scores(values(1), 1, { topWeights }))[0]).toBeCloseTo(score!, 5);
  for (const derivative of [net.gradients.inputGradient(values(1), 0), net.gradients.layerGradient(values(1), 0)]) {
    await expect(derivative).rejects.toMatchObject({ code: 'device/unavailable', message: expect.stringMatching(/WebGPU, WebGL .*WebAssembly.*occlusion/) });
  }
  net.dispose();
  wasm.dispose();
});

describe('rules that mend tfjs', () => {
  beforeAll(async () => {
    await setBackend('cpu');
    installGradientRules();
  });

  test.each([[false, true], [false, false], [true, false]])('bilinear resize (aligned corners %s, half-pixel centres %s): the transpose of what it does', (aligned, half) => {
    tidy(() => {
      // Linear, so ⟨resize(x), y⟩ = ⟨x, gradient(y)⟩ for all x and y; not square, two images, larger and smaller.
      for (const [from, to] of [[[5, 7], [11, 4]], [[6, 3], [3, 9]], [[1, 4], [3, 1]]] as const) {
        const x = randomNormal([2, ...from, 2], 0, 1, 'float32', 1) as Tensor4D;
        const y = randomNormal([2, ...to, 2], 0, 1, 'float32', 2) as Tensor4D;
        const { value, grad } = valueAndGrad(of => tfImage.resizeBilinear(of as Tensor4D, [...to], aligned, half))(x, y);
        const dot = (a: Tensor, b: Tensor) => sum(mul(a, b)).dataSync()[0]!;
        expect(dot(x, grad)).toBeCloseTo(dot(value, y), 4);
        expect(Math.abs(dot(value, y))).toBeGreaterThan(0.01);
      }
    });
  });

  test.each([[1, 'same'], [3, 'same'], [4, 'same'], [3, 'valid'], [2, 'valid']] as const)('a convolution of %i × %i + 1 pixels, %s: the transpose of what it does', (size, padding) => {
    tidy(() => {
      const kernel = randomNormal([size, size + 1, 2, 3], 0, 1, 'float32', 3) as Tensor4D;
      const convolved = (of: Tensor) => conv2d(of as Tensor4D, kernel, 1, padding);
      const x = randomNormal([2, 7, 6, 2], 0, 1, 'float32', 1) as Tensor4D;
      const y = randomNormal(convolved(x).shape, 0, 1, 'float32', 2);
      const { value, grad } = valueAndGrad(convolved)(x, y as Tensor4D);
      const dot = (a: Tensor, b: Tensor) => sum(mul(a, b)).dataSync()[0]!;
      expect(grad.shape).toEqual(x.shape);
      expect(Math.abs(dot(x, grad) - dot(value, y)) / Math.abs(dot(value, y))).toBeLessThan(1e-4);
    });
  });

  test('where and greater', () => {
    tidy(() => {
      const { grad } = valueAndGrad(x => sum(where(greater(x, 0), square(x), mul(x, 3))))(tensor4d([-1, 2, -3, 4], [1, 2, 2, 1]));
      expect([...grad.dataSync()]).toEqual([3, 4, 3, 8]);
    });
  });
});
