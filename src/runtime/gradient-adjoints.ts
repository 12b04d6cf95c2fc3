import {
  avgPool, AvgPool, AvgPoolGrad, Conv2DBackpropFilter, Conv2DBackpropInput, cast, conv2d, div, EluGrad, engine, equal, FusedConv2D, gather, getBackend,
  getGradient, image, MaxPool, maxPoolWithArgmax, MaxPoolGrad,
  mul, pad, registerGradient, reshape, ResizeNearestNeighbor, slice, step, sub, sum, zerosLike,
  type FusedConv2DAttrs, type GradConfig, type NamedAttrMap, type Tensor, type Tensor4D,
} from '@tensorflow/tfjs-core';
import { inputDerivative, isPlainPadding, kernelDerivative } from './plain-convolution.ts';
import { ownKernelDerivative } from './training-kernels.ts';

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
        filter: () => ownKernelDerivative(x, before, kernel.shape, pad) ?? kernelDerivative(x, before, kernel.shape, pad),
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
  replaceWasmMaxPool();
}

/**
 * The derivative of a pool on WebAssembly, whose own kernel is wrong there: of pools that do not overlap, by comparison with
 * what came out of each. Where several pixels are the largest, each has its share; pixels past the last whole pool have none.
 */
function replaceWasmMaxPool(): void {
  const own = getGradient(MaxPool);
  if (!own) return;
  const plain = own.gradFunc;
  own.gradFunc = (dy, saved, attributes) => {
    const [x, y] = saved as [Tensor4D, Tensor4D];
    if (getBackend() !== 'wasm') return plain(dy, saved, attributes);
    const [batch, rows, columns, channels] = x.shape;
    const [, outRows, outColumns] = (dy as Tensor4D).shape;
    const size = poolApart(x, dy as Tensor4D, attributes as unknown as PoolSizes, 'left over');
    if (!size) throw new Error('the derivative of pools that overlap is wrong on WebAssembly; another backend has it');
    const [usedRows, usedColumns] = [outRows * size[0], outColumns * size[1]];
    const used = usedRows === rows && usedColumns === columns ? x : slice(x, [0, 0, 0, 0], [batch, usedRows, usedColumns, channels]);
    const spread = (of: Tensor) => image.resizeNearestNeighbor(of as Tensor4D, [usedRows, usedColumns]);
    const largest = cast(equal(used, spread(y)), 'float32') as Tensor4D;
    const many = mul(avgPool(largest, size, size, 'valid'), size[0] * size[1]);
    return { x: () => pad(mul(largest, spread(div(dy as Tensor, many))), [[0, 0], [0, rows - usedRows], [0, columns - usedColumns], [0, 0]]) };
  };
}

/** The size of a pool whose windows stand side by side and cover the picture, or, where `rest` says so, leave less than a window of it over. */
function poolApart({ shape: [, rows, columns] }: Tensor4D, { shape: [, outRows, outColumns] }: Tensor4D, { filterSize, strides }: PoolSizes, rest?: 'left over'): [number, number] | undefined {
  const pair = (of: number | readonly number[]): [number, number] => (typeof of === 'number' ? [of, of] : [of[0]!, of[1]!]);
  const [size, step] = [pair(filterSize), pair(strides)];
  const left = [rows - outRows * size[0], columns - outColumns * size[1]];
  const apart = size[0] === step[0] && size[1] === step[1] && left.every((pixels, axis) => pixels === 0 || (rest !== undefined && pixels > 0 && pixels < size[axis]!));
  return apart ? size : undefined;
}

/** Pools that neither overlap nor leave pixels out: copies of each mean, which devices make quicker than tfjs's kernel. */
function mendAveragePool(): void {
  const own = getGradient(AvgPool);
  if (!own) return;
  const plain = own.gradFunc;
  own.gradFunc = (dy, saved, attributes) => {
    const [x] = saved as [Tensor4D];
    const [, rows, columns] = x.shape;
    const size = poolApart(x, dy as Tensor4D, attributes as unknown as PoolSizes);
    if (!size) return plain(dy, saved, attributes);
    return { x: () => mul(image.resizeNearestNeighbor(dy as Tensor4D, [rows, columns]), 1 / (size[0] * size[1])) };
  };
}
