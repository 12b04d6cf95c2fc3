import { add, mean, sqrt, square, sub, sum, tidy, type Scalar, type Tensor } from '@tensorflow/tfjs-core';

/** Added under the root, which has no derivative at 0. */
const LEAST = 1e-12;

/**
 * ActivDiff: how far the network's representations of a picture and of the same picture without what lies outside its mask
 * are apart; the length of their difference, the mean over the batch.
 *
 * J. D. Viviano, B. Simpson, F. Dutil, Y. Bengio, J. P. Cohen, "Saliency is a possible red herring when diagnosing poor
 * generalization", ICLR 2021 (arXiv 1910.00199).
 * @param whole and masked: [n, …] activations of one layer
 */
export function activationDifference(whole: Tensor, masked: Tensor): Scalar {
  return tidy(() => mean(sqrt(add(sum(square(sub(whole, masked)), whole.shape.map((_, axis) => axis).slice(1)), LEAST))));
}

/**
 * A picture whose pixels outside the mask are put in another order, as in the paper: what is left there has the same
 * values and no structure.
 * @param picture rows · columns · channels
 * @param mask rows · columns, not 0 inside
 * @param random uniform in [0, 1)
 */
export function shuffledOutside(picture: Float32Array, mask: ArrayLike<number>, channels: number, random: () => number): Float32Array {
  const out = picture.slice();
  const places: number[] = [];
  for (let i = 0; i < mask.length; i++) if (!mask[i]) places.push(i);
  for (let i = places.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    const [a, b] = [places[i]! * channels, places[j]! * channels];
    for (let c = 0; c < channels; c++) [out[a + c], out[b + c]] = [out[b + c]!, out[a + c]!];
  }
  return out;
}
