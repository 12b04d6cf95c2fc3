import { add, div, tidy, type Scalar, type Tensor } from '@tensorflow/tfjs-core';
import type { Loss } from './loss.ts';

/**
 * The loss of a network that has a head for each view beside the joint one, so that no branch leans on the other: the mean
 * of the losses of all heads.
 *
 * M. Hashir, H. Bertrand, J. P. Cohen, "Quantifying the value of lateral views in deep learning for chest X-rays", MIDL 2020.
 * @param heads logits of the joint head and of each view's, as `architectures/fusion-auxloss` gives them
 */
export function auxLoss(labels: Tensor, heads: readonly Tensor[], loss: Loss): Scalar {
  return tidy(() => div(heads.map(logits => loss(labels, logits)).reduce((a, b) => add(a, b)), heads.length));
}
