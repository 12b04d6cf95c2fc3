import { add, exp, logSoftmax, mul, neg, pow, relu, softplus, sub, sum, tidy, type Scalar, type Tensor } from '@tensorflow/tfjs-core';
import { checkShapes, type Activation } from './loss.ts';
import { weightedMean } from './weighted-mean.ts';

export interface FocalOptions {
  readonly activation: Activation;
  /** γ, at least 1 with softmax: how much less a pixel counts that is decided well; 2 when left out. */
  readonly gamma?: number;
  /** With sigmoid: α of what is there, 1 − α of what is not; all 1 when left out. With softmax: one a class. */
  readonly alpha?: number | readonly number[];
  /** [n, …, 1]: the mean is weighted by them. */
  readonly weights?: Tensor;
}

/**
 * Focal loss: the mean of −α·(1 − p)^γ·log p, with p the probability that is given to what is true.
 *
 * T.-Y. Lin, P. Goyal, R. Girshick, K. He, P. Dollár, "Focal loss for dense object detection", ICCV 2017.
 * @param labels [n, …, classes], one-hot with softmax, 0 or 1 a target with sigmoid; none between
 * @param logits of the same shape
 */
export function focalLoss(labels: Tensor, logits: Tensor, { activation, gamma = 2, alpha, weights }: FocalOptions): Scalar {
  checkShapes(labels, logits, weights);
  return tidy(() => {
    if (activation === 'sigmoid') {
      // p = σ(s) and 1 − p = σ(−s): both by softplus, which neither overflows nor has a corner.
      const s = mul(logits, sub(mul(labels, 2), 1));
      const each = mul(exp(mul(softplus(s), -gamma)), softplus(neg(s)));
      const share = typeof alpha === 'number' ? add(mul(labels, 2 * alpha - 1), 1 - alpha) : undefined;
      return weightedMean(share ? mul(each, share) : each, weights);
    }
    const logarithms = logSoftmax(logits);
    // Rounding may leave a probability a little above 1.
    const missing = relu(sub(1, exp(logarithms)));
    const each = mul(mul(pow(missing, gamma), logarithms), labels);
    return weightedMean(neg(sum(typeof alpha === 'object' ? mul(each, [...alpha]) : each, -1, true)), weights);
  });
}
