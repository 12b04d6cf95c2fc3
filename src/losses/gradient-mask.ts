import { abs, add, grad, mean, mul, slice, sqrt, square, sub, sum, tidy, type Scalar, type Tensor } from '@tensorflow/tfjs-core';
import { OverreadError } from '../errors.ts';
import { checkGuidance, type Guidance } from './input-gradients.ts';

/** Added under the root, which has no derivative at 0. */
const LEAST = 1e-12;

/**
 * GradMask: the length of the derivative of the contrast between the classes by the pixels outside the mask, the mean over
 * the batch. The contrast of two classes is |z₀ − z₁|, that of a target with sigmoid |z|, its logit being the difference;
 * several targets are added.
 *
 * B. Simpson, F. Dutil, Y. Bengio, J. P. Cohen, "GradMask: reduce overfitting by regularizing saliency", MIDL 2019.
 * @throws OverreadError `config/invalid` with softmax over other than two classes, for which the paper says nothing
 */
export function gradientMask({ network, pictures, outside, activation }: Guidance): Scalar {
  checkGuidance(pictures, outside);
  return tidy(() => {
    const contrast = (x: Tensor) => {
      const logits = network(x);
      if (activation === 'sigmoid') return sum(abs(logits));
      if (logits.shape[1] !== 2) throw new OverreadError('config/invalid', `Expected two classes for GradMask, got ${logits.shape[1]}. Choose another loss, or sigmoid targets.`, { expected: 2, got: logits.shape[1] });
      return sum(abs(sub(slice(logits, [0, 0], [-1, 1]), slice(logits, [0, 1], [-1, 1]))));
    };
    const outer = mul(grad(contrast)(pictures), outside);
    return mean(sqrt(add(sum(square(outer), pictures.shape.map((_, axis) => axis).slice(1)), LEAST)));
  });
}
