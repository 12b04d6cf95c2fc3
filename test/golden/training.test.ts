/** 20 steps of training against PyTorch's loss curves (test/generators/torch-training.py), the same weights and batches. */
import '@tensorflow/tfjs-backend-cpu';
import { add, dispose, div, memory, minimum, mul, setBackend, sqrt, square, sum, tensor, tidy, variableGrads, type Tensor1D } from '@tensorflow/tfjs-core';
import { assignStateDict } from '../../src/architectures/assign.ts';
import { buildUNet } from '../../src/architectures/unet.ts';
import { diceCrossEntropy } from '../../src/losses/dice-cross-entropy.ts';
import { readCheckpoint } from '../../src/runtime/checkpoints/read.ts';
import { Optimiser } from '../../src/training/optimiser.ts';
import { Parameters } from '../../src/training/parameters.ts';
import { TrainableNetwork } from '../../src/training/trainable.ts';
import { goldenBytes, goldenJson } from './torch-golden.ts';

const { rate, clip, shape, curves } = goldenJson<{ rate: number; clip: number; shape: [number, number, number, number]; curves: Record<'sgd' | 'adam' | 'adamw', number[]> }>('training.json');
const RECIPES = {
  sgd: { kind: 'sgd', momentum: 0.9, weightDecay: 0.001 },
  adam: { kind: 'adam', weightDecay: 0.001 },
  adamw: { kind: 'adamw', weightDecay: 0.05 },
} as const;

beforeAll(() => setBackend('cpu'));

test.each(['sgd', 'adam', 'adamw'] as const)('%s follows PyTorch within 1e-3', async kind => {
  const before = memory().numTensors;
  const [, rows, columns, channels] = shape;
  const model = buildUNet({ inputShape: [rows, columns], inChannels: channels, classes: 2, depth: 1, width: 3, weights: 'zeros' });
  assignStateDict(model, readCheckpoint(goldenBytes('gradients/unet.safetensors'), 'unet'));
  const network = new TrainableNetwork(model, { layers: 'all', norms: 'frozen' });
  const parameters = new Parameters(network.variables);
  const optimiser = new Optimiser(RECIPES[kind], parameters.size);
  let weights = parameters.gather();
  const size = shape.reduce((a, b) => a * b, 1);
  for (const [step, expected] of curves[kind].entries()) {
    const x = tensor(Float32Array.from({ length: size }, (_, i) => Math.sin(0.1 * i + step)), shape);
    const y = tensor(Float32Array.from({ length: size }, (_, i) => Number(Math.sin(0.05 * i + 2 * step) > 0.3)), shape);
    const { value, grads } = variableGrads(() => diceCrossEntropy(y, network.compute([x]).outputs[0]!, { activation: 'sigmoid' }), [...network.variables]);
    const gradient = tidy(() => {
      const whole = parameters.gradient(grads);
      return mul(whole, minimum(1, div(clip, add(sqrt(sum(square(whole))), 1e-6)))) as Tensor1D;
    });
    const next = optimiser.step(weights, gradient, rate);
    const loss = value.dataSync()[0]!;
    dispose([x, y, value, grads, gradient, weights]);
    weights = next;
    parameters.scatter(weights);
    expect(Math.abs(loss - expected) / expected).toBeLessThan(1e-3);
  }
  expect(curves[kind].at(-1)!).toBeLessThan(curves[kind][0]!);
  weights.dispose();
  optimiser.dispose();
  model.dispose();
  expect(memory().numTensors).toBe(before);
});
