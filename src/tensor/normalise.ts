import { OverreadError } from '../errors.ts';
import type { Image } from '../image/image.ts';
import type { InputSpec } from '../manifest.ts';
import { percentiles } from './percentile.ts';

/** out = clip(value · scale + shift, range) */
interface Linear {
  readonly scale: number;
  readonly shift: number;
  readonly clip?: readonly [min: number, max: number];
}

/**
 * Modality values → the network's values, as the manifest's `normalisation` says. Statistics are over all source
 * pixels (all channels and slices together), before any resizing. A constant image becomes `valueRange[0]`
 * everywhere (0 for zscore), never a division by zero.
 * @returns as many values as `image.pixels`, in the same order
 * @throws OverreadError `input/unsupported-pixels` when the pixels are not all finite numbers
 */
export function normalise(image: Normalised, spec: InputSpec): Float32Array {
  return normaliser(image, spec)(image.pixels);
}

/** What is needed of an image. */
type Normalised = Pick<Image, 'pixels' | 'representableRange'>;

/** As {@link normalise}, for a part of the image at a time: statistics are those of the whole. */
export function normaliser(image: Normalised, spec: InputSpec): (pixels: Float32Array) => Float32Array {
  checkFinite(image.pixels);
  const linear = linearFor(image, spec);
  return pixels => applied(linear, pixels);
}

function applied({ scale, shift, clip }: Linear, pixels: Float32Array): Float32Array {
  const values = new Float32Array(pixels.length);
  if (clip) {
    const [min, max] = clip;
    for (let i = 0; i < pixels.length; i++) values[i] = Math.min(max, Math.max(min, pixels[i]! * scale + shift));
  } else {
    for (let i = 0; i < pixels.length; i++) values[i] = pixels[i]! * scale + shift;
  }
  return values;
}

/** How an image's values become the network's, where that is linear but for a clip; statistics are the image's. */
function linearFor(image: Pick<Image, 'pixels' | 'representableRange'>, { normalisation, valueRange }: InputSpec): Linear {
  switch (normalisation.kind) {
    case 'percentile': {
      const [low, high] = percentiles(image.pixels, [normalisation.low, normalisation.high]);
      return between(low!, high!, valueRange, normalisation.clip ?? true);
    }
    case 'window':
      return between(normalisation.min, normalisation.max, valueRange, true);
    case 'representable':
      return between(image.representableRange[0], image.representableRange[1], valueRange, false);
    case 'zscore': {
      const { mean, deviation } = moments(image.pixels);
      if (normalisation.over) {
        const head = momentsAbove(image.pixels, mean);
        return head.deviation > 0 ? { scale: 1 / head.deviation, shift: -head.mean / head.deviation, clip: valueRange } : { scale: 0, shift: 0 };
      }
      return deviation > 0 ? { scale: 1 / deviation, shift: -mean / deviation } : { scale: 0, shift: 0 };
    }
  }
}

function between(low: number, high: number, [min, max]: readonly [number, number], clipped: boolean): Linear {
  if (!(high > low)) return { scale: 0, shift: min };
  const scale = (max - min) / (high - low);
  return { scale, shift: min - low * scale, ...(clipped && { clip: [min, max] as const }) };
}

function moments(values: Float32Array): { mean: number; deviation: number } {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  const mean = sum / values.length;
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += (values[i]! - mean) ** 2;
  return { mean, deviation: Math.sqrt(squares / values.length) };
}

/** Of the values above a bound. */
function momentsAbove(values: Float32Array, bound: number): { mean: number; deviation: number } {
  let count = 0;
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    if (values[i]! <= bound) continue;
    sum += values[i]!;
    count++;
  }
  const mean = sum / count;
  let squares = 0;
  for (let i = 0; i < values.length; i++) if (values[i]! > bound) squares += (values[i]! - mean) ** 2;
  return count > 0 ? { mean, deviation: Math.sqrt(squares / count) } : { mean: bound, deviation: 0 };
}

function checkFinite(values: Float32Array): void {
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i])) continue;
    throw new OverreadError('input/unsupported-pixels', `Expected finite pixel values, got ${values[i]} at pixel ${i}. Check the image's rescale attributes.`, {
      expected: 'finite numbers',
      got: String(values[i]),
    });
  }
}
