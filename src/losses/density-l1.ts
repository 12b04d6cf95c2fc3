import { abs, mean, mul, sub, tidy, type Scalar, type Tensor } from '@tensorflow/tfjs-core';
import { checkShapes } from './loss.ts';

/**
 * Mean of |predicted − true| over all values of a density or a redundant count map, as Count-ception is trained with (J. P. Cohen et al.,
 * ICCV workshops 2017).
 * @param truth [n, rows, columns, classes]
 * @param predicted of the same shape
 * @param weights [n, rows, columns, 1] or as `truth`: every difference counts so often
 */
export function densityL1(truth: Tensor, predicted: Tensor, weights?: Tensor): Scalar {
  checkShapes(truth, predicted, weights);
  return tidy(() => {
    const differences = abs(sub(predicted, truth));
    return mean(weights ? mul(differences, weights) : differences);
  });
}
