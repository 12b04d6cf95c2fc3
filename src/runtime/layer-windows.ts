import { OverreadError } from '../errors.ts';
import type { Layer } from './layer-graph.ts';

/**
 * How one axis of a layer's output reads its input.
 * - slide: output j reads input j · stride − before … + size − 1; `after` is what the layer adds at the end.
 *   Convolution, pooling; padding and cropping have size 1, and cropping a negative `before`.
 * - repeat: output j reads input ⌊j / factor⌋, with `blend` also the one that follows.
 * - spread: input i is written to outputs i · stride − before … + size − 1; `grows` outputs more than stride · inputs.
 */
export type Window =
  | { readonly kind: 'slide'; readonly size: number; readonly stride: number; readonly before: number; readonly after: number }
  | { readonly kind: 'repeat'; readonly factor: number; readonly blend: boolean }
  | { readonly kind: 'spread'; readonly size: number; readonly stride: number; readonly before: number; readonly grows: number };

/** Rows, then columns. */
export type Windows = readonly [Window, Window];

const POINTWISE: Window = { kind: 'slide', size: 1, stride: 1, before: 0, after: 0 };

/** Layers that give each pixel from the pixel at its place, and nothing else. */
const PIXEL_BY_PIXEL: ReadonlySet<string> = new Set([
  'Activation', 'ReLU', 'LeakyReLU', 'ELU', 'ThresholdedReLU', 'Dropout', 'SpatialDropout2D', 'GaussianNoise', 'GaussianDropout', 'AlphaDropout',
  'Add', 'Multiply', 'Average', 'Maximum', 'Minimum',
]);
const WHOLE: ReadonlySet<string> = new Set(['GlobalAveragePooling2D', 'GlobalMaxPooling2D']);
const JOINING: ReadonlySet<string> = new Set(['Flatten', 'Dense']);

type Config = Readonly<Record<string, unknown>>;

/**
 * The windows of a layer of a 2D network.
 * @param input [rows, columns] of what the layer reads; 'same' padding depends on it
 * @param rank of what the layer reads
 * @throws OverreadError `model/graph`, naming the layer, when its output is no window on its input, or is of an unknown class
 */
export function windowsOf(layer: Layer, input: readonly [number, number], rank: number): Windows {
  const name = layer.getClassName();
  const config = layer.getConfig() as Config;
  if (WHOLE.has(name)) throw noWindow(layer, 'reads the whole image at once');
  if (JOINING.has(name) && !(name === 'Dense' && rank === 4)) {
    throw noWindow(layer, 'joins all pixels', 'Bring a classifier of patches into its fully convolutional form first, or leave out input.tiling.');
  }
  if (rank !== 4) throw noWindow(layer, `reads ${rank} axes, not [n, rows, columns, channels]`);
  if (config.dataFormat === 'channelsFirst') throw noWindow(layer, 'has its channels first');
  if (name === 'Dense' || PIXEL_BY_PIXEL.has(name)) return [POINTWISE, POINTWISE];

  switch (name) {
    case 'BatchNormalization':
    case 'LayerNormalization':
    case 'Softmax':
    case 'Concatenate':
      if (![config.axis ?? -1].flat().every(axis => axis === -1 || axis === 3)) throw noWindow(layer, `works along axis ${String(config.axis)}, not along the channels`);
      return [POINTWISE, POINTWISE];
    case 'PReLU':
      if (![1, 2].every(axis => [config.sharedAxes ?? []].flat().includes(axis))) throw noWindow(layer, 'has a slope of its own for every pixel');
      return [POINTWISE, POINTWISE];
    case 'DepthwiseConv2D':
      // tfjs leaves the rate of this layer out of its computation.
      if (pair(config.dilationRate ?? 1).some(rate => rate !== 1)) throw noWindow(layer, 'is dilated, which tfjs does not heed in this layer');
      return sliding(layer, config, pair(config.kernelSize), input);
    case 'Conv2D':
    case 'SeparableConv2D': {
      const rates = pair(config.dilationRate ?? 1);
      const [rows, columns] = pair(config.kernelSize);
      return sliding(layer, config, [(rows - 1) * rates[0] + 1, (columns - 1) * rates[1] + 1], input);
    }
    case 'MaxPooling2D':
    case 'AveragePooling2D':
      return sliding(layer, config, pair(config.poolSize), input);
    case 'Conv2DTranspose':
      return both(axis => {
        const size = pair(config.kernelSize)[axis];
        const stride = pair(config.strides)[axis];
        const grows = Math.max(size - stride, 0);
        // The other way round than a convolution from the output to the input, so with its padding.
        return config.padding === 'same' ? { kind: 'spread', size, stride, before: Math.floor(grows / 2), grows: 0 } : { kind: 'spread', size, stride, before: 0, grows };
      });
    case 'UpSampling2D':
      return both(axis => {
        const factor = pair(config.size)[axis];
        // j / factor is rounded in the device's floats: only a power of two is the same at every place of a large image.
        if (!Number.isInteger(Math.log2(factor))) throw noWindow(layer, `enlarges by ${factor}, which is no power of two: rounding makes it differ from place to place`);
        return { kind: 'repeat', factor, blend: config.interpolation === 'bilinear' && factor > 1 };
      });
    case 'ZeroPadding2D':
      return both(axis => padded(edges(config.padding)[axis], 1));
    case 'Cropping2D':
      return both(axis => padded(edges(config.cropping)[axis], -1));
  }
  throw noWindow(layer, 'is of a class that is not known here');
}

function both(of: (axis: 0 | 1) => Window): Windows {
  return [of(0), of(1)];
}

function sliding(layer: Layer, { strides, padding }: Config, sizes: readonly [number, number], input: readonly [number, number]): Windows {
  if (padding !== 'same' && padding !== 'valid') throw noWindow(layer, `has the padding ${String(padding)}, not same or valid`);
  return both(axis => {
    const size = sizes[axis];
    const stride = pair(strides)[axis];
    const added = padding === 'same' ? Math.max((Math.ceil(input[axis] / stride) - 1) * stride + size - input[axis], 0) : 0;
    const before = Math.floor(added / 2);
    return { kind: 'slide', size, stride, before, after: added - before };
  });
}

function padded([before, after]: readonly [number, number], sign: 1 | -1): Window {
  return { kind: 'slide', size: 1, stride: 1, before: sign * before, after: sign * after };
}

function pair(value: unknown): readonly [number, number] {
  return Array.isArray(value) ? [value[0] as number, (value[1] ?? value[0]) as number] : [value as number, value as number];
}

function edges(value: unknown): readonly [readonly [number, number], readonly [number, number]] {
  const [rows, columns] = Array.isArray(value) ? (value as unknown[]) : [value, value];
  return [pair(rows), pair(columns)];
}

/** The error for a layer that has no place in a network whose output is a window on its input. */
export function noWindow(layer: Layer, why: string, advice = 'Leave out input.tiling, so that the whole image is read at once, or convert the model without this layer.'): OverreadError {
  const got = layer.getClassName();
  return new OverreadError(
    'model/graph',
    `Expected layers whose receptive field can be computed, but ${layer.name} (${got}) ${why}. ${advice}`,
    { expected: 'convolutions, pooling, up-sampling and layers that work pixel by pixel', got, layer: layer.name },
  );
}

/** How many outputs a window gives for as many inputs. */
export function outputSize(window: Window, inputs: number): number {
  switch (window.kind) {
    case 'slide': return Math.floor((inputs + window.before + window.after - window.size) / window.stride) + 1;
    case 'repeat': return inputs * window.factor;
    case 'spread': return inputs * window.stride + window.grows;
  }
}

/** A stretch of indices, both ends included. */
export type Span = readonly [first: number, last: number];

/** The inputs that a stretch of outputs reads, on an axis without ends. */
export function readBy(window: Window, [first, last]: Span): Span {
  switch (window.kind) {
    case 'slide': return [first * window.stride - window.before, last * window.stride - window.before + window.size - 1];
    case 'repeat': return [Math.floor(first / window.factor), window.blend ? Math.ceil(last / window.factor) : Math.floor(last / window.factor)];
    case 'spread': {
      const from = Math.ceil((first + window.before - window.size + 1) / window.stride);
      const to = Math.floor((last + window.before) / window.stride);
      // Between the kernels of a stride that is larger, an output reads nothing.
      return [Math.min(from, to), Math.max(from, to)];
    }
  }
}
