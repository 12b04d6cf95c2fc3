import '@tensorflow/tfjs-backend-cpu';
import { setBackend } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { buildDenseNet } from '../../../src/architectures/densenet.ts';
import { buildUNet } from '../../../src/architectures/unet.ts';
import { fromLayers } from '../../../src/runtime/plan/from-layers.ts';
import { fused } from '../../../src/runtime/plan/fuse.ts';
import { isQuickerOnTfjs } from '../../../src/runtime/plan/wasm-choice.ts';

beforeAll(() => setBackend('cpu'));

/** As test/bench/plan/wasm.ts measured them. */
const cases: [string, boolean, () => LayersModel][] = [
  ['a U-Net of large maps', true, () => buildUNet({ inputShape: [256, 256], width: 16, weights: 'zeros' })],
  ['a U-Net whose time goes between its layers', false, () => buildUNet({ inputShape: [64, 64], width: 8, weights: 'zeros' })],
  ['a DenseNet, half of it pointwise', false, () => buildDenseNet({ inputShape: [224, 224], weights: 'zeros' })],
];

test.each(cases)('%s: %s', async (_, tfjs, build) => {
  const model = build();
  expect(isQuickerOnTfjs(fused(await fromLayers(model)))).toBe(tfjs);
  model.dispose();
});
