/** Losses on derivatives and representations against PyTorch in float64 (test/generators/guided-losses.py): values, and derivatives by the weights. */
import '@tensorflow/tfjs-backend-cpu';
// It brings tfjs's gradients with it.
import '@tensorflow/tfjs-layers';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { add, conv2d, matMul, mul, reshape, setBackend, softplus, sub, sum, tensor, tidy, valueAndGrads, type Scalar, type Tensor, type Tensor2D, type Tensor4D } from '@tensorflow/tfjs-core';
import { activationDifference, shuffledOutside } from '../../src/losses/activation-difference.ts';
import { auxLoss } from '../../src/losses/aux-loss.ts';
import { binaryCrossEntropy } from '../../src/losses/binary-cross-entropy.ts';
import { gradientMask } from '../../src/losses/gradient-mask.ts';
import type { Activation } from '../../src/losses/loss.ts';
import { reversalWeight, reverseGradient } from '../../src/losses/reverse-gradient.ts';
import { rightReasons } from '../../src/losses/right-reasons.ts';
import { installGradientRules } from '../../src/runtime/gradient-rules.ts';
import { installWebGPU } from '../../src/runtime/node-webgpu.ts';
import { createRuntime, type TfjsRuntime } from '../../src/runtime/runtime.ts';
import { dawnMissing } from '../unit/runtime/dawn.ts';

jest.mock('webgpu', () => jest.requireActual<typeof import('../unit/runtime/dawn.ts')>('../unit/runtime/dawn.ts').dawn());

type Name = 'kernel' | 'bias' | 'dense';
interface Golden {
  readonly shape: [number, number, number, number];
  readonly pictures: number[];
  readonly outside: number[];
  readonly masked: number[];
  readonly sites: number[];
  readonly weights: Readonly<Record<Name, { shape: number[]; values: number[] }>>;
  readonly cases: readonly { loss: string; activation: Activation; value: number; gradients: Readonly<Record<Name, number[]>> }[];
}
const golden = JSON.parse(readFileSync(join(__dirname, 'guided-losses.json'), 'utf8')) as Golden;
const NAMES = ['kernel', 'bias', 'dense'] as const;

function lossOf(name: string, activation: Activation, [kernel, bias, dense]: readonly Tensor[]): Scalar {
  const [n, rows, columns] = golden.shape;
  const features = (x: Tensor) => reshape(softplus(add(conv2d(x as Tensor4D, kernel as Tensor4D, 1, 'same'), bias!)), [n, -1]);
  const network = (x: Tensor) => matMul(features(x) as Tensor2D, dense as Tensor2D);
  const pictures = tensor(golden.pictures, golden.shape);
  const labels = tensor(golden.sites, [n, 2]);
  const guidance = { network, pictures, outside: tensor(golden.outside, [n, rows, columns, 1]), activation };
  switch (name) {
    case 'rightReasons': return rightReasons(guidance);
    case 'gradientMask': return gradientMask(guidance);
    // The dense layer has no part in it, and a derivative of 0.
    case 'activationDifference': return add(activationDifference(features(pictures), features(tensor(golden.masked, golden.shape))), mul(sum(dense!), 0));
    case 'reverseGradient': return binaryCrossEntropy(labels, matMul(reverseGradient(features(pictures), 0.7) as Tensor2D, dense as Tensor2D));
    default: return auxLoss(labels, [network(pictures), mul(network(pictures), 2), sub(network(pictures), 1)], binaryCrossEntropy);
  }
}

async function expectLikePyTorch({ loss, activation, value, gradients }: Golden['cases'][number]): Promise<void> {
  const got = tidy(() => valueAndGrads((...of: Tensor[]) => lossOf(loss, activation, of))(NAMES.map(name => tensor(golden.weights[name].values, golden.weights[name].shape))));
  expect(Math.abs((await got.value.data())[0]! - value) / value).toBeLessThan(1e-4);
  for (const [i, name] of NAMES.entries()) {
    const derived = await got.grads[i]!.data();
    const size = Math.max(...Object.values(gradients).flat().map(Math.abs));
    expect(Math.max(...gradients[name].map((g, k) => Math.abs(g - derived[k]!))) / size).toBeLessThan(1e-4);
  }
}

const cases = golden.cases.map(of => [of.loss, of.activation, of] as const);

describe('on plain JavaScript', () => {
  beforeAll(async () => {
    await setBackend('cpu');
    installGradientRules();
  });
  test.each(cases)('%s, %s', (_, __, of) => expectLikePyTorch(of));
});

const missing = dawnMissing();
if (missing) console.warn(`Skipped: losses on WebGPU, since there is ${missing}.`);
(missing ? describe.skip : describe)('on WebGPU', () => {
  let runtime: TfjsRuntime;
  beforeAll(async () => {
    await installWebGPU();
    runtime = await createRuntime({ backend: 'webgpu', allowSoftware: true });
  });
  afterAll(() => runtime.dispose());
  test.each(cases)('%s, %s', (_, __, of) => runtime.turn(device => device.guard(() => expectLikePyTorch(of))));
});

test('outside of the mask the same pixels stand in another order, inside nothing moves', () => {
  const picture = Float32Array.from({ length: 40 }, (_, i) => i);
  const mask = Array.from({ length: 20 }, (_, i) => (i % 4 === 1 ? 1 : 0));
  let i = 0;
  const out = shuffledOutside(picture, mask, 2, () => (i = (i * 7 + 3) % 11) / 11);
  mask.forEach((inside, at) => inside && expect([out[2 * at], out[2 * at + 1]]).toEqual([2 * at, 2 * at + 1]));
  expect([...out].sort((a, b) => a - b)).toEqual([...picture]);
  expect(out).not.toEqual(picture);
  expect([...out].every((v, k) => k % 2 === 0 || v === out[k - 1]! + 1)).toBe(true);
});

test('the weight of a reversal rises from 0 to 1', () => {
  expect(reversalWeight(0)).toBe(0);
  expect(reversalWeight(1)).toBeGreaterThan(0.999);
});
