import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { buildResNet } from '../../../src/architectures/resnet.ts';

test('buildResNet has the parameters and the weighted layers of torchvision\'s ResNet-50', async () => {
  await tf.setBackend('cpu');
  const net = buildResNet({ weights: 'zeros' });
  const trainable = net.trainableWeights.reduce((sum, w) => sum + w.shape.reduce<number>((a, b) => a * b!, 1), 0);
  // 25 557 032 with three channels and 1000 classes (torchvision); less 2·7·7·64 and 982·2049.
  expect(trainable).toBe(25_557_032 - 2 * 7 * 7 * 64 - 982 * 2049);
  expect(net.layers.filter(l => l.getClassName() === 'Conv2D')).toHaveLength(53);
  expect(net.inputs[0]!.shape).toEqual([null, 512, 512, 1]);
  expect(net.outputs[0]!.shape).toEqual([null, 18]);
  net.dispose();
});
