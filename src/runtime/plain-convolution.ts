import { add, conv2d, engine, FusedConv2D, matMul, pad, relu, reshape, reverse, slice, stack, transpose, type NamedAttrMap, type Tensor, type Tensor4D } from '@tensorflow/tfjs-core';
import type { Layer } from './layer-graph.ts';

/**
 * A convolution layer computed in a way whose derivatives are computed only where they are asked for, and quickly. The
 * operation that the layer itself uses computes the kernel's derivative with every backward pass.
 * @returns undefined for a layer that is no such convolution; its own way is to be taken
 */
export function plainConvolution(layer: Layer, x: Tensor): Tensor | undefined {
  if (layer.getClassName() !== 'Conv2D') return undefined;
  const { strides, padding, dataFormat, dilationRate, activation } = layer.getConfig() as {
    strides: number | [number, number]; padding: string; dataFormat: string; dilationRate: number | number[]; activation: unknown;
  };
  const undilated = [dilationRate].flat().every(rate => rate === 1);
  if (dataFormat !== 'channelsLast' || !isPlainPadding(padding) || !undilated || (activation !== 'linear' && activation !== 'relu')) return undefined;
  const [kernel, bias] = layer.weights.map(weight => weight.read());
  const unstrided = [strides].flat().every(stride => stride === 1);
  if (bias && unstrided && x.rank === 4) {
    const attributes = { strides: [1, 1], pad: padding, dataFormat: 'NHWC', dilations: [1, 1], activation } as unknown as NamedAttrMap;
    return engine().runKernel<Tensor>(FusedConv2D, { x, filter: kernel!, bias }, attributes);
  }
  const y = conv2d(x as Tensor4D, kernel as Tensor4D, strides, padding);
  const z = bias ? add(y, bias) : y;
  return activation === 'relu' ? relu(z) : z;
}

export function isPlainPadding(padding: unknown): padding is 'same' | 'valid' {
  return padding === 'same' || padding === 'valid';
}

/**
 * The derivative by the input of a convolution with stride 1: a convolution too, with the kernel turned round and as much
 * padding as the forward one lacked. Devices convolve far quicker than they run tfjs's kernel for that derivative.
 */
export function inputDerivative(dy: Tensor4D, kernel: Tensor4D, padding: 'same' | 'valid'): Tensor4D {
  const [rows, columns] = kernel.shape;
  const turned = transpose(rows * columns === 1 ? kernel : reverse(kernel, [0, 1]), [0, 1, 3, 2]);
  // Paddings that have a name, so that what this gives can itself be derived as a plain convolution.
  if (padding === 'same' && rows % 2 === 1 && columns % 2 === 1) return conv2d(dy, turned, 1, 'same');
  const around = (size: number): [number, number] => {
    const [before, after] = addedPadding(size, padding);
    return [size - 1 - before, size - 1 - after];
  };
  return conv2d(rows * columns === 1 ? dy : pad(dy, [[0, 0], around(rows), around(columns), [0, 0]]), turned, 1, 'valid');
}

/**
 * The derivative by the kernel of a convolution with stride 1: for each of the kernel's pixels, all pixels that it is laid
 * on times what came out of them, one product of matrices. tfjs's kernel for it goes through the whole picture with one
 * thread a weight.
 * @param shape of the kernel, [rows, columns, in, out]
 */
export function kernelDerivative(x: Tensor4D, dy: Tensor4D, shape: readonly number[], padding: 'same' | 'valid'): Tensor4D {
  const [rows, columns, inputs, outputs] = shape as [number, number, number, number];
  const [batch, outRows, outColumns] = dy.shape;
  const given = reshape(dy, [-1, outputs]);
  const from = rows * columns === 1 || padding === 'valid' ? x : pad(x, [[0, 0], addedPadding(rows, padding), addedPadding(columns, padding), [0, 0]]);
  const taps: Tensor[] = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const laid = rows * columns === 1 ? from : slice(from, [0, row, column, 0], [batch, outRows, outColumns, inputs]);
      taps.push(matMul(reshape(laid, [-1, inputs]), given, true, false));
    }
  }
  return reshape(stack(taps), [rows, columns, inputs, outputs]);
}

/** What a convolution puts before and after a side. */
export function addedPadding(size: number, padding: 'same' | 'valid'): [number, number] {
  const before = padding === 'same' ? Math.floor((size - 1) / 2) : 0;
  return [before, padding === 'same' ? size - 1 - before : 0];
}
