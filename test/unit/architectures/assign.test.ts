import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { assignStateDict, torchNames } from '../../../src/architectures/assign.ts';
import { buildDenseNet } from '../../../src/architectures/densenet.ts';
import type { OverreadError } from '../../../src/errors.ts';
import type { CheckpointTensor, StateDict } from '../../../src/runtime/checkpoints/state-dict.ts';

const OPTIONS = { inputShape: [8, 8] as const, classes: 2, growth: 2, blockConfig: [1], initFeatures: 3, bnSize: 1, weights: 'zeros' as const };

function t(shape: number[], start = 0): CheckpointTensor {
  return { dtype: 'float32', shape, values: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => start + i) };
}

/** All that OPTIONS' network wants. */
function state(): Map<string, CheckpointTensor> {
  const map = new Map<string, CheckpointTensor>();
  const norm = (name: string, n: number) => ['weight', 'bias', 'running_mean', 'running_var'].forEach((p, i) => map.set(`${name}.${p}`, t([n], i)));
  map.set('features.conv0.weight', t([3, 1, 7, 7]));
  norm('features.norm0', 3);
  norm('features.denseblock1.denselayer1.norm1', 3);
  map.set('features.denseblock1.denselayer1.conv1.weight', t([2, 3, 1, 1]));
  norm('features.denseblock1.denselayer1.norm2', 2);
  map.set('features.denseblock1.denselayer1.conv2.weight', t([2, 2, 3, 3]));
  norm('features.norm5', 5);
  map.set('features.norm5.num_batches_tracked', t([]));
  map.set('classifier.weight', t([2, 5]));
  map.set('classifier.bias', t([2]));
  return map;
}

function errorOf(given: StateDict): OverreadError {
  const net = buildDenseNet(OPTIONS);
  try {
    assignStateDict(net, given);
  } catch (error) {
    // All or nothing.
    expect(net.getWeights().every(w => w.dataSync().every(v => v === 0 || v === 1))).toBe(true);
    return error as OverreadError;
  } finally {
    net.dispose();
  }
  throw new Error('expected an error');
}

describe('assignStateDict', () => {
  beforeAll(() => tf.setBackend('cpu'));

  test('puts every weight where it belongs', () => {
    const net = buildDenseNet(OPTIONS);
    const before = tf.memory().numTensors;
    assignStateDict(net, state());
    expect(tf.memory().numTensors).toBe(before);
    // OIHW [2, 2, 3, 3] → HWIO: [h][w][i][o] was o·18 + i·9 + h·3 + w.
    const kernel = net.getLayer('features.denseblock1.denselayer1.conv2').getWeights()[0]!.arraySync() as number[][][][];
    expect(kernel[2]![1]![0]![1]).toBe(1 * 18 + 0 * 9 + 2 * 3 + 1);
    expect(kernel[0]![2]![1]![0]).toBe(0 * 18 + 1 * 9 + 0 * 3 + 2);
    expect(net.getLayer('classifier').getWeights()[0]!.arraySync()).toEqual([[0, 5], [1, 6], [2, 7], [3, 8], [4, 9]]);
    expect(net.getLayer('features.norm0').getWeights().map(w => w.arraySync())).toEqual([[0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 5]]);
    net.dispose();
  });

  test('names every tensor that is missing, of another shape, unexpected, or not finite', () => {
    const given = state();
    given.delete('features.norm0.running_var');
    given.delete('classifier.bias');
    given.set('classifier.weight', t([14, 5]));
    given.set('head.weight', t([1]));
    given.set('features.norm5.bias', { ...t([5]), values: Float32Array.of(0, NaN, 0, 0, 0) });
    const error = errorOf(given);
    expect(error.code).toBe('model/checkpoint');
    expect(error.fields).toMatchObject({
      missing: ['features.norm0.running_var [3]', 'classifier.bias [2]'],
      misshapen: ['classifier.weight: expected [2, 5], got [14, 5]'],
      unexpected: ['head.weight'],
      notFinite: ['features.norm5.bias'],
    });
    expect(error.message).toContain('2 missing (features.norm0.running_var [3]; classifier.bias [2])');
    expect(error.message).toContain('classifier.weight: expected [2, 5], got [14, 5]');
  });

  test('takes a kernel with its axes swapped for what it is: another shape', () => {
    expect(errorOf(state().set('classifier.weight', t([5, 2]))).fields.misshapen).toEqual(['classifier.weight: expected [2, 5], got [5, 2]']);
  });
});

describe('torchNames', () => {
  test('takes off a wrapper\'s prefix only where every tensor has it', () => {
    const names = (...given: string[]) => [...torchNames(new Map(given.map(n => [n, t([])]))).keys()];
    expect(names('module.a', 'module.b')).toEqual(['a', 'b']);
    expect(names('module.model.a')).toEqual(['a']);
    expect(names('model.a', 'b')).toEqual(['model.a', 'b']);
    expect(names('features.denseblock1.denselayer12.norm.1.weight', 'features.denseblock1.denselayer12.conv.2.weight'))
      .toEqual(['features.denseblock1.denselayer12.norm1.weight', 'features.denseblock1.denselayer12.conv2.weight']);
  });
});
