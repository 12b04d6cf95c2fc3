import { OverreadError } from '../errors.ts';
import { decodeCoded } from './codec.ts';
import { hasEndMarker, jpeg2000Header, jpegHeader, type Jpeg2000Header, type JpegHeader } from './coded-header.ts';
import { encapsulatedFrame } from './fragments.ts';
import type { ImageInstance } from './instance.ts';
import { frameBytes, nativeFrame, storedValues, unpackBits, withinStoredBits, type StoredValues } from './native.ts';
import { inflateRaw } from './parse.ts';
import type { PixelFormat } from './pixel-format.ts';

/** One frame, decoded. */
export interface DecodedFrame {
  /**
   * Stored values, row by row, samples of a pixel together (planes one after the other where `planar`); signed and within
   * the stored bits. A YBR_FULL_422 frame that was not compressed keeps its shared chrominance: Y Y Cb Cr for two pixels.
   */
  readonly values: StoredValues;
  /** What the values are: decoding JPEG 2000 gives RGB for YBR_RCT and YBR_ICT, and a JPEG stream may contradict its file. */
  readonly photometricInterpretation: string;
  readonly planar: boolean;
}

/**
 * Decodes one frame, in any transfer syntax that we read.
 * @param frameIndex counts from 0
 * @throws OverreadError `input/truncated`, `input/inconsistent`, `input/unsupported-pixels`
 */
export async function decodeFrame(instance: ImageInstance, frameIndex: number): Promise<DecodedFrame> {
  const { pixelFormat: format, transferSyntax: syntax, pixelData: { element, set } } = instance;
  if (!Number.isInteger(frameIndex) || frameIndex < 0 || frameIndex >= format.numberOfFrames) {
    throw new OverreadError('input/refused', `Expected a frame from 1 to ${format.numberOfFrames}, got ${frameIndex + 1}. Choose one that is there.`,
      { expected: `1..${format.numberOfFrames}`, got: frameIndex + 1 });
  }
  const asStored = (values: StoredValues): DecodedFrame => ({
    values, photometricInterpretation: format.photometricInterpretation, planar: format.planarConfiguration === 1 && format.samplesPerPixel === 3,
  });
  if (!element.fragments) {
    const data = set.bytesOf(element.tag)!;
    if (syntax.coding !== 'native' && data.length < Math.ceil(frameBytes(format) * format.numberOfFrames)) {
      throw new OverreadError('input/inconsistent', `The file says that its pixels are coded as ${syntax.name}, but they are not encapsulated. Convert the file.`,
        { expected: 'encapsulated pixel data', got: `${data.length} bytes` });
    }
    refuseUnstatedFrames(data.length, format);
    return asStored(nativeFrame(data, format, frameIndex, set.littleEndian && !syntax.bigEndianPixels));
  }
  const encoded = encapsulatedFrame(set, element, frameIndex, format.numberOfFrames);
  switch (syntax.coding) {
    case 'native':
      return asStored(nativeFrame(encoded, { ...format, numberOfFrames: 1 }, 0, true));
    case 'deflated-frames':
      return asStored(nativeFrame(inflateRaw(encoded), { ...format, numberOfFrames: 1 }, 0, true));
    case 'rle':
      return { ...asStored(await decodeRle(encoded, format)), planar: false };
    default:
      return decodeJpegFamily(syntax.coding, encoded, format);
  }
}

/** Data for several frames where one is stated: which one was meant cannot be told. */
function refuseUnstatedFrames(length: number, format: PixelFormat): void {
  const size = frameBytes(format);
  const frames = length / size;
  if (frames <= format.numberOfFrames || frames < 2 || Math.abs(frames - Math.round(frames)) * size > 1) return;
  throw new OverreadError('input/inconsistent', `The file says ${format.numberOfFrames} frame(s), but its pixel data holds ${Math.round(frames)}. Mend NumberOfFrames.`,
    { expected: format.numberOfFrames, got: Math.round(frames) });
}

async function decodeRle(encoded: Uint8Array, format: PixelFormat): Promise<StoredValues> {
  const { rows, columns, samplesPerPixel, bitsAllocated } = format;
  if (bitsAllocated === 1) {
    const packed = Math.ceil((rows * columns) / 8);
    const bytes = await decodeCoded('rle', encoded, { ...format, columns: packed, rows: 1, bitsAllocated: 8, bitsStored: 8 });
    return unpackBits(bytes, 0, rows * columns);
  }
  const bytes = await decodeCoded('rle', encoded, { ...format, signed: false });
  checkLength(bytes.length, rows * columns * samplesPerPixel * (bitsAllocated / 8));
  return storedValues(bytes, format, true);
}

async function decodeJpegFamily(coding: 'jpeg' | 'jpeg-ls' | 'jpeg2000' | 'htj2k', encoded: Uint8Array, format: PixelFormat): Promise<DecodedFrame> {
  if (!hasEndMarker(encoded)) {
    const begins = encoded[0] === 0xff || encoded[0] === 0;
    throw new OverreadError('input/truncated', `The ${coding} stream has no end marker: it was cut off${begins ? '' : ', or it is none'}. Fetch the file again.`,
      { expected: 'a stream that ends with FFD9', got: `${encoded.length} bytes` });
  }
  const header = coding === 'jpeg' || coding === 'jpeg-ls' ? jpegHeader(encoded) : jpeg2000Header(encoded);
  if (header) checkHeader(header, format, coding);
  const bytes = await decodeCoded(coding, encoded, format);
  const { rows, columns, samplesPerPixel } = format;
  const samples = rows * columns * samplesPerPixel;
  // Codecs give a byte a sample for streams of up to 8 bits, whatever is allocated.
  const bitsAllocated = bytes.length === samples ? 8 : format.bitsAllocated;
  checkLength(bytes.length, samples * (bitsAllocated / 8));
  const coded = header && 'signed' in header ? header : undefined;
  const values = coded && coded.signed !== format.signed
    ? resigned(bytes, coded, { ...format, bitsAllocated })
    : clamped(storedValues(bytes, { ...format, bitsAllocated, bitsStored: bitsAllocated, highBit: bitsAllocated - 1 }, true), format);
  return { values, photometricInterpretation: photometricOf(header, coding, format), planar: false };
}

/**
 * A JPEG 2000 stream whose signedness contradicts Pixel Representation. The file is believed: the bits of the samples are
 * taken for what it says.
 */
function resigned(bytes: Uint8Array, header: Jpeg2000Header, format: PixelFormat): StoredValues {
  const bits = Math.min(header.precision, format.bitsAllocated);
  return withinStoredBits(storedValues(bytes, { ...format, bitsStored: format.bitsAllocated, highBit: format.bitsAllocated - 1 }, true),
    { ...format, bitsStored: bits, highBit: bits - 1 });
}

/** Lossy coding overshoots: what leaves the stored range goes to its end, where cutting bits off would turn white to black. */
function clamped<T extends StoredValues>(values: T, { bitsStored, signed }: PixelFormat): T {
  const low = signed ? -(2 ** (bitsStored - 1)) : 0;
  const high = signed ? 2 ** (bitsStored - 1) - 1 : 2 ** bitsStored - 1;
  for (let i = 0; i < values.length; i++) {
    if (values[i]! > high) values[i] = high;
    else if (values[i]! < low) values[i] = low;
  }
  return values;
}

function checkHeader(header: JpegHeader | Jpeg2000Header, format: PixelFormat, coding: string): void {
  const says = `${header.columns}×${header.rows}×${header.components}`;
  const wants = `${format.columns}×${format.rows}×${format.samplesPerPixel}`;
  // JPEG may leave its number of lines open (0) and state it later.
  const open = header.rows === 0 && header.columns === format.columns && header.components === format.samplesPerPixel;
  if (says !== wants && !open) {
    throw new OverreadError('input/inconsistent', `The file says ${wants} (columns × rows × samples), its ${coding} stream ${says}. Mend the file.`, { expected: wants, got: says });
  }
  if (header.precision > format.bitsAllocated) {
    throw new OverreadError('input/inconsistent', `The ${coding} stream has ${header.precision} bits a sample, more than the ${format.bitsAllocated} allocated. Mend the file.`,
      { expected: `≤ ${format.bitsAllocated}`, got: header.precision });
  }
}

function checkLength(got: number, expected: number): void {
  if (got === expected) return;
  throw new OverreadError('input/inconsistent', `Expected ${expected} bytes of decoded pixels, got ${got}. Convert the file.`, { expected, got });
}

/**
 * Colours as decoded. A lossy JPEG stream says itself whether it is YCbCr, by its Adobe or JFIF marker or by calling its
 * components R, G, B, and is believed before the file; OHIF's loader does the same.
 */
function photometricOf(header: JpegHeader | Jpeg2000Header | undefined, coding: string, format: PixelFormat): string {
  const stated = format.photometricInterpretation;
  if (format.samplesPerPixel === 1) return stated;
  if (coding === 'jpeg2000' || coding === 'htj2k') return stated === 'YBR_RCT' || stated === 'YBR_ICT' ? 'RGB' : stated;
  const plain = stated === 'YBR_FULL_422' ? 'YBR_FULL' : stated;
  if (coding !== 'jpeg' || !header || !('jfif' in header) || header.process === 'lossless') return plain;
  if (header.adobeTransform !== undefined) return header.adobeTransform === 0 ? 'RGB' : 'YBR_FULL';
  if (header.namedRGB) return 'RGB';
  return header.jfif ? 'YBR_FULL' : plain;
}
