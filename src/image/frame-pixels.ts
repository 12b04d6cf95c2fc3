import type { DecodedFrame } from '../dicom/decode.ts';
import type { ImageInstance } from '../dicom/instance.ts';
import { applyTransform } from '../dicom/modality-transform.ts';
import { rgbValues } from './colour.ts';
import { fillPadding, invertMonochrome1, modalityValues, representableRange, type Range } from './modality-values.ts';

export function channelsOf({ pixelFormat, palette }: Pick<ImageInstance, 'pixelFormat' | 'palette'>): 1 | 3 {
  return pixelFormat.samplesPerPixel === 3 || palette ? 3 : 1;
}

/**
 * Puts a decoded frame into `out` (rows · columns · channels) as an image wants it: modality values with MONOCHROME1
 * inverted and padding filled, or RGB 0..255.
 * @returns the range that its values could take; for floating-point pixels the range that they do take
 */
export function framePixels(instance: Pick<ImageInstance, 'pixelFormat' | 'palette' | 'modalityTransforms' | 'pixelPadding'>, frameIndex: number, frame: DecodedFrame, out: Float32Array): Range {
  const { pixelFormat: format, palette, modalityTransforms, pixelPadding } = instance;
  if (channelsOf(instance) === 3) {
    rgbValues(frame, format, palette, out);
    return [0, 255];
  }
  const transform = modalityTransforms[frameIndex] ?? modalityTransforms[0]!;
  modalityValues(frame.values, transform, out);
  const range = format.float ? occurringRange(out) : representableRange({ ...format, signed: frame.signed }, transform);
  const dark = format.photometricInterpretation === 'MONOCHROME1';
  if (dark) invertMonochrome1(out, range);
  if (pixelPadding && !format.float) {
    const ends = pixelPadding.map((v) => Math.fround(applyTransform(transform, v))).map((v) => Math.fround(dark ? range[1] + range[0] - v : v));
    fillPadding(out, [Math.min(...ends), Math.max(...ends)]);
  }
  return range;
}

function occurringRange(pixels: Float32Array): Range {
  let [min, max] = [Infinity, -Infinity];
  for (const v of pixels) {
    if (v < min) min = v;
    if (v > max) max = v;
  }
  return [min, max];
}
