import { div, mean, mul, sum, type Scalar, type Tensor } from '@tensorflow/tfjs-core';

/** Σ w·l / Σ w over all elements; the mean without weights. Weights of a last axis of 1 hold for all of it. */
export function weightedMean(losses: Tensor, weights?: Tensor): Scalar {
  if (!weights) return mean(losses);
  const repeats = losses.shape.at(-1)! / weights.shape.at(-1)!;
  return div(sum(mul(losses, weights)), mul(sum(weights), repeats));
}
