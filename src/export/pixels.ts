import { OverreadError } from '../errors.ts';
import type { DicomObject } from './part10.ts';

export interface GreyPixels {
  readonly columns: number;
  readonly rows: number;
  /** One a pixel, row-major; larger is brighter. */
  readonly pixels: Uint8Array | Uint16Array | Int16Array;
  /** Of the 8 or 16 allocated; the element size when left out. */
  readonly bitsStored?: number;
}

export interface ColourPixels {
  readonly columns: number;
  readonly rows: number;
  /** RGB interleaved, row-major. */
  readonly rgb: Uint8Array;
}

/** How much an earlier lossy compression had made of the image. */
export interface LossySource {
  /** Bytes before to bytes after. */
  readonly ratio: number;
  /** Defined term of PS3.3 C.7.6.1.1.5.2. */
  readonly method: 'ISO_10918_1';
}

export function lossyAttributes(lossy: LossySource | undefined): DicomObject {
  if (!lossy) return { LossyImageCompression: '00' };
  return {
    LossyImageCompression: '01',
    LossyImageCompressionRatio: Number(lossy.ratio.toFixed(2)),
    LossyImageCompressionMethod: lossy.method,
  };
}

/**
 * Image Pixel module of one grey frame.
 * @param inverted stored as MONOCHROME1: the values really turned over, so that the picture looks the same
 * @throws OverreadError `input/inconsistent` when pixels and size disagree
 */
export function greyPixelModule(image: GreyPixels, inverted = false): DicomObject {
  const { columns, rows, pixels } = image;
  checkLength(pixels.length, columns * rows, columns, rows);
  const bitsAllocated = pixels.BYTES_PER_ELEMENT * 8;
  const bitsStored = image.bitsStored ?? bitsAllocated;
  let stored: ArrayLike<number> = pixels;
  if (inverted) {
    const top = 2 ** bitsStored - 1;
    const sum = pixels instanceof Int16Array ? -1 : top;
    stored = pixels.map((value) => sum - value);
  }
  return {
    SamplesPerPixel: 1,
    PhotometricInterpretation: inverted ? 'MONOCHROME1' : 'MONOCHROME2',
    Rows: rows,
    Columns: columns,
    BitsAllocated: bitsAllocated,
    BitsStored: bitsStored,
    HighBit: bitsStored - 1,
    PixelRepresentation: pixels instanceof Int16Array ? 1 : 0,
    PixelData: bitsAllocated === 8 ? evenBytes(stored) : littleEndian(stored),
  };
}

/** Image Pixel module of one RGB frame. */
export function colourPixelModule({ columns, rows, rgb }: ColourPixels): DicomObject {
  checkLength(rgb.length, columns * rows * 3, columns, rows);
  return { ...colourDescription(columns, rows, 'RGB'), PixelData: evenBytes(rgb) };
}

export function colourDescription(columns: number, rows: number, photometricInterpretation: string): DicomObject {
  return {
    SamplesPerPixel: 3,
    PhotometricInterpretation: photometricInterpretation,
    PlanarConfiguration: 0,
    Rows: rows,
    Columns: columns,
    BitsAllocated: 8,
    BitsStored: 8,
    HighBit: 7,
    PixelRepresentation: 0,
  };
}

function checkLength(got: number, expected: number, columns: number, rows: number): void {
  if (got === expected) return;
  throw new OverreadError('input/inconsistent', `Expected ${expected} values for ${columns} × ${rows} pixels, got ${got}.`, { expected, got });
}

function evenBytes(values: ArrayLike<number>): ArrayBuffer {
  const out = new Uint8Array(values.length + (values.length % 2));
  out.set(values);
  return out.buffer;
}

function littleEndian(values: ArrayLike<number>): ArrayBuffer {
  const out = new DataView(new ArrayBuffer(values.length * 2));
  for (let i = 0; i < values.length; i++) out.setUint16(i * 2, values[i]! & 0xffff, true);
  return out.buffer;
}
