import { OverreadError } from '../errors.ts';
import type { PixelFormat } from './pixel-format.ts';

/** Stored values of one frame. */
export type StoredValues = Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array | Float32Array | Float64Array;

/** Bytes that one uncompressed frame takes; 1-bit frames follow each other without padding, so this may be a fraction. */
export function frameBytes(format: PixelFormat): number {
  const { rows, columns, samplesPerPixel, bitsAllocated, photometricInterpretation } = format;
  // YBR_FULL_422 shares each pair of chrominance samples between two pixels: 2 bytes a pixel in place of 3.
  const samples = photometricInterpretation === 'YBR_FULL_422' ? 2 : samplesPerPixel;
  return (rows * columns * samples * bitsAllocated) / 8;
}

/**
 * The stored values of an uncompressed frame as numbers, with bits outside the stored ones (overlays, garbage) taken
 * off and the sign extended.
 * @param data the whole pixel data
 * @throws OverreadError `input/truncated` when it is too short for the frame
 */
export function nativeFrame(data: Uint8Array, format: PixelFormat, frameIndex: number, littleEndian: boolean): StoredValues {
  const size = frameBytes(format);
  const start = frameIndex * size;
  if (data.length < Math.ceil(start + size)) {
    throw new OverreadError('input/truncated',
      `The pixel data is too short: expected ${Math.ceil(size * format.numberOfFrames)} bytes for ${format.numberOfFrames} frame(s) of ${format.columns}×${format.rows}, got ${data.length}. Fetch the file again.`,
      { expected: Math.ceil(size * format.numberOfFrames), got: data.length });
  }
  if (format.bitsAllocated === 1) return unpackBits(data, start * 8, format.rows * format.columns * format.samplesPerPixel);
  return storedValues(data.subarray(start, start + size), format, littleEndian);
}

/** Bits, least significant first (PS3.5 8.1.1), from bit `first` on. */
export function unpackBits(data: Uint8Array, first: number, count: number): Uint8Array {
  const values = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const bit = first + i;
    values[i] = (data[bit >> 3]! >> (bit & 7)) & 1;
  }
  return values;
}

/** Bytes of one frame → stored values. */
export function storedValues(bytes: Uint8Array, format: PixelFormat, littleEndian: boolean): StoredValues {
  const { bitsAllocated, signed, float } = format;
  const width = bitsAllocated / 8;
  // A copy: the bytes may lie at an odd offset, and are swapped in place where they are big endian. Not slice(), which in
  // a Node Buffer copies nothing.
  const copy = new Uint8Array(bytes);
  if (!littleEndian && width > 1) swap(copy, width);
  const buffer = copy.buffer;
  if (float) return width === 8 ? new Float64Array(buffer) : new Float32Array(buffer);
  const values = width === 1 ? (signed ? new Int8Array(buffer) : copy)
    : width === 2 ? (signed ? new Int16Array(buffer) : new Uint16Array(buffer))
      : signed ? new Int32Array(buffer) : new Uint32Array(buffer);
  return withinStoredBits(values, format);
}

/** In place: only the stored bits, down to bit 0, sign extended. */
export function withinStoredBits<T extends StoredValues>(values: T, format: PixelFormat): T {
  const { bitsAllocated, bitsStored, highBit, signed } = format;
  const unused = bitsAllocated - bitsStored;
  if (unused === 0) return values;
  const up = 31 - highBit;
  const down = 32 - bitsStored;
  for (let i = 0; i < values.length; i++) {
    values[i] = signed ? (values[i]! << up) >> down : (values[i]! << up) >>> down;
  }
  return values;
}

function swap(bytes: Uint8Array, width: number): void {
  for (let i = 0; i + width <= bytes.length; i += width) {
    for (let a = i, b = i + width - 1; a < b; a++, b--) {
      const byte = bytes[a]!;
      bytes[a] = bytes[b]!;
      bytes[b] = byte;
    }
  }
}
