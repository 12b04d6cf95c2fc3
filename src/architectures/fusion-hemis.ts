import { input, model, type LayersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { OverreadError } from '../errors.ts';
import { denseNetBlocks, denseNetHead, denseNetStem, withDefaults } from './densenet.ts';
import type { FusionOptions } from './fusion.ts';
import { TorchLayers } from './torch-layers.ts';
import { ViewMoments } from '../runtime/view-moments.ts';

/**
 * HeMIS (Havaei et al. 2016, arXiv 1607.05194) on DenseNet blocks, as Hashir et al. 2020: each view has a stem and
 * `mergeAfter` dense blocks of its own (2 when left out), then mean and unbiased variance over the views that are there
 * go through the common rest. Branches are named `branches.pa` and `branches.l`, the rest `merged`; inputs
 * [PA, L, present] → logits [n, classes], where present [n, 2] is 1 for a view that is there and 0 for one that is not,
 * so that a batch may mix.
 * @throws OverreadError `model/graph` when no block is left to the common rest
 */
export function buildHemis(options: FusionOptions): LayersModel {
  const shape = withDefaults(options);
  const { mergeAfter = Math.min(2, shape.blockConfig.length - 1), variance = true } = options;
  if (mergeAfter < 1 || mergeAfter >= shape.blockConfig.length) {
    throw new OverreadError('model/graph', `HeMIS must merge after dense block 1 to ${shape.blockConfig.length - 1}; got ${mergeAfter}. Choose another mergeAfter or more blocks.`, { expected: shape.blockConfig.length - 1, got: mergeAfter });
  }
  const nn = new TorchLayers(options.weights);
  const views = ['PA', 'L'].map(name => input({ shape: [...shape.inputShape, shape.inChannels], name }));
  const present = input({ shape: [2], name: 'present' });
  const branches = ['branches.pa.', 'branches.l.'].map((prefix, i) =>
    denseNetBlocks(nn, denseNetStem(nn, views[i]!, shape, prefix), shape, { prefix, to: mergeAfter }));
  const moments = new ViewMoments({ name: 'moments', variance }).apply([...branches, present]) as SymbolicTensor;
  const prefix = 'merged.';
  const merged = denseNetBlocks(nn, moments, shape, { prefix, from: mergeAfter + 1 });
  const logits = nn.linear(denseNetHead(nn, merged, prefix), 'classifier', shape.classes);
  return model({ inputs: [...views, present], outputs: logits, name: 'fusion-hemis' });
}
