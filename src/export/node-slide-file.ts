import { closeSync, openSync, writeSync } from 'node:fs';
import { OverreadError } from '../errors.ts';
import { encodePart10, TransferSyntax, type DicomObject } from './part10.ts';

/** Frames to a Part 10 file one after the other: memory does not grow with the slide. */
export interface FrameFile {
  append(frame: Uint8Array): void;
  /** Ends the pixel data, fills in the offset table and the ratio. */
  close(): void;
}

const ITEM = [0xfe, 0xff, 0x00, 0xe0] as const;

/**
 * Writes JPEG frames, each in one fragment, with a Basic Offset Table.
 * @param headerOf the instance without `PixelData`, for a ratio of compression; asked again when the ratio is known, and
 *   must come out as long
 * @param frames how many will come
 * @param frameBytes of a frame before compression
 */
export function jpegFrameFile(path: string, headerOf: (ratio: number) => DicomObject, frames: number, frameBytes: number): FrameFile {
  const fd = openSync(path, 'w');
  let at = 0;
  const put = (bytes: Uint8Array): void => {
    writeSync(fd, bytes, 0, bytes.length, at);
    at += bytes.length;
  };
  const encoded = (ratio: number): Uint8Array => encodePart10(headerOf(ratio), TransferSyntax.jpegBaseline);
  put(encoded(1));
  const headerEnd = at;
  put(Uint8Array.of(0xe0, 0x7f, 0x10, 0x00, 0x4f, 0x42, 0, 0, 0xff, 0xff, 0xff, 0xff));
  const table = new DataView(new ArrayBuffer(4 * frames));
  put(itemOf(table.byteLength));
  const tableAt = at;
  put(new Uint8Array(table.buffer));
  const first = at;
  let count = 0;
  const finish = (): void => {
    if (count !== frames) throw new OverreadError('internal', `Expected ${frames} frames, got ${count}.`, { expected: frames, got: count });
    if (at - first >= 2 ** 32) {
      throw new OverreadError('internal', 'Frames of one level come to more than 4 GiB, past what an offset table holds. Make the slide smaller.', { expected: '< 4 GiB', got: at - first });
    }
    put(Uint8Array.of(0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0));
    writeSync(fd, new Uint8Array(table.buffer), 0, table.byteLength, tableAt);
    const header = encoded((frames * frameBytes) / (at - first));
    if (header.length !== headerEnd) throw new OverreadError('internal', 'The header changed its length with the ratio.', { expected: headerEnd, got: header.length });
    writeSync(fd, header, 0, header.length, 0);
  };
  return {
    append(frame) {
      if (count < frames) table.setUint32(4 * count, at - first, true);
      count++;
      const padded = frame.length + (frame.length % 2);
      put(itemOf(padded));
      put(frame);
      if (padded !== frame.length) put(Uint8Array.of(0));
    },
    close() {
      try {
        finish();
      } finally {
        closeSync(fd);
      }
    },
  };
}

function itemOf(length: number): Uint8Array {
  const out = new Uint8Array(8);
  out.set(ITEM);
  new DataView(out.buffer).setUint32(4, length, true);
  return out;
}
