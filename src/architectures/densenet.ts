import { input, model, type LayersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { OverreadError } from '../errors.ts';
import { TorchLayers } from './torch-layers.ts';

export interface DenseNetOptions {
  /** [rows, columns] */
  readonly inputShape?: readonly [rows: number, columns: number];
  readonly inChannels?: number;
  /** Outputs: one logit a class, no activation. */
  readonly classes?: number;
  /** Channels that each dense layer adds (k in the paper). */
  readonly growth?: number;
  /** Dense layers in each block. */
  readonly blockConfig?: readonly number[];
  /** Channels after the first convolution. */
  readonly initFeatures?: number;
  /** Bottleneck width, in multiples of `growth`. */
  readonly bnSize?: number;
  /** Random weights by this seed, or 'zeros' for a network that is given its weights at once. */
  readonly weights?: { readonly seed?: number } | 'zeros';
}

export type DenseNetShape = Required<Omit<DenseNetOptions, 'weights'>>;

/** DenseNet-121 as torchxrayvision has it: one channel, 224², 18 outputs. */
export const DENSENET121: DenseNetShape = {
  inputShape: [224, 224], inChannels: 1, classes: 18, growth: 32, blockConfig: [6, 12, 24, 16], initFeatures: 64, bnSize: 4,
};

/**
 * DenseNet (Huang et al. 2017, arXiv 1608.06993), layer for layer as torchvision and torchxrayvision build it: input
 * [n, rows, columns, channels] → logits [n, classes]. Layers are named by their PyTorch module paths
 * ('features.denseblock1.denselayer1.conv1', 'classifier'). Left out options are those of DenseNet-121.
 * @throws OverreadError `model/graph` when the blocks halve the input to nothing
 */
export function buildDenseNet(options: DenseNetOptions = {}): LayersModel {
  const shape = withDefaults(options);
  const nn = new TorchLayers(options.weights);
  const x = input({ shape: [...shape.inputShape, shape.inChannels], name: 'image' });
  const features = denseNetHead(nn, denseNetBlocks(nn, denseNetStem(nn, x, shape), shape));
  return model({ inputs: x, outputs: nn.linear(features, 'classifier', shape.classes), name: 'densenet' });
}

/** The options with DenseNet-121's in place of those left out, checked. */
export function withDefaults(options: DenseNetOptions): DenseNetShape {
  const shape: DenseNetShape = {
    inputShape: options.inputShape ?? DENSENET121.inputShape,
    inChannels: options.inChannels ?? DENSENET121.inChannels,
    classes: options.classes ?? DENSENET121.classes,
    growth: options.growth ?? DENSENET121.growth,
    blockConfig: options.blockConfig ?? DENSENET121.blockConfig,
    initFeatures: options.initFeatures ?? DENSENET121.initFeatures,
    bnSize: options.bnSize ?? DENSENET121.bnSize,
  };
  // The stem divides by 4, each transition by 2.
  const least = 4 * 2 ** (shape.blockConfig.length - 1);
  if (shape.blockConfig.length < 1 || Math.min(...shape.inputShape) < least) {
    throw new OverreadError('model/graph',
      `A DenseNet of ${shape.blockConfig.length} blocks wants an input of at least ${least} × ${least} pixels; got ${shape.inputShape.join(' × ')}. Give a larger input or fewer blocks.`,
      { expected: least, got: shape.inputShape });
  }
  return shape;
}

/** conv0, norm0, relu0, pool0: a quarter of the size, `initFeatures` channels. */
export function denseNetStem(nn: TorchLayers, x: SymbolicTensor, shape: DenseNetShape, prefix = ''): SymbolicTensor {
  const at = (part: string) => `${prefix}features.${part}`;
  let h = nn.conv(x, at('conv0'), shape.initFeatures, 7, { stride: 2, pad: 3 });
  h = nn.relu(nn.norm(h, at('norm0')), at('relu0'));
  return nn.maxPoolAfterRelu(h, at('pool0'));
}

/**
 * Dense blocks `from`..`to` (counted from 1, both inclusive; all when left out), each but the network's last followed
 * by its transition, which halves rows, columns and channels.
 */
export function denseNetBlocks(
  nn: TorchLayers, x: SymbolicTensor, shape: DenseNetShape, options: { prefix?: string; from?: number; to?: number } = {},
): SymbolicTensor {
  const { prefix = '', from = 1, to = shape.blockConfig.length } = options;
  let h = x;
  for (let block = from; block <= to; block++) {
    const at = `${prefix}features.denseblock${block}`;
    // Concatenating onto the running tensor gives the same channels as PyTorch's one concatenation of all before.
    for (let layer = 1; layer <= shape.blockConfig[block - 1]!; layer++) {
      h = nn.concat([h, denseLayer(nn, h, shape, `${at}.denselayer${layer}`)], `${at}.denselayer${layer}.concat`);
    }
    if (block < shape.blockConfig.length) h = transition(nn, h, `${prefix}features.transition${block}`);
  }
  return h;
}

/** norm5, ReLU and the mean over all pixels: [n, rows, columns, channels] → features [n, channels]. */
export function denseNetHead(nn: TorchLayers, x: SymbolicTensor, prefix = ''): SymbolicTensor {
  const h = nn.relu(nn.norm(x, `${prefix}features.norm5`), `${prefix}features.relu5`);
  return nn.globalAverage(h, `${prefix}features.mean`);
}

function denseLayer(nn: TorchLayers, x: SymbolicTensor, shape: DenseNetShape, at: string): SymbolicTensor {
  let h = nn.relu(nn.norm(x, `${at}.norm1`), `${at}.relu1`);
  h = nn.conv(h, `${at}.conv1`, Math.round(shape.bnSize * shape.growth), 1);
  h = nn.relu(nn.norm(h, `${at}.norm2`), `${at}.relu2`);
  return nn.conv(h, `${at}.conv2`, shape.growth, 3, { pad: 1 });
}

function transition(nn: TorchLayers, x: SymbolicTensor, at: string): SymbolicTensor {
  const channels = x.shape.at(-1)!;
  const h = nn.relu(nn.norm(x, `${at}.norm`), `${at}.relu`);
  return nn.averagePool(nn.conv(h, `${at}.conv`, Math.floor(channels / 2), 1), `${at}.pool`);
}
