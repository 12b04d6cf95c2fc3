import {
  avgPool, AvgPool, AvgPoolGrad, Conv2DBackpropFilter, Conv2DBackpropInput, conv2d, EluGrad, engine, FusedConv2D, gather, getGradient, image, maxPoolWithArgmax, MaxPoolGrad,
  mul, registerGradient, reshape, ResizeNearestNeighbor, step, sub, sum, zerosLike,
  type FusedConv2DAttrs, type GradConfig, type NamedAttrMap, type Tensor, type Tensor4D,
} from '@tensorflow/tfjs-core';
import { inputDerivative, isPlainPadding, kernelDerivative } from './plain-convolution.ts';

type PoolSizes = { readonly filterSize: [number, number]; readonly strides: [number, number]; readonly pad: 'same' | 'valid' | number };
type Convolved = { readonly strides: number | [number, number]; readonly pad: 'same' | 'valid'; readonly dataFormat: 'NHWC'; readonly dimRoundingMode?: 'floor' };

/**
 * Derivatives of tfjs's own derivative kernels, which it lacks: with them a second derivative can be taken of everything
 * that our architectures are made of. A pool's derivative is linear in `dy`, so that its own is the pool at the same
 * places; by the pool's input it is 0 almost everywhere.
 */
export function registerAdjoints(): void {
  const register = (config: GradConfig) => {
    if (!getGradient(config.kernelName)) registerGradient(config);
  };
  register({
    kernelName: AvgPoolGrad,
    inputsToSave: ['input'],
    gradFunc: (d, saved, attributes) => {
      const [input] = saved as [Tensor];
      const { filterSize, strides, pad } = attributes as unknown as PoolSizes;
      return { dy: () => avgPool(d as Tensor4D, filterSize, strides, pad), input: () => zerosLike(input) };
    },
  });
  register({
    kernelName: MaxPoolGrad,
    inputsToSave: ['dy', 'input', 'output'],
    gradFunc: (d, saved, attributes) => {
      const [dy, input, output] = saved as [Tensor, Tensor, Tensor];
      const { filterSize, strides, pad } = attributes as unknown as PoolSizes;
      const atLargest = () => {
        const { indexes } = maxPoolWithArgmax(input as Tensor4D, filterSize, strides, pad as 'same' | 'valid', true);
        return reshape(gather(reshape(d as Tensor, [-1]), reshape(indexes as Tensor, [-1])), dy.shape);
      };
      return { dy: atLargest, input: () => zerosLike(input), output: () => zerosLike(output) };
    },
  });
  register({
    kernelName: Conv2DBackpropFilter,
    inputsToSave: ['x', 'dy'],
    gradFunc: (d, saved, attributes) => {
      const [x, dy] = saved as [Tensor4D, Tensor4D];
      const { strides, pad, dataFormat, dimRoundingMode } = attributes as unknown as Convolved;
      const ofInput = { strides, pad, dataFormat, dimRoundingMode, inputShape: x.shape } as unknown as NamedAttrMap;
      return {
        x: () => engine().runKernel<Tensor>(Conv2DBackpropInput, { dy, filter: d as Tensor4D }, ofInput),
        dy: () => conv2d(x, d as Tensor4D, strides, pad, dataFormat, 1, dimRoundingMode),
      };
    },
  });
  register({
    kernelName: EluGrad,
    inputsToSave: ['dy', 'y'],
    gradFunc: (d, saved) => {
      const [dy, y] = saved as [Tensor, Tensor];
      return {
        dy: () => engine().runKernel<Tensor>(EluGrad, { dy: d as Tensor, y }),
        y: () => mul(mul(d as Tensor, dy), sub(1, step(y))),
      };
    },
  });
  registerFusedConvolution();
  mendNearestUpsampling();
}

/** Of tfjs's fused kernel itself (its operation has a custom gradient, which computes every derivative, asked for or not). */
function registerFusedConvolution(): void {
  if (getGradient(FusedConv2D)) return;
  registerGradient({
    kernelName: FusedConv2D,
    inputsToSave: ['x', 'filter', 'bias'],
    outputsToSave: [true],
    gradFunc: (dy, saved, attributes) => {
      const [x, kernel, bias, y] = saved as [Tensor4D, Tensor4D, Tensor, Tensor4D];
      const { strides, pad, activation } = attributes as unknown as FusedConv2DAttrs;
      if (!isPlainPadding(pad) || [strides].flat().some(stride => stride !== 1)) throw new Error('a fused convolution is derived with stride 1 and padding same or valid only');
      const before = (activation === 'relu' ? mul(dy as Tensor, step(y)) : dy) as Tensor4D;
      return {
        x: () => inputDerivative(before, kernel, pad),
        filter: () => kernelDerivative(x, before, kernel.shape, pad),
        bias: () => reshape(sum(before, [0, 1, 2]), bias.shape),
      };
    },
  });
}

/**
 * Nearest-neighbour upsampling by whole numbers, as U-Nets do it: the derivative is the sum over each pixel's copies.
 * tfjs's own is wrong on cpu for more than one picture, and has no derivative.
 */
function mendNearestUpsampling(): void {
  const own = getGradient(ResizeNearestNeighbor);
  if (!own) return;
  const plain = own.gradFunc;
  own.gradFunc = (dy, saved, attributes) => {
    const [images] = saved as [Tensor4D];
    const [, rows, columns] = images.shape;
    const [, toRows, toColumns] = (dy as Tensor4D).shape;
    const size: [number, number] = [toRows / rows, toColumns / columns];
    const { alignCorners, halfPixelCenters } = attributes as unknown as { alignCorners: boolean; halfPixelCenters: boolean };
    if (alignCorners || halfPixelCenters || !size.every(Number.isInteger)) return plain(dy, saved, attributes);
    return { images: () => mul(avgPool(dy as Tensor4D, size, size, 'valid'), size[0] * size[1]) };
  };
  mendAveragePool();
}

/** Pools that neither overlap nor leave pixels out: copies of each mean, which devices make quicker than tfjs's kernel. */
function mendAveragePool(): void {
  const own = getGradient(AvgPool);
  if (!own) return;
  const plain = own.gradFunc;
  own.gradFunc = (dy, saved, attributes) => {
    const [x] = saved as [Tensor4D];
    const [, rows, columns] = x.shape;
    const { filterSize, strides } = attributes as unknown as PoolSizes;
    const [down, across] = [filterSize].flat().length === 1 ? [filterSize, filterSize].flat() : filterSize;
    const [, outRows, outColumns] = (dy as Tensor4D).shape;
    const apart = [strides].flat().every((stride, i) => stride === (i === 0 ? down : across));
    if (!apart || outRows * down! !== rows || outColumns * across! !== columns) return plain(dy, saved, attributes);
    return { x: () => mul(image.resizeNearestNeighbor(dy as Tensor4D, [rows, columns]), 1 / (down! * across!)) };
  };
}
