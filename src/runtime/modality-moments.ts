import { add, addN, concat, div, maximum, mul, reshape, serialization, slice, square, sub, sum, tidy, type Tensor } from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';

type LayerConfig = ConstructorParameters<typeof layers.Layer>[0];

/**
 * The abstraction layer of HeMIS (Havaei et al. 2016, arXiv 1607.05194) for any number m of modalities: activations
 * [n, rows, columns, c] of each, then present [n, m] (1 or 0) → [n, rows, columns, 2c], the mean and the unbiased
 * variance over the modalities that are present; the variance of a single one is zero. What an absent one gives is not
 * heeded, as long as it is finite. Importing this file makes the layer known to the loader of layers models.
 */
export class ModalityMoments extends layers.Layer {
  static readonly className = 'ModalityMoments';

  constructor(config: LayerConfig = {}) {
    super(config);
  }

  override computeOutputShape(inputShape: (number | null)[][]): (number | null)[] {
    const [n, rows, columns, channels] = inputShape[0]!;
    return [n!, rows!, columns!, 2 * channels!];
  }

  override call(inputs: Tensor[]): Tensor {
    return tidy(() => {
      const [present, ...reversed] = [...inputs].reverse() as [Tensor, ...Tensor[]];
      const activations = reversed.reverse();
      const has = activations.map((_, i) => reshape(slice(present, [0, i], [-1, 1]), [-1, 1, 1, 1]));
      const count = reshape(sum(present, 1), [-1, 1, 1, 1]);
      const mean = div(addN(activations.map((a, i) => mul(a, has[i]!))), count);
      const squares = addN(activations.map((a, i) => mul(square(sub(a, mean)), has[i]!)));
      // Of one modality the squares are zero, and what they are divided by is of no matter.
      return concat([mean, div(squares, maximum(add(count, -1), 1))], -1);
    });
  }
}

serialization.registerClass(ModalityMoments);
