import {
  add, addN, avgPool, batchNorm, concat, conv2dTranspose, fused, keep, maximum, maxPool, mul, prelu, reshape, softmax, squeeze, slice, tidy, transpose, zeros,
  type Tensor, type Tensor1D, type Tensor4D,
} from '@tensorflow/tfjs-core';
import { activationOf, type Activation } from './kernels/activation.ts';
import type { Layer } from './layer-graph.ts';
import { perAxis, type Window } from './layer-windows.ts';
import { convolvedSlice, hasSliceKernel } from './slice-convolution.ts';

/** The slice of one of a layer's inputs, [1, rows, columns, channels]; undefined before the first and after the last. */
export type SliceOf = (input: number, slice: number) => Tensor4D | undefined;

/** Computes one slice of what a layer of a network of volumes gives. Called within a tidy. */
export interface SliceLayer {
  slice(of: SliceOf, slice: number): Tensor4D;
  /** Takes over what follows the layer. @returns false where it cannot */
  takesOver?(activation: Activation): boolean;
  /** Shape of the largest tensor that a call makes, where that is neither its input nor its output. */
  readonly within?: readonly number[];
  dispose(): void;
}

type Plane = readonly [rows: number, columns: number];
type Pair = [number, number];
interface Convolution {
  readonly kernelSize: unknown; readonly strides: unknown; readonly dilationRate: unknown; readonly padding: 'same' | 'valid';
  readonly activation?: unknown;
}
/** What a convolution or dense layer of tfjs applies to its sums. */
interface Activated {
  readonly activation?: { apply(x: Tensor): Tensor } | null;
}

/**
 * A layer of a network of volumes by operations on planes, which every backend has in a quick form: a 3D convolution is
 * a 2D one over the slices that its kernel meets, laid side by side as channels; 3D pooling is 2D pooling, then over
 * slices.
 * @param window of the axis of slices; `windowsOf` has refused whatever is not covered here
 * @param made [rows, columns] of what the layer gives
 * @param rest the windows of rows and columns
 */
export function sliceLayer(layer: Layer, window: Window, inputs: readonly { readonly slices: number; readonly plane: Plane; readonly channels: number }[], made: Plane, rest: readonly Window[]): SliceLayer {
  const name = layer.getClassName();
  const config = layer.getConfig() as unknown as Convolution & { readonly poolSize: unknown };
  switch (name) {
    case 'Conv3D': return convolution(layer, config, window, inputs[0]!, rest, made);
    case 'Conv3DTranspose': return transposedConvolution(layer, config, window, made);
    case 'MaxPooling3D':
    case 'AveragePooling3D': return pooling(name, config, window);
    case 'BatchNormalization': return pointwise(of => normalised(layer, of(0)));
    case 'PReLU': return pointwise(of => prelu(of(0), squeeze(weight(layer, 0), [0])));
    case 'Softmax': return pointwise(of => softmax(of(0), -1));
    case 'Concatenate': return pointwise(of => concat(inputs.map((_, i) => of(i)), -1));
    default: return pointwise(of => layer.call(inputs.length === 1 ? of(0) : inputs.map((_, i) => of(i)), { training: false }) as Tensor);
  }
}

function pointwise(compute: (of: (input: number) => Tensor4D) => Tensor | readonly Tensor[]): SliceLayer {
  return { slice: (of, at) => [compute(input => of(input, at)!)].flat()[0] as Tensor4D, dispose: () => {} };
}

/** Slices that a window's output meets: its taps, some of them beyond the ends. */
function taps(window: Window, slice: number, count: number, rate: number): number[] {
  const first = window.kind === 'slide' ? slice * window.stride - window.before : slice;
  return Array.from({ length: count }, (_, tap) => first + tap * rate);
}

function convolution(layer: Layer, config: Convolution, window: Window, input: { readonly plane: Plane; readonly channels: number }, rest: readonly Window[], made: Plane): SliceLayer {
  const [depth, ...size] = perAxis(config.kernelSize, 3) as [number, number, number];
  const [rate, ...rates] = perAxis(config.dilationRate ?? 1, 3) as [number, number, number];
  const [, ...strides] = perAxis(config.strides, 3) as [number, number, number];
  // [slices, rows, columns, in, out] → [rows, columns, slices · in, out]
  const kernel = weight(layer, 0);
  const [, rows, columns, channels, filters] = kernel.shape as [number, number, number, number, number];
  const own = activationOf(config.activation);
  if (own && hasSliceKernel({ depth, channels, filters })) {
    const before = rest.map(axis => (axis.kind === 'slide' ? axis.before : 0)) as Pair;
    let activation = own;
    return {
      slice(of, at) {
        const met = taps(window, at, depth, rate).map(tap => of(0, tap));
        const bias = layer.weights.length > 1 ? weight(layer, 1) : undefined;
        return convolvedSlice({ depth, channels, filters, made, size: size as Pair, strides: strides as Pair, rates: rates as Pair, before, activation }, met, kernel, bias);
      },
      takesOver(other) {
        const free = activation.kind === 'linear';
        if (free) activation = other;
        return free;
      },
      dispose: () => {},
    };
  }
  const flat = keep(tidy(() => reshape(transpose(kernel, [1, 2, 0, 3, 4]), [rows, columns, depth * channels, filters]) as Tensor4D));
  return {
    slice(of, at) {
      const beyond = () => zeros([1, ...input.plane, channels]) as Tensor4D;
      const met = taps(window, at, depth, rate).map(tap => of(0, tap) ?? beyond());
      const x = met.length === 1 ? met[0]! : concat(met, -1);
      const bias = layer.weights.length > 1 ? { bias: weight(layer, 1) } : {};
      return activated(layer, fused.conv2d({ x, filter: flat, strides: strides as Pair, pad: config.padding, dataFormat: 'NHWC', dilations: rates as Pair, ...bias })) as Tensor4D;
    },
    within: [1, ...input.plane, depth * channels],
    dispose: () => flat.dispose(),
  };
}

function transposedConvolution(layer: Layer, config: Convolution, window: Window, made: Plane): SliceLayer {
  const [depth] = perAxis(config.kernelSize, 3) as [number];
  const [stride, ...strides] = perAxis(config.strides, 3) as [number, number, number];
  const before = window.kind === 'spread' ? window.before : 0;
  const kernel = weight(layer, 0);
  const [, rows, columns, filters, channels] = kernel.shape as [number, number, number, number, number];
  const planes = Array.from({ length: depth }, (_, tap) => keep(tidy(() => reshape(slice(kernel, [tap], [1]), [rows, columns, filters, channels]) as Tensor4D)));
  return {
    slice(of, at) {
      const sums: Tensor4D[] = [];
      for (let input = Math.ceil((at + before - depth + 1) / stride); input * stride <= at + before; input++) {
        const x = of(0, input);
        if (x) sums.push(conv2dTranspose(x, planes[at + before - input * stride]!, [1, ...made, filters], strides as Pair, config.padding));
      }
      const sum = sums.length ? addN(sums) : zeros([1, ...made, filters]);
      return activated(layer, layer.weights.length > 1 ? add(sum, weight(layer, 1)) : sum) as Tensor4D;
    },
    dispose: () => planes.forEach(plane => plane.dispose()),
  };
}

function pooling(name: 'MaxPooling3D' | 'AveragePooling3D', config: { readonly poolSize: unknown; readonly strides?: unknown; readonly padding: 'same' | 'valid' }, window: Window): SliceLayer {
  const [depth, ...size] = perAxis(config.poolSize, 3) as [number, number, number];
  const [, ...strides] = perAxis(config.strides ?? config.poolSize, 3) as [number, number, number];
  return {
    slice(of, at) {
      const met = taps(window, at, depth, 1).flatMap(tap => of(0, tap) ?? []);
      if (name === 'MaxPooling3D') return maxPool(met.reduce((most, x) => maximum(most, x)), size as Pair, strides as Pair, config.padding);
      return mul(addN(met.map(x => avgPool(x, size as Pair, strides as Pair, config.padding))), 1 / met.length);
    },
    dispose: () => {},
  };
}

function normalised(layer: Layer, x: Tensor4D): Tensor {
  const { scale, center, epsilon } = layer.getConfig() as { scale: boolean; center: boolean; epsilon: number };
  const rest = layer.weights.map((_, i) => weight(layer, i) as Tensor1D);
  const gamma = scale ? rest.shift() : undefined;
  const beta = center ? rest.shift() : undefined;
  const [mean, variance] = rest;
  return batchNorm(x, mean!, variance!, beta, gamma, epsilon);
}

function weight(layer: Layer, index: number): Tensor {
  return layer.weights[index]!.read();
}

function activated(layer: Layer, x: Tensor): Tensor {
  return (layer as unknown as Activated).activation?.apply(x) ?? x;
}
