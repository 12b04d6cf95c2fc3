import { input, model, type LayersModel } from '@tensorflow/tfjs-layers';
import { denseNetBlocks, denseNetHead, denseNetStem, withDefaults } from './densenet.ts';
import type { FusionOptions } from './fusion.ts';
import { TorchLayers } from './torch-layers.ts';

/**
 * Stacked (Hashir et al. 2020): one DenseNet whose input channels are the PA and the lateral view. Its layers are named
 * as in `buildDenseNet`; inputs [PA, L] → logits [n, classes].
 */
export function buildStacked(options: FusionOptions): LayersModel {
  const shape = withDefaults(options);
  const nn = new TorchLayers(options.weights);
  const views = ['PA', 'L'].map(name => input({ shape: [...shape.inputShape, shape.inChannels], name }));
  const x = nn.concat(views, 'views');
  const features = denseNetHead(nn, denseNetBlocks(nn, denseNetStem(nn, x, shape), shape));
  return model({ inputs: views, outputs: nn.linear(features, 'classifier', shape.classes), name: 'fusion-stacked' });
}
