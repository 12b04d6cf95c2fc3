import { initializers, input, layers as tfl, model, type LayersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { OverreadError } from '../errors.ts';

export interface PatchClassifierOptions {
  /** [rows, columns] */
  readonly patchSize: readonly [rows: number, columns: number];
  readonly inChannels?: number;
  /** One logit a class, no activation. */
  readonly classes?: number;
  /** Channels of each level: a 3 × 3 convolution, then max pooling by 2. Their number makes the stride, 2^levels. */
  readonly widths?: readonly number[];
  /** Units of the dense layers between the features and the logits. */
  readonly hidden?: readonly number[];
  /** Random weights by this seed, or 'zeros' for a network that is given its weights at once. */
  readonly weights?: { readonly seed?: number } | 'zeros';
}

/**
 * A classifier of patches, after Cireşan et al. 2013 ("Mitosis detection in breast cancer histology images with deep
 * neural networks", MICCAI): convolutions and max pooling, then dense layers. No layer pads, so that its fully
 * convolutional form (`toFullyConvolutional`) gives the same as the patches one by one.
 * Input [n, rows, columns, inChannels] → logits [n, classes]. Layers are named 'conv<level>', 'pool<level>', 'flatten',
 * 'dense<i>' and 'logits'.
 * @throws OverreadError `model/graph` when the levels leave nothing of the patch
 */
export function buildPatchClassifier(options: PatchClassifierOptions): LayersModel {
  const { patchSize, inChannels = 3, classes = 1, widths = [16, 32, 64], hidden = [64], weights = {} } = options;
  // (side − 2) / 2 a level, backwards from one pixel.
  const smallest = 3 * 2 ** widths.length - 2;
  const sides = widths.reduce<readonly number[]>((left, _) => left.map(side => Math.floor((side - 2) / 2)), patchSize);
  if (sides.some(side => side < 1)) {
    throw new OverreadError('model/graph', `A patch classifier of ${widths.length} levels wants patches of at least ${smallest} × ${smallest} pixels; got ${patchSize.join(' × ')}. Give another patch size or fewer widths.`, { expected: smallest, got: patchSize });
  }
  let made = 0;
  const initializer = () => {
    if (weights === 'zeros') return initializers.zeros();
    return initializers.heNormal(weights.seed === undefined ? {} : { seed: weights.seed + made++ });
  };
  const patch = input({ shape: [...patchSize, inChannels], name: 'patch' });
  let x = patch;
  widths.forEach((filters, level) => {
    x = tfl.conv2d({ name: `conv${level}`, filters, kernelSize: 3, padding: 'valid', activation: 'relu', kernelInitializer: initializer() }).apply(x) as SymbolicTensor;
    x = tfl.maxPooling2d({ name: `pool${level}`, poolSize: 2, strides: 2 }).apply(x) as SymbolicTensor;
  });
  x = tfl.flatten({ name: 'flatten' }).apply(x) as SymbolicTensor;
  hidden.forEach((units, i) => {
    x = tfl.dense({ name: `dense${i}`, units, activation: 'relu', kernelInitializer: initializer() }).apply(x) as SymbolicTensor;
  });
  const logits = tfl.dense({ name: 'logits', units: classes, kernelInitializer: initializer() }).apply(x) as SymbolicTensor;
  return model({ inputs: patch, outputs: logits, name: 'patch-classifier' });
}
