import { add, concat, div, mul, reshape, serialization, slice, square, sub, tidy, type Tensor } from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';

type LayerConfig = ConstructorParameters<typeof layers.Layer>[0];

/**
 * The abstraction layer of HeMIS for two views: activations a, b [n, rows, columns, c] and present [n, 2] (1 or 0) →
 * [n, rows, columns, 2c], the mean and the unbiased variance over the views that are present; the variance of one view
 * is zero. With `variance: false`, the mean alone [n, rows, columns, c]. Importing this file makes the layer known to
 * the loader of layers models.
 */
export class ViewMoments extends layers.Layer {
  static readonly className = 'ViewMoments';
  private readonly variance: boolean;

  constructor(config: LayerConfig & { variance?: boolean }) {
    const { variance = true, ...rest } = config;
    super(rest);
    this.variance = variance;
  }

  override computeOutputShape(inputShape: (number | null)[][]): (number | null)[] {
    const [n, rows, columns, channels] = inputShape[0]!;
    return [n!, rows!, columns!, this.variance ? 2 * channels! : channels!];
  }

  override call(inputs: Tensor[]): Tensor {
    return tidy(() => {
      const [a, b, present] = inputs as [Tensor, Tensor, Tensor];
      const [hasA, hasB] = [0, 1].map(i => reshape(slice(present, [0, i], [-1, 1]), [-1, 1, 1, 1]));
      const mean = div(add(mul(a, hasA!), mul(b, hasB!)), add(hasA!, hasB!));
      if (!this.variance) return mean;
      // Of two values, the unbiased variance is half their squared difference.
      const variance = mul(mul(square(sub(a, b)), 0.5), mul(hasA!, hasB!));
      return concat([mean, variance], -1);
    });
  }

  override getConfig(): serialization.ConfigDict {
    return { ...super.getConfig(), variance: this.variance };
  }
}

serialization.registerClass(ViewMoments);
