import { add, conv2d, reverse, transpose, type Tensor, type Tensor4D } from '@tensorflow/tfjs-core';
import type { Layer } from './layer-graph.ts';

/**
 * A convolution layer computed by tfjs-core's plain operation. The fused one that the layer itself uses computes the
 * kernel's derivative with every backward pass, though nobody asks for it.
 * @returns undefined for a layer that is no such convolution; its own way is to be taken
 */
export function plainConvolution(layer: Layer, x: Tensor): Tensor | undefined {
  if (layer.getClassName() !== 'Conv2D') return undefined;
  const { strides, padding, dataFormat, dilationRate, activation } = layer.getConfig() as {
    strides: number | [number, number]; padding: string; dataFormat: string; dilationRate: number | number[]; activation: unknown;
  };
  const undilated = [dilationRate].flat().every(rate => rate === 1);
  if (dataFormat !== 'channelsLast' || (padding !== 'same' && padding !== 'valid') || !undilated || activation !== 'linear') return undefined;
  const [kernel, bias] = layer.weights.map(weight => weight.read());
  const y = conv2d(x as Tensor4D, kernel as Tensor4D, strides, padding);
  return bias ? add(y, bias) : y;
}

/**
 * The derivative by the input of a convolution with stride 1: a convolution too, with the kernel turned round and as much
 * padding as the forward one lacked. Devices convolve far quicker than they run tfjs's kernel for that derivative.
 */
export function inputDerivative(dy: Tensor4D, kernel: Tensor4D, padding: 'same' | 'valid'): Tensor4D {
  const [rows, columns] = kernel.shape;
  const turned = transpose(rows * columns === 1 ? kernel : reverse(kernel, [0, 1]), [0, 1, 3, 2]);
  const around = (size: number): [number, number] => {
    const before = padding === 'same' ? Math.floor((size - 1) / 2) : 0;
    const after = padding === 'same' ? size - 1 - before : 0;
    return [size - 1 - before, size - 1 - after];
  };
  return conv2d(dy, turned, 1, [[0, 0], around(rows), around(columns), [0, 0]]);
}
