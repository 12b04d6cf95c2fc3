/** The losses against PyTorch in float64 (test/generators/losses.py): values and derivatives. */
import '@tensorflow/tfjs-backend-cpu';
// It brings tfjs's gradients with it.
import '@tensorflow/tfjs-layers';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { memory, scalar, setBackend, tensor, valueAndGrad, type Scalar, type Tensor } from '@tensorflow/tfjs-core';
import { binaryCrossEntropy } from '../../src/losses/binary-cross-entropy.ts';
import { categoricalCrossEntropy } from '../../src/losses/categorical-cross-entropy.ts';
import { diceCrossEntropy, type DiceCrossEntropyOptions } from '../../src/losses/dice-cross-entropy.ts';
import { diceLoss } from '../../src/losses/dice-loss.ts';
import { focalLoss, type FocalOptions } from '../../src/losses/focal-loss.ts';

interface Golden {
  readonly shape: number[];
  readonly logits: number[];
  readonly targets: number[];
  readonly classes: number[];
  readonly weights: number[];
  readonly cases: readonly { name: string; loss: string; options: object; labels: 'targets' | 'classes'; weighted: boolean; value: number; gradient: number[] }[];
}
const golden = JSON.parse(readFileSync(join(__dirname, 'losses.json'), 'utf8')) as Golden;
const TOLERANCE = 1e-4;

const LOSSES: Readonly<Record<string, (y: Tensor, z: Tensor, weights: Tensor | undefined, options: object) => Scalar>> = {
  binaryCrossEntropy: (y, z, w) => binaryCrossEntropy(y, z, w),
  categoricalCrossEntropy: (y, z, w) => categoricalCrossEntropy(y, z, w),
  diceLoss: (y, z, weights, options) => diceLoss(y, z, { ...(options as DiceCrossEntropyOptions), ...(weights && { weights }) }),
  diceCrossEntropy: (y, z, weights, options) => diceCrossEntropy(y, z, { ...(options as DiceCrossEntropyOptions), ...(weights && { weights }) }),
  focalLoss: (y, z, weights, options) => focalLoss(y, z, { ...(options as FocalOptions), ...(weights && { weights }) }),
};

beforeAll(() => setBackend('cpu'));

test.each(golden.cases.map(of => [of.name, of] as const))('%s', (_, { loss, options, labels, weighted, value, gradient }) => {
  const y = tensor(golden[labels], golden.shape);
  const z = tensor(golden.logits, golden.shape);
  const w = weighted ? tensor(golden.weights, [...golden.shape.slice(0, -1), 1]) : undefined;
  const before = memory().numTensors;
  const of = (logits: Tensor) => LOSSES[loss]!(y, logits, w, options);
  const got = valueAndGrad(of)(z);
  expect(Math.abs(got.value.dataSync()[0]! - value)).toBeLessThan(TOLERANCE);
  const derived = got.grad.dataSync();
  const size = Math.max(...gradient.map(Math.abs));
  expect(Math.max(...gradient.map((g, i) => Math.abs(g - derived[i]!)))).toBeLessThan(TOLERANCE * size);

  // Central differences: what the derivative says is what the loss does.
  const step = 0.02;
  for (const at of [0, 17, 44, 119]) {
    const moved = (by: number) => of(tensor(golden.logits.map((v, i) => (i === at ? v + by : v)), golden.shape)).dataSync()[0]!;
    expect(Math.abs((moved(step) - moved(-step)) / (2 * step) - derived[at]!)).toBeLessThan(2e-3 * size + 2e-5);
  }
  expect(memory().numTensors).toBeGreaterThan(before);
});

test('very sure logits, right and wrong, give finite losses and derivatives', () => {
  const z = tensor([200, -200, 200, -200], [1, 1, 2, 2]);
  const y = tensor([1, 0, 0, 1], [1, 1, 2, 2]);
  const s = { activation: 'sigmoid' } as const;
  for (const loss of [(x: Tensor) => binaryCrossEntropy(y, x), (x: Tensor) => categoricalCrossEntropy(y, x), (x: Tensor) => diceLoss(y, x, s), (x: Tensor) => focalLoss(y, x, s), (x: Tensor) => focalLoss(y, x, { activation: 'softmax' })]) {
    const { value, grad } = valueAndGrad(loss)(z);
    expect([...value.dataSync(), ...grad.dataSync()].every(Number.isFinite)).toBe(true);
  }
  expect(binaryCrossEntropy(y, z).dataSync()[0]).toBeCloseTo(100, 3);
});

test('a class that is nowhere costs nothing when it is not found; the best answer has a Dice loss of 0', () => {
  const y = tensor([1, 0, 1, 0], [1, 1, 2, 2]);
  const sure = tensor([30, -30, 30, -30], [1, 1, 2, 2]);
  expect(diceLoss(y, sure, { activation: 'softmax' }).dataSync()[0]).toBeCloseTo(0, 5);
  expect(diceLoss(y, sure, { activation: 'sigmoid' }).dataSync()[0]).toBeCloseTo(0, 5);
});

test('labels or weights of another shape are refused, not repeated', () => {
  const z = tensor([1, 2, 3, 4], [1, 1, 2, 2]);
  expect(() => binaryCrossEntropy(scalar(1), z)).toThrow(/Expected labels/);
  expect(() => binaryCrossEntropy(z, z, tensor([1, 2], [1, 1, 1, 2]))).toThrow(/Expected weights/);
  expect(() => categoricalCrossEntropy(z, z, z)).toThrow(/Expected weights/);
});
