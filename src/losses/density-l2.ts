import { mean, mul, square, sub, tidy, type Scalar, type Tensor } from '@tensorflow/tfjs-core';
import { checkShapes } from './loss.ts';

/**
 * Mean of (predicted − true)² over all values of a density (V. Lempitsky, A. Zisserman, NIPS 2010, have it beside their own distance).
 * @param truth [n, rows, columns, classes]
 * @param predicted of the same shape
 * @param weights [n, rows, columns, 1] or as `truth`: every difference counts so often
 */
export function densityL2(truth: Tensor, predicted: Tensor, weights?: Tensor): Scalar {
  checkShapes(truth, predicted, weights);
  return tidy(() => {
    const differences = square(sub(predicted, truth));
    return mean(weights ? mul(differences, weights) : differences);
  });
}
