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

/** One an axis: rows and columns, in a volume slices before them. */
export type Windows = readonly Window[];

const POINTWISE: Window = { kind: 'slide', size: 1, stride: 1, before: 0, after: 0 };

/** Layers that give each pixel from the pixel at its place, and nothing else. */
const PIXEL_BY_PIXEL: ReadonlySet<string> = new Set([
  'Activation', 'ReLU', 'LeakyReLU', 'ELU', 'ThresholdedReLU', 'Dropout', 'SpatialDropout2D', 'GaussianNoise', 'GaussianDropout', 'AlphaDropout',
  'Add', 'Multiply', 'Average', 'Maximum', 'Minimum',
]);
const WHOLE: ReadonlySet<string> = new Set(['GlobalAveragePooling2D', 'GlobalMaxPooling2D']);
/** What to do about a network of planes, or of volumes, that has no windows. */
const ADVICE: Readonly<Record<number, string>> = {
  4: 'Leave out input.tiling, so that the whole image is read at once, or convert the model without this layer.',
  5: 'A network of volumes runs slice by slice: convert the model without this layer, or as a graph model, which runs whole where the device can hold it.',
};
const JOINING: ReadonlySet<string> = new Set(['Flatten', 'Dense']);

type Config = Readonly<Record<string, unknown>>;

/**
 * The windows of a layer of a network of planes or of volumes.
 * @param input [rows, columns] of what the layer reads, slices before them in a volume; 'same' padding depends on it
 * @param rank of what the layer reads: 4, or 5 for volumes
 * @throws OverreadError `model/graph`, naming the layer, when its output is no window on its input, or is of an unknown class
 */
export function windowsOf(layer: Layer, input: readonly number[], rank: number): Windows {
  const name = layer.getClassName();
  const config = layer.getConfig() as Config;
  const axes = input.length;
  const refuse = (why: string, advice = ADVICE[axes + 2]) => noWindow(layer, why, advice);
  const each = (of: (axis: number) => Window): Windows => Array.from({ length: axes }, (_, axis) => of(axis));
  if (WHOLE.has(name)) throw refuse('reads the whole image at once');
  if (JOINING.has(name) && !(name === 'Dense' && rank === axes + 2)) {
    throw refuse('joins all pixels', axes === 2 ? 'Bring a classifier of patches into its fully convolutional form first, or leave out input.tiling.' : undefined);
  }
  if (rank !== axes + 2) throw refuse(`reads ${rank} axes, not [n, ${axes === 3 ? 'slices, ' : ''}rows, columns, channels]`);
  if (config.dataFormat === 'channelsFirst') throw refuse('has its channels first');
  if (name === 'Dense' || PIXEL_BY_PIXEL.has(name)) return each(() => POINTWISE);
  if (/2D/.test(name) !== (axes === 2) && /[23]D/.test(name)) throw refuse(`is no layer of ${axes} axes`);

  switch (name) {
    case 'BatchNormalization':
    case 'LayerNormalization':
    case 'Softmax':
    case 'Concatenate':
      if (![config.axis ?? -1].flat().every(axis => axis === -1 || axis === rank - 1)) throw refuse(`works along axis ${String(config.axis)}, not along the channels`);
      return each(() => POINTWISE);
    case 'PReLU':
      if (!each(() => POINTWISE).every((_, axis) => [config.sharedAxes ?? []].flat().includes(axis + 1))) throw refuse('has a slope of its own for every pixel');
      return each(() => POINTWISE);
    case 'DepthwiseConv2D':
      // tfjs leaves the rate of this layer out of its computation.
      if (perAxis(config.dilationRate ?? 1, axes).some(rate => rate !== 1)) throw refuse('is dilated, which tfjs does not heed in this layer');
      return sliding(layer, config, perAxis(config.kernelSize, axes), input);
    case 'Conv2D':
    case 'Conv3D':
    case 'SeparableConv2D': {
      const rates = perAxis(config.dilationRate ?? 1, axes);
      return sliding(layer, config, perAxis(config.kernelSize, axes).map((size, axis) => (size - 1) * rates[axis]! + 1), input);
    }
    case 'MaxPooling2D':
    case 'AveragePooling2D':
    case 'MaxPooling3D':
    case 'AveragePooling3D':
      return sliding(layer, config, perAxis(config.poolSize, axes), input);
    case 'Conv2DTranspose':
    case 'Conv3DTranspose':
      return each(axis => {
        const size = perAxis(config.kernelSize, axes)[axis]!;
        const stride = perAxis(config.strides, axes)[axis]!;
        const grows = Math.max(size - stride, 0);
        // The other way round than a convolution from the output to the input, so with its padding.
        return config.padding === 'same' ? { kind: 'spread', size, stride, before: Math.floor(grows / 2), grows: 0 } : { kind: 'spread', size, stride, before: 0, grows };
      });
    case 'UpSampling2D':
      return each(axis => {
        const factor = perAxis(config.size, axes)[axis]!;
        // j / factor is rounded in the device's floats: only a power of two is the same at every place of a large image.
        if (!Number.isInteger(Math.log2(factor))) throw refuse(`enlarges by ${factor}, which is no power of two: rounding makes it differ from place to place`);
        return { kind: 'repeat', factor, blend: config.interpolation === 'bilinear' && factor > 1 };
      });
    case 'ZeroPadding2D':
      return each(axis => padded(edges(config.padding)[axis]!, 1));
    case 'Cropping2D':
      return each(axis => padded(edges(config.cropping)[axis]!, -1));
  }
  throw refuse('is of a class that is not known here');
}

function sliding(layer: Layer, { strides, padding }: Config, sizes: readonly number[], input: readonly number[]): Windows {
  if (padding !== 'same' && padding !== 'valid') throw noWindow(layer, `has the padding ${String(padding)}, not same or valid`, ADVICE[input.length + 2]);
  return sizes.map((size, axis) => {
    const stride = perAxis(strides, input.length)[axis]!;
    const added = padding === 'same' ? Math.max((Math.ceil(input[axis]! / stride) - 1) * stride + size - input[axis]!, 0) : 0;
    const before = Math.floor(added / 2);
    return { kind: 'slide', size, stride, before, after: added - before };
  });
}

function padded([before, after]: readonly [number, number], sign: 1 | -1): Window {
  return { kind: 'slide', size: 1, stride: 1, before: sign * before, after: sign * after };
}

/** A layer's setting for each of its axes, where one number stands for all. */
export function perAxis(value: unknown, axes: number): readonly number[] {
  return Array.from({ length: axes }, (_, axis) => (Array.isArray(value) ? ((value as number[])[axis] ?? (value as number[])[0]!) : (value as number)));
}

function edges(value: unknown): readonly (readonly [number, number])[] {
  const [rows, columns] = Array.isArray(value) ? (value as unknown[]) : [value, value];
  return [rows, columns].map(side => perAxis(side, 2) as readonly [number, number]);
}

/** The error for a layer that has no place in a network whose output is a window on its input. */
export function noWindow(layer: Layer, why: string, advice = ADVICE[4]!): OverreadError {
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
