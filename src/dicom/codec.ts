import { OverreadError } from '../errors.ts';
import type { PixelCoding } from './transfer-syntaxes.ts';

/** What a coded frame should hold. */
export interface CodedFormat {
  readonly columns: number;
  readonly rows: number;
  readonly samplesPerPixel: number;
  readonly bitsAllocated: number;
  readonly bitsStored: number;
  readonly signed: boolean;
  readonly photometricInterpretation: string;
}

type Codecs = typeof import('dcmjs-codecs').NativeCodecs;
type CodecModule = Pick<typeof import('dcmjs-codecs'), 'NativeCodecs' | 'Context'>;

let wasmLocation: string | undefined;
let opened: Promise<CodecModule> | undefined;

/**
 * Says where `dcmjs-native-codecs.wasm` lies: a URL in a browser, a path in Node. Without it, a browser takes the copy
 * that the bundler put beside the code, and Node the one in the package.
 */
export function setCodecLocation(pathOrUrl: string): void {
  wasmLocation = pathOrUrl;
  opened = undefined;
}

/** Loads the codecs (WebAssembly, 4 MB) when a compressed frame is first met. @throws OverreadError `network/unreachable` */
function codecs(): Promise<CodecModule> {
  opened ??= open().catch((cause: unknown) => {
    opened = undefined;
    const said = cause instanceof Error ? cause.message : String(cause);
    throw new OverreadError('network/unreachable', `The image codecs could not be loaded: ${said}. Check that dcmjs-native-codecs.wasm is served beside the code, and try again.`,
      { expected: 'dcmjs-native-codecs.wasm', got: said }, cause);
  });
  return opened;
}

async function open(): Promise<CodecModule> {
  const module = await import('dcmjs-codecs');
  const { NativeCodecs, Context } = 'NativeCodecs' in module ? module : (module as { default: CodecModule }).default;
  const inNode = typeof process !== 'undefined' && Boolean(process.versions?.node);
  const own = inNode ? NativeCodecs : inBrowser(NativeCodecs);
  await own.initializeAsync(wasmLocation === undefined ? {} : { webAssemblyModulePathOrUrl: wasmLocation });
  return { NativeCodecs: own, Context };
}

/** In a browser the package fetches inside eval, which a content-security policy forbids: fetch the same bytes plainly. */
function inBrowser(codecs: Codecs): Codecs {
  return class extends codecs {
    static async _getWebAssemblyBytes(): Promise<ArrayBuffer> {
      const url = wasmLocation ?? new URL('dcmjs-codecs/build/dcmjs-native-codecs.wasm', import.meta.url).href;
      const response = await fetch(url);
      if (!response.ok) throw new Error(`${url} answers ${response.status}`);
      return response.arrayBuffer();
    }
  };
}

type Decoder = 'decodeRle' | 'decodeJpeg' | 'decodeJpegLs' | 'decodeJpeg2000' | 'decodeHtJpeg2000';
const DECODERS: Readonly<Partial<Record<PixelCoding, Decoder & keyof Codecs>>> = {
  rle: 'decodeRle', jpeg: 'decodeJpeg', 'jpeg-ls': 'decodeJpegLs', jpeg2000: 'decodeJpeg2000', htj2k: 'decodeHtJpeg2000',
};

/**
 * Decodes one frame: samples interleaved, little endian, `bitsAllocated` wide, colours as they are coded (no conversion but
 * the one inside JPEG 2000).
 * @throws OverreadError `input/inconsistent` when the stream is broken or holds another image than the format says
 */
export async function decodeCoded(coding: PixelCoding, encoded: Uint8Array, format: CodedFormat): Promise<Uint8Array> {
  const decoder = DECODERS[coding];
  if (!decoder) throw new OverreadError('internal', `No codec for ${coding}. Please report this.`, { coding });
  const { NativeCodecs, Context } = await codecs();
  try {
    const decoded = NativeCodecs[decoder](new Context({
      width: format.columns,
      height: format.rows,
      bitsAllocated: format.bitsAllocated,
      bitsStored: format.bitsStored,
      samplesPerPixel: format.samplesPerPixel,
      pixelRepresentation: format.signed ? 1 : 0,
      planarConfiguration: 0,
      photometricInterpretation: format.photometricInterpretation,
      encodedBuffer: encoded,
    }), {});
    const bytes = decoded.getDecodedBuffer();
    if (bytes) return bytes;
    throw new Error('the decoder gave nothing');
  } catch (cause) {
    const said = afterFailure(NativeCodecs, cause);
    throw new OverreadError('input/inconsistent', `The pixel data does not decode as ${coding}: ${said}. Fetch the file again, or convert it.`,
      { expected: coding, got: said }, cause);
  }
}

/** JpegSampleFactor of the package: chroma halved across. */
const SAMPLED_422 = 1;

/**
 * Encodes one picture as baseline JPEG, YCbCr with chroma halved across: what DICOM calls YBR_FULL_422, whose columns are
 * even. The same picture gives the same bytes.
 * @param rgb interleaved, columns · rows · 3
 * @param quality 1..100 as libjpeg counts
 * @returns a whole JPEG
 * @throws OverreadError `internal` when samples and size disagree or the encoder fails, `network/unreachable`
 */
export async function encodeJpeg(rgb: Uint8Array, columns: number, rows: number, quality: number): Promise<Uint8Array> {
  const expected = columns * rows * 3;
  if (rgb.length !== expected) {
    throw new OverreadError('internal', `Expected ${expected} samples of ${columns} × ${rows} RGB pixels, got ${rgb.length}. Please report this.`, { expected, got: rgb.length });
  }
  const { NativeCodecs, Context } = await codecs();
  try {
    const bytes = NativeCodecs.encodeJpeg(new Context({
      width: columns,
      height: rows,
      bitsAllocated: 8,
      bitsStored: 8,
      samplesPerPixel: 3,
      pixelRepresentation: 0,
      planarConfiguration: 0,
      photometricInterpretation: 'RGB',
      decodedBuffer: rgb,
    }), { lossy: true, quality, sampleFactor: SAMPLED_422 }).getEncodedBuffer();
    if (bytes) return bytes;
    throw new Error('the encoder gave nothing');
  } catch (cause) {
    const said = afterFailure(NativeCodecs, cause);
    throw new OverreadError('internal', `A picture of ${columns} × ${rows} pixels does not encode as JPEG: ${said}. Please report this.`,
      { expected: 'jpeg', got: said }, cause);
  }
}

/** A failed call leaves its memory behind: begin anew. @returns what the codec said */
function afterFailure(codecs: Codecs, cause: unknown): string {
  codecs.release();
  opened = undefined;
  return (cause instanceof Error ? cause.message : String(cause)).trim();
}
