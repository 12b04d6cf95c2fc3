import { customGrad, mul, type Tensor } from '@tensorflow/tfjs-core';

/**
 * The identity, whose derivative is turned round: a head behind it learns to tell sites (or views) apart, and what comes
 * before it learns to keep them indistinguishable.
 *
 * Y. Ganin, V. Lempitsky, "Unsupervised domain adaptation by backpropagation", ICML 2015 (arXiv 1409.7495).
 * @param weight λ, see {@link reversalWeight}
 */
export function reverseGradient(x: Tensor, weight: number): Tensor {
  return customGrad(of => ({ value: (of as Tensor).clone(), gradFunc: dy => mul(dy as Tensor, -weight) }))(x);
}

/** The paper's λ, which rises from 0 to 1 so that the head learns first: 2 / (1 + exp(−10·p)) − 1. @param progress 0 to 1 */
export function reversalWeight(progress: number): number {
  return 2 / (1 + Math.exp(-10 * progress)) - 1;
}
