import { input, model, type LayersModel } from '@tensorflow/tfjs-layers';
import { denseNetBlocks, denseNetHead, denseNetStem, withDefaults } from './densenet.ts';
import type { FusionOptions } from './fusion.ts';
import { TorchLayers } from './torch-layers.ts';

/**
 * AuxLoss (Hashir et al. 2020): a DualNet with a head of its own for each view, so that each branch is held to its own
 * loss beside the joint one. Heads are named `classifier`, `frontal_model.classifier` and `lateral_model.classifier`;
 * inputs [PA, L] → three logits [n, classes]: joint, PA, L.
 */
export function buildAuxLoss(options: FusionOptions): LayersModel {
  const shape = withDefaults(options);
  const nn = new TorchLayers(options.weights);
  const prefixes = ['frontal_model.', 'lateral_model.'];
  const views = ['PA', 'L'].map(name => input({ shape: [...shape.inputShape, shape.inChannels], name }));
  const features = prefixes.map((prefix, i) =>
    denseNetHead(nn, denseNetBlocks(nn, denseNetStem(nn, views[i]!, shape, prefix), shape, { prefix }), prefix));
  const joint = nn.linear(nn.concat(features, 'joint'), 'classifier', shape.classes);
  const heads = prefixes.map((prefix, i) => nn.linear(features[i]!, `${prefix}classifier`, shape.classes));
  return model({ inputs: views, outputs: [joint, ...heads], name: 'fusion-auxloss' });
}
