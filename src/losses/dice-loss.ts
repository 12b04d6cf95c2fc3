import { add, div, mean, mul, sigmoid, slice, softmax, square, sub, sum, tidy, type Scalar, type Tensor } from '@tensorflow/tfjs-core';
import { checkShapes, type Activation } from './loss.ts';

export interface DiceOptions {
  readonly activation: Activation;
  /** [n, …, 1] or [n, …, classes]: every product of a pixel counts so often. */
  readonly weights?: Tensor;
  /** Added to numerator and denominator, so that a class that is nowhere has a value; 1 when left out. */
  readonly smooth?: number;
  /** With softmax: leave the first class out of the mean. */
  readonly withoutBackground?: boolean;
}

/**
 * 1 − Dice by the dot product, for each class over the batch, and the mean over the classes:
 * 1 − (2·p·y + s) / (p·p + y·y + s) with · over all pixels.
 *
 * F. Milletari, N. Navab, S.-A. Ahmadi, "V-Net: fully convolutional neural networks for volumetric medical image
 * segmentation", 3DV 2016.
 * @param labels [n, …, classes], one-hot with softmax, 0 or 1 a target with sigmoid
 * @param logits of the same shape
 */
export function diceLoss(labels: Tensor, logits: Tensor, { activation, weights, smooth = 1, withoutBackground = false }: DiceOptions): Scalar {
  checkShapes(labels, logits, weights);
  return tidy(() => {
    const probabilities = activation === 'softmax' ? softmax(logits) : sigmoid(logits);
    const pixels = logits.shape.map((_, axis) => axis).slice(0, -1);
    const over = (products: Tensor) => sum(weights ? mul(products, weights) : products, pixels);
    const both = add(mul(over(mul(probabilities, labels)), 2), smooth);
    const each = add(over(add(square(probabilities), square(labels))), smooth);
    const dice = div(both, each);
    return sub(1, mean(withoutBackground ? slice(dice, 1) : dice));
  });
}
