import { initializers, input, layers as tfl, model, type LayersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { OverreadError } from '../errors.ts';

export interface UNetOptions {
  /** [rows, columns], each a multiple of 2^depth. */
  readonly inputShape: readonly [rows: number, columns: number];
  readonly inChannels?: number;
  /** One logit a class for every pixel, no activation. */
  readonly classes?: number;
  /** How many times the plane is halved; 4 in the paper. */
  readonly depth?: number;
  /** Channels of the first level, doubled with each halving; 64 in the paper. */
  readonly width?: number;
  /** Whether the decoder sees the encoder's features of its own level (the paper's concatenation). */
  readonly skip?: boolean;
  /** A head of its own for the edges of objects: one more logit, the last, by which objects that touch are split. */
  readonly edgeHead?: boolean;
  /** Random weights by this seed, or 'zeros' for a network that is given its weights at once. */
  readonly weights?: { readonly seed?: number } | 'zeros';
}

/**
 * U-Net (Ronneberger et al. 2015, arXiv 1505.04597) as lung-unet has it: 'same' padding, nearest-neighbour upsampling
 * in place of the transposed convolution, batch normalisation folded into the convolutions' biases.
 * Input [n, rows, columns, inChannels] → logits [n, rows, columns, classes]. Layers are named
 * 'down<level>_conv<0|1>', 'up<step>_conv<0|1>' (step 0 is the deepest) and 'logits'. With an edge head (Polzounov et al.
 * 2017, "WordFence: text detection in natural images with border awareness", ICIP) 'edge_conv' and 'edge' lead from the
 * same features to one more channel.
 * @throws OverreadError `model/graph` when the input cannot be halved `depth` times
 */
export function buildUNet(options: UNetOptions): LayersModel {
  const { inputShape, inChannels = 1, classes = 1, depth = 4, width = 64, skip = true, edgeHead = false } = options;
  const step = 2 ** depth;
  if (depth < 1 || inputShape.some(side => side % step !== 0)) {
    throw new OverreadError(
      'model/graph',
      `A U-Net of depth ${depth} wants rows and columns that are multiples of ${step}; got ${inputShape.join(' × ')}. Give another input size or depth.`,
      { expected: step, got: inputShape },
    );
  }
  const initializer = heNormals(options.weights);
  const block = (x: SymbolicTensor, name: string, filters: number) =>
    [0, 1].reduce(
      (y, i) =>
        tfl
          .conv2d({ name: `${name}_conv${i}`, filters, kernelSize: 3, padding: 'same', activation: 'relu', kernelInitializer: initializer() })
          .apply(y) as SymbolicTensor,
      x,
    );

  const image = input({ shape: [...inputShape, inChannels], name: 'image' });
  let x = image;
  const levels: SymbolicTensor[] = [];
  for (let level = 0; level <= depth; level++) {
    if (level) x = tfl.maxPooling2d({ name: `pool${level}`, poolSize: 2, strides: 2 }).apply(x) as SymbolicTensor;
    x = block(x, `down${level}`, width * 2 ** level);
    levels.push(x);
  }
  for (let i = 0; i < depth; i++) {
    const level = depth - 1 - i;
    x = tfl.upSampling2d({ name: `upsample${i}`, size: [2, 2], interpolation: 'nearest' }).apply(x) as SymbolicTensor;
    if (skip) x = tfl.concatenate({ name: `skip${i}`, axis: -1 }).apply([x, levels[level]!]) as SymbolicTensor;
    x = block(x, `up${i}`, width * 2 ** level);
  }
  const logits = tfl.conv2d({ name: 'logits', filters: classes, kernelSize: 1, kernelInitializer: initializer() }).apply(x) as SymbolicTensor;
  return model({ inputs: image, outputs: edgeHead ? withEdges(logits) : logits, name: 'unet' });

  function withEdges(objects: SymbolicTensor): SymbolicTensor {
    const features = tfl.conv2d({ name: 'edge_conv', filters: width, kernelSize: 3, padding: 'same', activation: 'relu', kernelInitializer: initializer() }).apply(x);
    const edge = tfl.conv2d({ name: 'edge', filters: 1, kernelSize: 1, kernelInitializer: initializer() }).apply(features) as SymbolicTensor;
    return tfl.concatenate({ name: 'objects_and_edge', axis: -1 }).apply([objects, edge]) as SymbolicTensor;
  }
}

/** A seed of its own for each layer: one seed for all would give layers of one shape equal weights. */
function heNormals(weights: UNetOptions['weights'] = {}) {
  let made = 0;
  return () => {
    if (weights === 'zeros') return initializers.zeros();
    return initializers.heNormal(weights.seed === undefined ? {} : { seed: weights.seed + made++ });
  };
}
