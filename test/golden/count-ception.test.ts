import { grad, tensor, tensor4d, type Tensor } from '@tensorflow/tfjs-core';
import { assignStateDict } from '../../src/architectures/assign.ts';
import { buildCountCeption, COUNT_CEPTION_FIELD } from '../../src/architectures/count-ception.ts';
import { densityL1 } from '../../src/losses/density-l1.ts';
import { densityL2 } from '../../src/losses/density-l2.ts';
import { readCheckpoint } from '../../src/runtime/checkpoints/read.ts';
import { receptiveField } from '../../src/runtime/receptive-field.ts';
import { BACKENDS, decode, type Encoded, goldenBytes, goldenJson, RELATIVE_TOLERANCE, useBackend } from './torch-golden.ts';

interface Golden {
  readonly width: number;
  readonly classes: number;
  readonly input: Encoded;
  readonly output: Encoded;
  readonly shape: [number, number, number, number];
  readonly truth: number[];
  readonly weights: number[];
  readonly losses: readonly { readonly loss: 'densityL1' | 'densityL2'; readonly weighted: boolean; readonly predicted: number[]; readonly value: number; readonly gradient: number[] }[];
}
const golden = goldenJson<Golden>('count-ception/golden.json');
const LOSSES = { densityL1, densityL2 };

describe.each(BACKENDS)('a narrow Count-ception on %s', backend => {
  beforeAll(() => useBackend(backend));

  test('gives PyTorch\'s redundant map', async () => {
    const [, rows, columns] = golden.input.shape;
    const net = buildCountCeption({ inputShape: [rows, columns], classes: golden.classes, width: golden.width, weights: 'zeros' });
    assignStateDict(net, readCheckpoint(goldenBytes('count-ception/state.safetensors'), 'state.safetensors'));
    const [x, wanted] = [decode(golden.input), decode(golden.output)];
    const y = net.predict(x) as Tensor;
    expect(y.shape).toEqual([1, rows + COUNT_CEPTION_FIELD - 1, columns + COUNT_CEPTION_FIELD - 1, golden.classes]);
    const [got, expected] = [(await y.data()) as Float32Array, (await wanted.data()) as Float32Array];
    const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    expect(got.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i]!)), 0) / largest).toBeLessThan(RELATIVE_TOLERANCE);
    [x, wanted, y, net].forEach(o => o.dispose());
  });
});

test('reads its field and a little around it, at stride 1, and gives field − 1 more outputs than pixels', () => {
  const net = buildCountCeption({ inputShape: [96, 100], width: 1 / 16, weights: 'zeros' });
  const { rows, columns } = receptiveField(net);
  expect(rows).toMatchObject({ input: 96, output: 127, stride: 1, alignment: 1, size: 32 + 2 * 5 });
  expect(columns.output).toBe(131);
  net.dispose();
});

test.each(golden.losses)('$loss, weighted: $weighted, and its gradient are PyTorch\'s', async ({ loss, weighted, predicted, value, gradient }) => {
  await useBackend('cpu');
  const truth = tensor4d(golden.truth, golden.shape);
  const weights = weighted ? tensor(golden.weights, [...golden.shape.slice(0, 3), 1]) : undefined;
  const of = (x: Tensor) => LOSSES[loss](truth, x, weights);
  const x = tensor4d(predicted, golden.shape);
  expect((await of(x).data())[0]).toBeCloseTo(value, 6);
  const slope = await grad(of)(x).data();
  gradient.forEach((wanted, i) => expect(slope[i]).toBeCloseTo(wanted, 6));
});
