import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { buildDenseNet } from '../../../src/architectures/densenet.ts';

describe('buildDenseNet', () => {
  beforeAll(() => tf.setBackend('cpu'));

  test('has the parameters and the weighted layers of torchvision\'s DenseNet-121', () => {
    const net = buildDenseNet({ weights: 'zeros' });
    const trainable = net.trainableWeights.reduce((sum, w) => sum + w.shape.reduce<number>((a, b) => a * b!, 1), 0);
    // 7 978 856 with three channels and 1000 classes (torchvision); less 2·7·7·64 and 982·1025.
    expect(trainable).toBe(7_978_856 - 2 * 7 * 7 * 64 - 982 * 1025);
    expect(net.layers.filter(l => l.getClassName() === 'Conv2D')).toHaveLength(120);
    expect(net.inputs[0]!.shape).toEqual([null, 224, 224, 1]);
    expect(net.outputs[0]!.shape).toEqual([null, 18]);
    net.dispose();
  });

  test('a small one runs, and its seed repeats', () => {
    const options = { inputShape: [32, 32] as const, classes: 3, growth: 4, blockConfig: [2, 2], initFeatures: 8, bnSize: 2, weights: { seed: 3 } };
    const x = tf.randomUniform([2, 32, 32, 1], -1, 1, 'float32', 5);
    const [a, b] = [0, 1].map(() => {
      const net = buildDenseNet(options);
      const y = net.predict(x) as tf.Tensor;
      net.dispose();
      return Array.from(y.dataSync());
    });
    expect(a).toHaveLength(6);
    expect(a!.some(v => v !== 0)).toBe(true);
    expect(b).toEqual(a);
  });

  test('refuses an input that the blocks halve to nothing', () => {
    expect(() => buildDenseNet({ inputShape: [16, 16] })).toThrow(/at least 32 × 32 pixels; got 16 × 16/);
  });
});
