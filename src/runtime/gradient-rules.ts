import {
  Conv2D, Equal, getGradient, Greater, GreaterEqual, Less, LessEqual, LogicalAnd, LogicalNot, LogicalOr, matMul, NotEqual, registerGradient, reshape, ResizeBilinear,
  tensor2d, transpose, zeros, type GradConfig, type Tensor, type Tensor2D, type Tensor4D,
} from '@tensorflow/tfjs-core';
import { registerAdjoints } from './gradient-adjoints.ts';
import { mendTapeOrder } from './gradient-tape.ts';
import { inputDerivative, isPlainPadding, kernelDerivative } from './plain-convolution.ts';
import { ownKernelDerivative } from './training-kernels.ts';

let installed = false;

/**
 * Mends tfjs 4.22's gradients, once for the process. First order: that of the bilinear resize is wrong for half-pixel
 * centres and throws on cpu for images that are not square; comparisons, on which `where` depends, have none and throw
 * (they are piecewise constant: 0); those of a convolution are slow, see `inputDerivative` and `kernelDerivative`; that of
 * nearest-neighbour upsampling is wrong on cpu. Second order: see `mendTapeOrder` and `registerAdjoints`.
 */
export function installGradientRules(): void {
  if (installed) return;
  installed = true;
  mendTapeOrder();
  registerAdjoints();
  const flat = (names: readonly string[]): GradConfig['gradFunc'] => (_, saved) =>
    Object.fromEntries(names.map((name, i) => [name, () => zeros(saved[i]!.shape)]));
  for (const kernelName of [Greater, GreaterEqual, Less, LessEqual, Equal, NotEqual, LogicalAnd, LogicalOr]) {
    if (!getGradient(kernelName)) registerGradient({ kernelName, inputsToSave: ['a', 'b'], gradFunc: flat(['a', 'b']) });
  }
  if (!getGradient(LogicalNot)) registerGradient({ kernelName: LogicalNot, inputsToSave: ['x'], gradFunc: flat(['x']) });

  const convolution = getGradient(Conv2D);
  const plain = convolution?.gradFunc;
  if (convolution && plain) {
    convolution.gradFunc = (dy, saved, attributes) => {
      const { strides, pad, dataFormat } = attributes as unknown as { strides: number | number[]; pad: unknown; dataFormat: string };
      const byBoth = plain(dy, saved, attributes);
      const [x, kernel] = saved as [Tensor4D, Tensor4D];
      if (dataFormat !== 'NHWC' || [strides].flat().some(stride => stride !== 1) || !isPlainPadding(pad)) return byBoth;
      return { x: () => inputDerivative(dy as Tensor4D, kernel, pad), filter: () => ownKernelDerivative(x, dy as Tensor4D, kernel.shape, pad) ?? kernelDerivative(x, dy as Tensor4D, kernel.shape, pad) };
    };
  }

  const resize = getGradient(ResizeBilinear);
  // Changed in place, since registering a second time is warned of.
  const gradFunc: GradConfig['gradFunc'] = (dy, saved, attributes) => {
    const { alignCorners, halfPixelCenters } = attributes as unknown as { alignCorners: boolean; halfPixelCenters: boolean };
    return { images: () => resizeBilinearGradient(dy as Tensor4D, saved[0] as Tensor4D, alignCorners, halfPixelCenters) };
  };
  if (resize) resize.gradFunc = gradFunc;
  else registerGradient({ kernelName: ResizeBilinear, inputsToSave: ['images'], gradFunc });
}

/** The transpose of the resize, which is linear along each axis: rowsᵀ · dy · columns, for every channel. */
function resizeBilinearGradient(dy: Tensor4D, images: Tensor4D, alignCorners: boolean, halfPixel: boolean): Tensor {
  const [batch, rows, columns, channels] = images.shape;
  const [, toRows, toColumns] = dy.shape;
  const down = interpolation(rows, toRows, alignCorners, halfPixel);
  const across = interpolation(columns, toColumns, alignCorners, halfPixel);
  // The axis at hand is brought last and multiplied.
  const alongRows = matMul(reshape(transpose(dy, [0, 3, 2, 1]), [batch * channels * toColumns, toRows]) as Tensor2D, down);
  const turned = transpose(reshape(alongRows, [batch, channels, toColumns, rows]), [0, 3, 1, 2]);
  const alongColumns = matMul(reshape(turned, [batch * rows * channels, toColumns]) as Tensor2D, across);
  return transpose(reshape(alongColumns, [batch, rows, channels, columns]), [0, 1, 3, 2]);
}

/** [to, from]: each outgoing pixel's weights, by tfjs's own conventions for the three kinds of centres. */
function interpolation(from: number, to: number, alignCorners: boolean, halfPixel: boolean): Tensor2D {
  const scale = alignCorners && to > 1 ? (from - 1) / (to - 1) : from / to;
  const weights = new Float32Array(to * from);
  for (let i = 0; i < to; i++) {
    const position = halfPixel ? scale * (i + 0.5) - 0.5 : scale * i;
    const lower = Math.max(0, Math.floor(position));
    const upper = Math.min(from - 1, Math.ceil(position));
    // Beyond the first or the last centre both are the same pixel, and the shares add up to 1.
    const fraction = position - lower;
    weights[i * from + lower]! += 1 - fraction;
    weights[i * from + upper]! += fraction;
  }
  return tensor2d(weights, [to, from]);
}
