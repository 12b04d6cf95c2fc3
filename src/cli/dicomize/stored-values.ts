import { OverreadError } from '../../errors.ts';
import type { Image } from '../../image/image.ts';

/** Integers to store, and how to come back to the values: value = slope · stored + intercept. */
export interface StoredVolume {
  readonly stored: Uint8Array | Uint16Array | Int16Array;
  readonly bitsStored: number;
  readonly slope: number;
  readonly intercept: number;
}

/**
 * Integers that fit are kept as they are; anything else is spread over 16 bits.
 * @param signed CT: stored as signed numbers
 */
export function storedVolume(pixels: Float32Array, signed: boolean): StoredVolume {
  let min = Infinity;
  let max = -Infinity;
  let whole = true;
  for (const value of pixels) {
    if (value < min) min = value;
    if (value > max) max = value;
    if (whole && !Number.isInteger(value)) whole = false;
  }
  if (whole && !signed && min >= 0 && max <= 65535) return { stored: Uint16Array.from(pixels), bitsStored: 16, slope: 1, intercept: 0 };
  if (whole && min >= -32768 && max <= 32767) return { stored: Int16Array.from(pixels), bitsStored: 16, slope: 1, intercept: 0 };
  const slope = (max - min) / 65535 || 1;
  if (!signed) return { stored: Uint16Array.from(pixels, (value) => Math.round((value - min) / slope)), bitsStored: 16, slope, intercept: min };
  const intercept = min + 32768 * slope;
  return { stored: Int16Array.from(pixels, (value) => Math.round((value - intercept) / slope)), bitsStored: 16, slope, intercept };
}

/** A picture's grey values; fewer than 8 bits are spread to 8. */
export function greyPicture(image: Image): { readonly pixels: Uint8Array | Uint16Array; readonly bitsStored: number } {
  const max = image.representableRange[1];
  if (max > 255) return { pixels: Uint16Array.from(image.pixels), bitsStored: Math.ceil(Math.log2(max + 1)) };
  return { pixels: Uint8Array.from(image.pixels, (value) => Math.round((value * 255) / max)), bitsStored: 8 };
}

/** JPEG files of radiographs are often grey but saved in colour. Within the rounding of YCbCr they count as grey. */
const COLOUR_TOLERANCE = 6;

/**
 * Red, green, blue that are one grey as that grey.
 * @throws OverreadError `input/refused` when the picture has colour
 */
export function greyOfColour(image: Image, file: string): Uint8Array {
  const { pixels } = image;
  const out = new Uint8Array(pixels.length / 3);
  for (let i = 0; i < out.length; i++) {
    const r = pixels[3 * i]!;
    const g = pixels[3 * i + 1]!;
    const b = pixels[3 * i + 2]!;
    if (Math.max(r, g, b) - Math.min(r, g, b) > COLOUR_TOLERANCE) {
      throw new OverreadError('input/refused', `A radiograph is grey, but ${file} has colour (${r}, ${g}, ${b}). Leave out --modality and --view to wrap it as a picture.`,
        { expected: 'grey', got: [r, g, b], file });
    }
    out[i] = Math.round(0.299 * r + 0.587 * g + 0.114 * b);
  }
  return out;
}
