import type { Tensor } from '@tensorflow/tfjs-core';
import { assignStateDict } from '../../src/architectures/assign.ts';
import { buildDenseNet } from '../../src/architectures/densenet.ts';
import { readCheckpoint } from '../../src/runtime/checkpoints/read.ts';
import { BACKENDS, decode, type Encoded, goldenBytes, goldenJson, RELATIVE_TOLERANCE, relativeDifference, useBackend } from './torch-golden.ts';

interface Golden {
  options: { classes: number; growth: number; block_config: number[]; features: number; bn_size: number };
  input: Encoded;
  logits: number[][];
}
const golden = goldenJson<Golden>('densenet/golden.json');
/** A whole module and a state dict, zip and legacy, a trainer's dict around one, safetensors: all the same weights. */
const FILES = ['state.pt', 'state-legacy.pth', 'module.pt', 'module-legacy.pt', 'trainer.pt', 'model.safetensors'];

function smallDenseNet() {
  const { classes, growth, block_config: blockConfig, features: initFeatures, bn_size: bnSize } = golden.options;
  const [, rows, columns] = golden.input.shape;
  return buildDenseNet({ inputShape: [rows, columns], classes, growth, blockConfig, initFeatures, bnSize, weights: 'zeros' });
}

describe.each(BACKENDS)('a small DenseNet on %s', backend => {
  beforeAll(() => useBackend(backend));

  test.each(FILES)('gives PyTorch\'s logits with the weights of %s', async file => {
    const net = smallDenseNet();
    assignStateDict(net, readCheckpoint(goldenBytes(`densenet/${file}`), file));
    const x = decode(golden.input);
    const y = net.predict(x) as Tensor;
    expect(await relativeDifference(y, golden.logits)).toBeLessThan(RELATIVE_TOLERANCE);
    [x, y, net].forEach(o => o.dispose());
  });
});
