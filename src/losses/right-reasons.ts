import { add, grad, logSoftmax, mean, mul, neg, softplus, square, sum, tidy, type Scalar, type Tensor } from '@tensorflow/tfjs-core';
import { checkGuidance, type Guidance } from './input-gradients.ts';

/**
 * Right for the right reasons: the squared derivatives of the summed logarithms of the probabilities by the pixels that
 * are no reason, summed over each picture, the mean over the batch. It is added to a cross-entropy. With sigmoid a target
 * has the two probabilities σ(z) and σ(−z).
 *
 * A. S. Ross, M. C. Hughes, F. Doshi-Velez, "Right for the right reasons: training differentiable models by constraining
 * their explanations", IJCAI 2017.
 */
export function rightReasons({ network, pictures, outside, activation }: Guidance): Scalar {
  checkGuidance(pictures, outside);
  return tidy(() => {
    const logarithms = (x: Tensor) => {
      const logits = network(x);
      return sum(activation === 'softmax' ? logSoftmax(logits) : neg(add(softplus(logits), softplus(neg(logits)))));
    };
    const squares = square(mul(grad(logarithms)(pictures), outside));
    return mean(sum(squares, pictures.shape.map((_, axis) => axis).slice(1)));
  });
}
