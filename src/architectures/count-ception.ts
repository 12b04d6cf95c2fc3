import { initializers, input, layers as tfl, model, type LayersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';

export interface CountCeptionOptions {
  /** [rows, columns] of the picture. */
  readonly inputShape: readonly [rows: number, columns: number];
  readonly inChannels?: number;
  /** One redundant map a class. */
  readonly classes?: number;
  /** Every layer's channels are so many times the paper's, but at least 1. */
  readonly width?: number;
  /** Random weights by this seed, or 'zeros' for a network that is given its weights at once. */
  readonly weights?: { readonly seed?: number } | 'zeros';
}

/** The side of the receptive field that an output counts in, pixels: kernels of 3, 14 and 17. */
export const COUNT_CEPTION_FIELD = 32;

/**
 * Count-ception: every output counts the cells in its 32 × 32 field (J. P. Cohen, G. Boucher, C. A. Glastonbury, H. Z. Lo, Y. Bengio,
 * "Count-ception: counting by fully convolutional redundant counting", ICCV workshops 2017, arXiv 1703.08710). Fully
 * convolutional at stride 1; the picture is padded with 0 by field − 1, so that every pixel lies in field² outputs. The 3 × 3
 * convolutions between see a little more around the field.
 * Input [n, rows, columns, inChannels] → [n, rows + 31, columns + 31, classes]; output [y, x] is of the rows y − 31 … y and the columns
 * x − 31 … x: `counting: { kind: 'redundant', field: 32, unitSum: 1024 }`.
 *
 * Layers are named by the modules of `nn.Sequential` in `test/bench/counting/networks.py`: a block's convolution 'net.0.0' and
 * normalisation 'net.0.2', a pair's 'net.1.ones.0' and 'net.1.threes.0', and the last convolution 'net.10'.
 */
export function buildCountCeption({ inputShape, inChannels = 3, classes = 1, width = 1, weights = {} }: CountCeptionOptions): LayersModel {
  let made = 0;
  const initializer = () => {
    if (weights === 'zeros') return initializers.zeros();
    return initializers.heNormal(weights.seed === undefined ? {} : { seed: weights.seed + made++ });
  };
  const convolution = (x: SymbolicTensor, name: string, filters: number, kernelSize: number, padding: 'same' | 'valid') =>
    tfl.conv2d({ name, filters, kernelSize, padding, kernelInitializer: initializer() }).apply(x) as SymbolicTensor;
  const block = (x: SymbolicTensor, name: string, filters: number, kernelSize: number, padding: 'same' | 'valid' = 'valid') => {
    const convolved = convolution(x, `${name}.0`, Math.max(1, Math.round(filters * width)), kernelSize, padding);
    const bent = tfl.leakyReLU({ name: `${name}.1`, alpha: 0.01 }).apply(convolved) as SymbolicTensor;
    return tfl.batchNormalization({ name: `${name}.2`, axis: -1, epsilon: 1e-5, momentum: 0.9 }).apply(bent) as SymbolicTensor;
  };
  const pair = (x: SymbolicTensor, name: string, ones: number, threes: number) =>
    tfl.concatenate({ name, axis: -1 }).apply([block(x, `${name}.ones`, ones, 1), block(x, `${name}.threes`, threes, 3, 'same')]) as SymbolicTensor;

  const picture = input({ shape: [...inputShape, inChannels], name: 'picture' });
  const margin = COUNT_CEPTION_FIELD - 1;
  let x = tfl.zeroPadding2d({ name: 'margin', padding: [[margin, margin], [margin, margin]] }).apply(picture) as SymbolicTensor;
  x = block(x, 'net.0', 64, 3);
  x = pair(x, 'net.1', 16, 16);
  x = pair(x, 'net.2', 16, 32);
  x = block(x, 'net.3', 16, 14);
  x = pair(x, 'net.4', 112, 48);
  x = pair(x, 'net.5', 40, 40);
  x = pair(x, 'net.6', 32, 96);
  x = block(x, 'net.7', 16, 17);
  x = block(x, 'net.8', 64, 1);
  x = block(x, 'net.9', 64, 1);
  return model({ inputs: picture, outputs: convolution(x, 'net.10', classes, 1, 'valid'), name: 'count-ception' });
}
