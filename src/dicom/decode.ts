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
  /** As the values are; a JPEG 2000 stream of signed values makes them so where the file says otherwise. */
  readonly signed: boolean;
}

/**
 * Decodes one frame, in any transfer syntax that we read.
 * @param frameIndex counts from 0
 * @throws OverreadError `input/truncated`, `input/inconsistent`, `input/unsupported-pixels`
 */
export async function decodeFrame(instance: Pick<ImageInstance, 'pixelFormat' | 'transferSyntax' | 'pixelData'>, frameIndex: number): Promise<DecodedFrame> {
  const { pixelFormat: format, transferSyntax: syntax, pixelData: { element, set } } = instance;
  if (!Number.isInteger(frameIndex) || frameIndex < 0 || frameIndex >= format.numberOfFrames) {
    throw new OverreadError('input/refused', `Expected a frame from 1 to ${format.numberOfFrames}, got ${frameIndex + 1}. Choose one that is there.`,
      { expected: `1..${format.numberOfFrames}`, got: frameIndex + 1 });
  }
  const asStored = (values: StoredValues): DecodedFrame => ({
    values,
    photometricInterpretation: format.photometricInterpretation,
    planar: format.planarConfiguration === 1 && format.samplesPerPixel === 3,
    signed: format.signed,
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
      return decodeJpegFamily(syntax.coding, encoded, format, syntax.lossy === true);
  }
}

/** Data for several frames where one is stated: which one was meant cannot be told. */
function refuseUnstatedFrames(length: number, format: PixelFormat): void {
  const size = frameBytes(format);
  const frames = Math.round(length / size);
  const excess = length - size * format.numberOfFrames;
  // A byte may pad the data to an even length.
  if (excess < Math.max(size, 2) || Math.abs(length - frames * size) > 1) return;
  throw new OverreadError('input/inconsistent', `The file says ${format.numberOfFrames} frame(s), but its pixel data holds ${frames}. Mend NumberOfFrames.`,
    { expected: format.numberOfFrames, got: frames });
}

/** Two bytes of RLE stand for at most 128. */
const RLE_EXPANSION = 64;

async function decodeRle(encoded: Uint8Array, format: PixelFormat): Promise<StoredValues> {
  const { rows, columns, samplesPerPixel, bitsAllocated } = format;
  const size = (rows * columns * samplesPerPixel * bitsAllocated) / 8;
  if (size > encoded.length * RLE_EXPANSION) {
    throw new OverreadError('input/truncated', `${encoded.length} bytes of RLE cannot hold the ${size} bytes of a frame. Fetch the file again.`, { expected: size, got: encoded.length });
  }
  if (bitsAllocated === 1) {
    const packed = Math.ceil((rows * columns) / 8);
    const bytes = await decodeCoded('rle', encoded, { ...format, columns: packed, rows: 1, bitsAllocated: 8, bitsStored: 8 });
    return unpackBits(bytes, 0, rows * columns);
  }
  const bytes = await decodeCoded('rle', encoded, { ...format, signed: false });
  checkLength(bytes.length, size);
  return storedValues(bytes, format, true);
}

async function decodeJpegFamily(coding: 'jpeg' | 'jpeg-ls' | 'jpeg2000' | 'htj2k', encoded: Uint8Array, format: PixelFormat, lossy: boolean): Promise<DecodedFrame> {
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
  const mismatched = coded !== undefined && coded.signed !== format.signed;
  const values = mismatched
    ? resigned(bytes, coded.precision, { ...format, bitsAllocated, signed: true })
    : withinRange(bytes, { ...format, bitsAllocated, highBit: format.bitsStored - 1 }, lossy);
  // The codec leaves JPEG-LS components that were coded one after the other as planes.
  const planar = coding === 'jpeg-ls' && samplesPerPixel === 3 && header !== undefined && 'scanComponents' in header && header.scanComponents === 1;
  return { values, photometricInterpretation: photometricOf(header, coding, format), planar, signed: format.signed || mismatched };
}

/**
 * A JPEG 2000 stream and a Pixel Representation that contradict each other: whichever says "signed" is right, since the
 * other is what careless writers leave as it was. The samples are taken for two's complement of the stream's precision.
 */
function resigned(bytes: Uint8Array, precision: number, format: PixelFormat): StoredValues {
  const bits = Math.min(precision, format.bitsAllocated);
  return withinStoredBits(storedValues(bytes, { ...format, bitsStored: format.bitsAllocated, highBit: format.bitsAllocated - 1 }, true),
    { ...format, bitsStored: bits, highBit: bits - 1 });
}

/**
 * Values within the stored bits. Lossy coding overshoots: an unsigned value that leaves the range goes to its end, where
 * cutting bits off would turn white to black. JPEG and JPEG-LS do not know of signs: those are extended from the stored bits.
 */
function withinRange(bytes: Uint8Array, format: PixelFormat, lossy: boolean): StoredValues {
  if (!lossy || format.signed) return storedValues(bytes, format, true);
  const values = storedValues(bytes, { ...format, bitsStored: format.bitsAllocated, highBit: format.bitsAllocated - 1 }, true);
  const high = 2 ** format.bitsStored - 1;
  for (let i = 0; i < values.length; i++) if (values[i]! > high) values[i] = high;
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
 * Colours as decoded. A lossy JPEG stream that says itself whether it is YCbCr is believed before the file: writers
 * compress to YCbCr and leave RGB in the file, and OHIF's loader believes the stream too.
 */
function photometricOf(header: JpegHeader | Jpeg2000Header | undefined, coding: string, format: PixelFormat): string {
  const stated = format.photometricInterpretation;
  if (format.samplesPerPixel === 1) return stated;
  if (coding === 'jpeg2000' || coding === 'htj2k') return stated === 'YBR_RCT' || stated === 'YBR_ICT' ? 'RGB' : stated;
  const colour = header && 'lossy' in header && header.lossy ? header.colour : undefined;
  if (colour) return colour === 'RGB' ? 'RGB' : 'YBR_FULL';
  return stated === 'YBR_FULL_422' ? 'YBR_FULL' : stated;
}
