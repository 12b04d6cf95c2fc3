import { add, mul, tidy, type Scalar, type Tensor } from '@tensorflow/tfjs-core';
import { binaryCrossEntropy } from './binary-cross-entropy.ts';
import { categoricalCrossEntropy } from './categorical-cross-entropy.ts';
import { diceLoss, type DiceOptions } from './dice-loss.ts';

export interface DiceCrossEntropyOptions extends DiceOptions {
  /** Of the Dice loss against the cross-entropy; 1 when left out. */
  readonly diceShare?: number;
}

/**
 * Cross-entropy, which has a useful derivative everywhere, and Dice, which does not mind how rare a class is, added, as in
 * nnU-Net (Isensee et al. 2021, "nnU-Net: a self-configuring method for deep learning-based biomedical image
 * segmentation", Nature Methods 18). Weights, such as `borderWeights`, hold for both.
 */
export function diceCrossEntropy(labels: Tensor, logits: Tensor, { diceShare = 1, ...options }: DiceCrossEntropyOptions): Scalar {
  const crossEntropy = options.activation === 'softmax' ? categoricalCrossEntropy : binaryCrossEntropy;
  return tidy(() => add(crossEntropy(labels, logits, options.weights), mul(diceLoss(labels, logits, options), diceShare)));
}
