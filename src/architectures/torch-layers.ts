import { initializers, layers as tfl, type SymbolicTensor } from '@tensorflow/tfjs-layers';

/**
 * The few PyTorch layers that our networks are made of, as tfjs layers that compute the same numbers. Every layer that
 * has weights carries its PyTorch module path as its name ('features.conv0'), so that a state dict is assigned by name.
 */
export class TorchLayers {
  #made = 0;
  readonly #seed: number | undefined;

  /** @param seed makes the random weights reproducible; 'zeros' makes none, for a network that is given weights at once */
  constructor(private readonly weights: { readonly seed?: number } | 'zeros' = {}) {
    this.#seed = weights === 'zeros' ? undefined : weights.seed;
  }

  /**
   * `nn.Conv2d` without dilation or groups. PyTorch pads both sides alike; tfjs 'same' puts the odd pixel of a strided
   * convolution on one side only, so padding is explicit wherever the stride is not 1.
   */
  conv(x: SymbolicTensor, name: string, filters: number, kernel: number, options: { stride?: number; pad?: number; bias?: boolean } = {}): SymbolicTensor {
    const { stride = 1, pad = 0, bias = false } = options;
    const same = stride === 1 && pad > 0 && kernel === 2 * pad + 1;
    const padded = pad > 0 && !same ? tfl.zeroPadding2d({ padding: [pad, pad], name: `${name}.pad` }).apply(x) as SymbolicTensor : x;
    return tfl.conv2d({
      name, filters, kernelSize: kernel, strides: stride, padding: same ? 'same' : 'valid', useBias: bias,
      kernelInitializer: this.#initializer(),
    }).apply(padded) as SymbolicTensor;
  }

  /** `nn.BatchNorm2d` with PyTorch's defaults: eps 1e-5; its momentum 0.1 is Keras' 0.9. */
  norm(x: SymbolicTensor, name: string): SymbolicTensor {
    return tfl.batchNormalization({ name, axis: -1, epsilon: 1e-5, momentum: 0.9 }).apply(x) as SymbolicTensor;
  }

  relu(x: SymbolicTensor, name: string): SymbolicTensor {
    return tfl.reLU({ name }).apply(x) as SymbolicTensor;
  }

  /**
   * `nn.MaxPool2d(3, 2, 1)`, for input that is nowhere negative. PyTorch pads a maximum with −∞; after a ReLU zero
   * does the same, since every window holds at least one real pixel, which is at least 0.
   */
  maxPoolAfterRelu(x: SymbolicTensor, name: string): SymbolicTensor {
    const padded = tfl.zeroPadding2d({ padding: [1, 1], name: `${name}.pad` }).apply(x) as SymbolicTensor;
    return tfl.maxPooling2d({ name, poolSize: 3, strides: 2, padding: 'valid' }).apply(padded) as SymbolicTensor;
  }

  /** `nn.AvgPool2d(2, 2)` */
  averagePool(x: SymbolicTensor, name: string): SymbolicTensor {
    return tfl.averagePooling2d({ name, poolSize: 2, strides: 2, padding: 'valid' }).apply(x) as SymbolicTensor;
  }

  /** `adaptive_avg_pool2d(x, 1)` flattened: [n, rows, columns, channels] → [n, channels] */
  globalAverage(x: SymbolicTensor, name: string): SymbolicTensor {
    return tfl.globalAveragePooling2d({ name, dataFormat: 'channelsLast' }).apply(x) as SymbolicTensor;
  }

  /** `nn.Linear` */
  linear(x: SymbolicTensor, name: string, units: number): SymbolicTensor {
    return tfl.dense({ name, units, kernelInitializer: this.#initializer() }).apply(x) as SymbolicTensor;
  }

  /** Along the channels. */
  concat(xs: SymbolicTensor[], name: string): SymbolicTensor {
    return tfl.concatenate({ name, axis: -1 }).apply(xs) as SymbolicTensor;
  }

  add(xs: SymbolicTensor[], name: string): SymbolicTensor {
    return tfl.add({ name }).apply(xs) as SymbolicTensor;
  }

  #initializer() {
    if (this.weights === 'zeros') return initializers.zeros();
    // A seed of its own for each layer: one seed for all would give layers of one shape equal weights.
    return initializers.heNormal(this.#seed === undefined ? {} : { seed: this.#seed + this.#made++ });
  }
}
