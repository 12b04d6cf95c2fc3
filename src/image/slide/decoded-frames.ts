import { DataSet } from '../../dicom/data-set.ts';
import { decodeFrame } from '../../dicom/decode.ts';
import { frameBytes } from '../../dicom/native.ts';
import { EXPLICIT_VR_LITTLE_ENDIAN, TRANSFER_SYNTAXES, transferSyntaxOf } from '../../dicom/transfer-syntaxes.ts';
import { isOverreadError, OverreadError, throwIfAborted, toOverreadError } from '../../errors.ts';
import { channelsOf, framePixels } from '../frame-pixels.ts';
import { representableRange, type Range } from '../modality-values.ts';
import type { EncodedFrame, FrameReader } from './frames.ts';
import type { SlideImage } from './slide-image.ts';
import type { FrameAddress } from './tile-grid.ts';

/** Values of one frame, row by row, channels interleaved: whole numbers of a byte each where that is all they are. */
export type FrameValues = Uint8Array | Float32Array;

const KEPT_BYTES = 64 * 2 ** 20;

export function slideChannels({ format }: SlideImage): 1 | 3 {
  return channelsOf({ pixelFormat: format });
}

export function slideRange(image: SlideImage): Range {
  return slideChannels(image) === 3 ? [0, 255] : representableRange(image.format, image.transform);
}

/**
 * Frames as they are wanted, decoded once for those who want them at the same time or soon after: of the decoded ones
 * as many stay as fit in a number of bytes, the last used.
 */
export class DecodedFrames {
  readonly #kept = new Map<string, FrameValues>();
  readonly #pending = new Map<string, Promise<FrameValues>>();
  #bytes = 0;

  constructor(private readonly reader: FrameReader, private readonly keptBytes = KEPT_BYTES) {}

  /** @throws OverreadError what the reader throws; `input/*` for a frame that does not decode, `job/cancelled` */
  async read(image: SlideImage, address: FrameAddress, signal?: AbortSignal): Promise<FrameValues> {
    const key = `${address.sopInstanceUID} ${address.frameNumber}`;
    for (;;) {
      throwIfAborted(signal);
      const kept = this.#kept.get(key);
      if (kept) {
        this.#kept.delete(key);
        this.#kept.set(key, kept);
        return kept;
      }
      const pending = this.#pending.get(key);
      if (!pending) return this.#fetch(key, image, address, signal);
      try {
        return await pending;
      } catch (error) {
        // Whoever asked first has given up; we have not.
        if (toOverreadError(error).code !== 'job/cancelled') throw error;
      }
    }
  }

  async #fetch(key: string, image: SlideImage, address: FrameAddress, signal?: AbortSignal): Promise<FrameValues> {
    const work = this.reader.frame(address.sopInstanceUID, address.frameNumber, signal).then(frame => decodeSlideFrame(image, address, frame));
    this.#pending.set(key, work);
    try {
      const values = await work;
      this.#keep(key, values);
      return values;
    } finally {
      this.#pending.delete(key);
    }
  }

  #keep(key: string, values: FrameValues): void {
    this.#kept.set(key, values);
    this.#bytes += values.byteLength;
    for (const [oldest, { byteLength }] of this.#kept) {
      if (this.#bytes <= this.keptBytes || oldest === key) return;
      this.#kept.delete(oldest);
      this.#bytes -= byteLength;
    }
  }
}

/** @throws OverreadError `input/*`, naming the frame */
export async function decodeSlideFrame(image: SlideImage, address: FrameAddress, { bytes, transferSyntaxUID }: EncodedFrame): Promise<FrameValues> {
  try {
    const uid = transferSyntaxUID ?? toldBySize(image, bytes) ?? image.transferSyntaxUID ?? toldByBytes(bytes);
    const transferSyntax = transferSyntaxOf(uid);
    const coded = transferSyntax.coding !== 'native';
    const pixelFormat = { ...image.format, numberOfFrames: 1 };
    const element = { tag: '7FE00010', vr: 'OB', offset: 0, length: bytes.length, ...(coded && { fragments: [[0, bytes.length]] as const, offsetTable: [] }) };
    const set = new DataSet(bytes, transferSyntax.bigEndian !== true, [element]);
    const frame = await decodeFrame({ pixelFormat, transferSyntax, pixelData: { element, set } }, 0);
    const out = new Float32Array(pixelFormat.rows * pixelFormat.columns * slideChannels(image));
    framePixels({ pixelFormat, modalityTransforms: [image.transform] }, 0, frame, out);
    return slideChannels(image) === 3 && pixelFormat.bitsAllocated === 8 ? Uint8Array.from(out) : out;
  } catch (error) {
    if (!isOverreadError(error)) throw error;
    const { sopInstanceUID, frameNumber } = address;
    throw new OverreadError(error.code, `Frame ${frameNumber} of ${sopInstanceUID}: ${error.message}`, { ...error.fields, sopInstanceUID, frameNumber }, error);
  }
}

/** Servers that expand frames say so by `application/octet-stream` and nothing more. */
function toldBySize({ format }: SlideImage, bytes: Uint8Array): string | undefined {
  return bytes.length === Math.ceil(frameBytes(format)) ? EXPLICIT_VR_LITTLE_ENDIAN : undefined;
}

const STREAMS: readonly (readonly [start: readonly number[], coding: string])[] = [
  [[0xff, 0xd8], 'jpeg'],
  [[0xff, 0x4f], 'jpeg2000'],
];

/** Of a coding, any syntax does: the decoder reads the stream's own head. */
function toldByBytes(bytes: Uint8Array): string {
  const coding = STREAMS.find(([start]) => start.every((byte, i) => bytes[i] === byte))?.[1] ?? 'native';
  return Object.entries(TRANSFER_SYNTAXES).find(([, syntax]) => syntax.coding === coding && !syntax.implicit)![0];
}
