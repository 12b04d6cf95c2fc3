import type { Tensor } from '@tensorflow/tfjs-core';
import { assignStateDict } from '../../src/architectures/assign.ts';
import { buildResNet } from '../../src/architectures/resnet.ts';
import { readCheckpoint } from '../../src/runtime/checkpoints/read.ts';
import { BACKENDS, decode, type Encoded, goldenBytes, goldenJson, RELATIVE_TOLERANCE, relativeDifference, useBackend } from './torch-golden.ts';

interface Golden {
  options: { classes: number; layers: number[]; width: number };
  input: Encoded;
  logits: number[][];
}
const golden = goldenJson<Golden>('resnet/golden.json');

describe.each(BACKENDS)('a small ResNet on %s', backend => {
  beforeAll(() => useBackend(backend));

  test('gives PyTorch\'s logits', async () => {
    const [, rows, columns] = golden.input.shape;
    const net = buildResNet({ inputShape: [rows, columns], ...golden.options, weights: 'zeros' });
    assignStateDict(net, readCheckpoint(goldenBytes('resnet/state.pt'), 'state.pt'));
    const x = decode(golden.input);
    const y = net.predict(x) as Tensor;
    expect(await relativeDifference(y, golden.logits)).toBeLessThan(RELATIVE_TOLERANCE);
    [x, y, net].forEach(o => o.dispose());
  });
});
