import { logSoftmax, mul, neg, sum, tidy, type Scalar, type Tensor } from '@tensorflow/tfjs-core';
import { checkShapes } from './loss.ts';
import { weightedMean } from './weighted-mean.ts';

/**
 * Cross-entropy of classes of which each pixel has one: the mean over pixels of −Σ y·log softmax(z). Written out, since
 * the derivative of tfjs's own `softmaxCrossEntropy` cannot itself be derived.
 * @param labels [n, …, classes], one-hot or soft
 * @param logits z, of the same shape
 * @param weights [n, …, 1]: the mean is then weighted by them
 */
export function categoricalCrossEntropy(labels: Tensor, logits: Tensor, weights?: Tensor): Scalar {
  checkShapes(labels, logits, weights, [...logits.shape.slice(0, -1), 1]);
  return tidy(() => weightedMean(neg(sum(mul(labels, logSoftmax(logits)), -1, true)), weights));
}
