import { tensor } from '@tensorflow/tfjs-core';
import { input, layers, model as modelOf, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import type { ModelFiles } from '../../../src/runtime/types.ts';
import { classifierFiles } from '../classifier-folder.ts';

export const LABEL = 'Bright spot';
const SIDE = 32;

/** A network that answers to what is bright, wherever it is: means of 3 × 3 pixels above a threshold, added up. */
export async function spotModel(): Promise<ModelFiles> {
  const image = input({ shape: [SIDE, SIDE, 1], name: 'image' });
  const spots = layers.conv2d({ name: 'spots', filters: 1, kernelSize: 3, padding: 'same', activation: 'relu' });
  const mean = layers.globalAveragePooling2d({ name: 'mean', dataFormat: 'channelsLast' }).apply(spots.apply(image)) as SymbolicTensor;
  const score = layers.dense({ name: 'score', units: 1 });
  const network = modelOf({ inputs: image, outputs: score.apply(mean) as SymbolicTensor });
  spots.setWeights([tensor(new Array<number>(9).fill(1 / 9), [3, 3, 1, 1]), tensor([-0.55])]);
  score.setWeights([tensor([[100]]), tensor([-1])]);
  return classifierFiles(network, {
    id: 'spots', name: 'Spots', labels: [LABEL], normalisation: { kind: 'representable' }, intendedUse: 'The benchmark of the site audit.', notice: 'Knows bright spots only. Not for diagnosis.',
  });
}
