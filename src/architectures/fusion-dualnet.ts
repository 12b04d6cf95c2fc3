import { input, model, type LayersModel } from '@tensorflow/tfjs-layers';
import { denseNetBlocks, denseNetHead, denseNetStem, withDefaults } from './densenet.ts';
import type { FusionOptions } from './fusion.ts';
import { TorchLayers } from './torch-layers.ts';

/**
 * DualNet (Rubin et al. 2018, arXiv 1804.07839, on the DenseNets of Hashir et al. 2020): a DenseNet for each view, their
 * features concatenated, one prediction. Branches are named `frontal_model` and `lateral_model`, the head `classifier`;
 * inputs [PA, L] → logits [n, classes].
 */
export function buildDualNet(options: FusionOptions): LayersModel {
  const shape = withDefaults(options);
  const nn = new TorchLayers(options.weights);
  const views = ['PA', 'L'].map(name => input({ shape: [...shape.inputShape, shape.inChannels], name }));
  const features = ['frontal_model.', 'lateral_model.'].map((prefix, i) =>
    denseNetHead(nn, denseNetBlocks(nn, denseNetStem(nn, views[i]!, shape, prefix), shape, { prefix }), prefix));
  const logits = nn.linear(nn.concat(features, 'joint'), 'classifier', shape.classes);
  return model({ inputs: views, outputs: logits, name: 'fusion-dualnet' });
}
