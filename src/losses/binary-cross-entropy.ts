import { mul, softplus, sub, tidy, type Scalar, type Tensor } from '@tensorflow/tfjs-core';
import { checkShapes } from './loss.ts';
import { weightedMean } from './weighted-mean.ts';

/**
 * Cross-entropy of targets that are each there or not: the mean over all elements of softplus(z) − y·z, which is
 * −y·log σ(z) − (1 − y)·log(1 − σ(z)) without its overflow (Good 1952, "Rational decisions").
 * @param labels [n, …, targets], 0..1
 * @param logits z, of the same shape
 * @param weights [n, …, 1] or [n, …, targets], such as `borderWeights`: the mean is then weighted by them
 */
export function binaryCrossEntropy(labels: Tensor, logits: Tensor, weights?: Tensor): Scalar {
  checkShapes(labels, logits, weights);
  return tidy(() => weightedMean(sub(softplus(logits), mul(labels, logits)), weights));
}
