import { decodeCoded } from '../dicom/codec.ts';
import { hasEndMarker, jpegHeader } from '../dicom/coded-header.ts';
import { OverreadError } from '../errors.ts';
import { ybrToRgb } from './colour.ts';
import type { Image } from './image.ts';
import { pictureOf } from './picture.ts';

export const looksLikeJpeg = (bytes: Uint8Array): boolean => bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff;

/**
 * A JPEG, grey or colour, of any process, decoded by the codec that decodes JPEG in DICOM. A picture that EXIF says to turn is
 * refused: a result would lie on pixels that are not where the person sees them.
 * @throws OverreadError `input/truncated`, `input/inconsistent`, `input/unsupported-pixels`
 */
export async function imageFromJpeg(bytes: Uint8Array, file: string): Promise<Image> {
  const header = jpegHeader(bytes);
  if (!header || !hasEndMarker(bytes)) {
    throw new OverreadError('input/truncated', `The JPEG ${file} ends before its end marker. Fetch it again.`, { expected: 'a whole JPEG', got: `${bytes.length} bytes`, file });
  }
  const { columns, rows, components, precision, orientation = 1 } = header;
  if (components !== 1 && components !== 3) {
    throw new OverreadError('input/unsupported-pixels', `Expected a grey or RGB JPEG, but ${file} has ${components} components (CMYK). Convert it first.`,
      { expected: '1 or 3 components', got: components, file });
  }
  if (orientation !== 1) {
    throw new OverreadError('input/unsupported-pixels', `The EXIF orientation of ${file} is ${orientation}: it is to be turned before it is shown; expected 1. Save it upright.`,
      { expected: 1, got: orientation, file });
  }
  const deep = precision > 8;
  const decoded = await decodeCoded('jpeg', bytes, {
    columns, rows, samplesPerPixel: components, bitsAllocated: deep ? 16 : 8, bitsStored: precision, signed: false,
    photometricInterpretation: components === 3 ? 'RGB' : 'MONOCHROME2',
  });
  const samples = deep ? new Uint16Array(decoded.buffer, decoded.byteOffset, decoded.byteLength >> 1) : decoded;
  const expected = columns * rows * components;
  if (samples.length !== expected) {
    throw new OverreadError('input/inconsistent', `Expected ${expected} samples in ${file}, got ${samples.length}. Convert it.`, { expected, got: samples.length, file });
  }
  const pixels = Float32Array.from(samples);
  const max = 2 ** precision - 1;
  if (components === 1) return pictureOf({ file, columns, rows, channels: 1, pixels, max });
  if (deep) for (let i = 0; i < pixels.length; i++) pixels[i] = (pixels[i]! * 255) / max;
  // Three components that do not say otherwise are YCbCr (JFIF), but in the lossless processes.
  if ((header.colour ?? (header.lossy ? 'YCbCr' : 'RGB')) === 'YCbCr') ybrToRgb(pixels, !deep);
  return pictureOf({ file, columns, rows, channels: 3, pixels, max: 255 });
}
