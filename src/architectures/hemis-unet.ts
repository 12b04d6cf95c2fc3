import { initializers, input, layers as tfl, model, type LayersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { OverreadError } from '../errors.ts';
import { ModalityMoments } from '../runtime/modality-moments.ts';

export interface HemisUNetOptions {
  /** [rows, columns], each a multiple of 2^(levels − 1). */
  readonly inputShape: readonly [rows: number, columns: number];
  /** Names of the graph's inputs, such as T1, T1c, T2, FLAIR. */
  readonly modalities: readonly string[];
  /** One logit a class for every pixel, no activation. */
  readonly classes?: number;
  /** Channels of each level; their number is the number of levels. */
  readonly widths?: readonly number[];
  /** Random weights by this seed, or 'zeros' for a network that is given its weights at once. */
  readonly weights?: { readonly seed?: number } | 'zeros';
}

/**
 * HeMIS (Havaei et al. 2016, "HeMIS: Hetero-Modal Image Segmentation", arXiv 1607.05194) as a U-Net: an encoder for each
 * modality, mean and unbiased variance over the modalities that are there at every level, one decoder over these.
 * Inputs one [n, rows, columns, 1] a modality, by its name, and present [n, modalities], 1 for one that is there and 0
 * for one that is not, so that a batch may mix → logits [n, rows, columns, classes]. At least one must be there.
 * Convolutions are named '<modality>.down<level>_conv<0|1>', 'up<step>_conv<0|1>' (step 0 is the deepest) and 'logits'.
 * @throws OverreadError `model/graph` when the input cannot be halved between all levels
 */
export function buildHemisUNet(options: HemisUNetOptions): LayersModel {
  const { inputShape, modalities, classes = 1, widths = [8, 16, 32, 64], weights = {} } = options;
  const step = 2 ** (widths.length - 1);
  if (widths.length === 0 || inputShape.some(side => side % step !== 0)) {
    throw new OverreadError(
      'model/graph',
      `A HeMIS U-Net of ${widths.length} levels wants rows and columns that are multiples of ${step}; got ${inputShape.join(' × ')}. Give another input size or fewer widths.`,
      { expected: step, got: inputShape },
    );
  }
  let made = 0;
  const initializer = () => {
    if (weights === 'zeros') return initializers.zeros();
    // A seed of its own for each layer: one seed for all would give layers of one shape equal weights.
    return initializers.heNormal(weights.seed === undefined ? {} : { seed: weights.seed + made++ });
  };
  const block = (x: SymbolicTensor, name: string, filters: number) =>
    [0, 1].reduce((y, i) => tfl.conv2d({
      name: `${name}_conv${i}`, filters, kernelSize: 3, padding: 'same', activation: 'relu', kernelInitializer: initializer(),
    }).apply(y) as SymbolicTensor, x);

  const images = modalities.map(name => input({ shape: [...inputShape, 1], name }));
  const present = input({ shape: [modalities.length], name: 'present' });
  const encoders = modalities.map((name, i) => {
    let x = images[i]!;
    return widths.map((filters, level) => {
      if (level) x = tfl.maxPooling2d({ name: `${name}.pool${level}`, poolSize: 2, strides: 2 }).apply(x) as SymbolicTensor;
      return (x = block(x, `${name}.down${level}`, filters));
    });
  });
  const levels = widths.map((_, level) =>
    new ModalityMoments({ name: `moments${level}` }).apply([...encoders.map(features => features[level]!), present]) as SymbolicTensor);
  let x = levels.at(-1)!;
  for (let i = 0; i < widths.length - 1; i++) {
    const level = widths.length - 2 - i;
    x = tfl.upSampling2d({ name: `upsample${i}`, size: [2, 2], interpolation: 'nearest' }).apply(x) as SymbolicTensor;
    x = tfl.concatenate({ name: `skip${i}`, axis: -1 }).apply([x, levels[level]!]) as SymbolicTensor;
    x = block(x, `up${i}`, widths[level]!);
  }
  const logits = tfl.conv2d({ name: 'logits', filters: classes, kernelSize: 1, kernelInitializer: initializer() }).apply(x) as SymbolicTensor;
  return model({ inputs: [...images, present], outputs: logits, name: 'hemis-unet' });
}
