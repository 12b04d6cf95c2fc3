import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { buildFusion, FUSION_KINDS } from '../../../src/architectures/fusion.ts';
import { ViewMoments } from '../../../src/runtime/view-moments.ts';
import { fusionAnswer, fusionInputs, VIEWS } from '../../../src/tasks/fusion.ts';

const TINY = { inputShape: [16, 16] as const, classes: 2, growth: 6, blockConfig: [1, 1], initFeatures: 8, bnSize: 2, weights: { seed: 1 } };
const view = (seed: number, n = 1) => tf.randomNormal([n, 16, 16, 1], 0, 1, 'float32', seed) as tf.Tensor4D;

beforeAll(() => tf.setBackend('cpu'));

describe.each(FUSION_KINDS)('%s', kind => {
  test('looks at both views when both are there', () => {
    const net = buildFusion(kind, TINY);
    const [pa, l, other] = [view(1), view(2), view(3)];
    const logits = (views: Record<'PA' | 'L', tf.Tensor>) =>
      Array.from(fusionAnswer(kind, VIEWS, [net.predict(fusionInputs(kind, views))].flat().map(t => t.dataSync() as Float32Array)).fused);
    const both = logits({ PA: pa, L: l });
    expect(logits({ PA: pa, L: other })).not.toEqual(both);
    expect(logits({ PA: other, L: l })).not.toEqual(both);
    net.dispose();
  });

  test('can be trained', () => {
    const net = buildFusion(kind, TINY);
    const inputs = [view(1, 2), view(2, 2), ...(net.inputs.length > 2 ? [tf.tensor2d([[1, 1], [1, 0]])] : [])];
    const { grads } = tf.variableGrads(() => {
      const outputs = net.apply(inputs, { training: true }) as tf.Tensor | tf.Tensor[];
      return tf.addN((Array.isArray(outputs) ? outputs : [outputs]).map(y => tf.sum(tf.square(y)))) as tf.Scalar;
    }, net.trainableWeights.map(w => (w.read() as tf.Variable)));
    const stems = Object.entries(grads).filter(([name]) => name.includes('conv0'));
    expect(stems.length).toBe(kind === 'stacked' ? 1 : 2);
    for (const [, gradient] of stems) expect(Math.max(...gradient.dataSync().map(Math.abs))).toBeGreaterThan(0);
    net.dispose();
  });
});

test('HeMIS wants a block on each side of the merge', () => {
  expect(() => buildFusion('hemis', { ...TINY, mergeAfter: 2 })).toThrow(/merge after dense block 1 to 1; got 2/);
});

describe('ViewMoments', () => {
  const a = tf.tensor4d([1, 2], [2, 1, 1, 1]);
  const b = tf.tensor4d([5, 8], [2, 1, 1, 1]);

  test('takes mean and unbiased variance over the views that each item of a batch has', () => {
    const moments = new ViewMoments({}).apply([a, b, tf.tensor2d([[1, 1], [0, 1]])]) as tf.Tensor;
    expect(Array.from(moments.dataSync())).toEqual([3, 8, 8, 0]);
  });

  test('an absent view counts for nothing, whatever its values', () => {
    const layer = new ViewMoments({ variance: false });
    const mean = layer.apply([a, b, tf.tensor2d([[1, 0], [1, 0]])]) as tf.Tensor;
    expect(Array.from(mean.dataSync())).toEqual([1, 2]);
    expect(layer.getConfig()).toMatchObject({ variance: false });
  });
});
