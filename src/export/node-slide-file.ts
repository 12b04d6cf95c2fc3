import { closeSync, openSync, writeSync } from 'node:fs';
import { OverreadError } from '../errors.ts';
import { encodePart10, TransferSyntax, type DicomObject } from './part10.ts';

/** Frames to a Part 10 file one after the other: memory does not grow with the slide. */
export interface FrameFile {
  append(frame: Uint8Array): void;
  /** Ends the pixel data, fills in the offset table. */
  close(): void;
}

const ITEM = [0xfe, 0xff, 0x00, 0xe0] as const;

/**
 * Writes `header` (no `PixelData`), then JPEG frames, each in one fragment, with a Basic Offset Table.
 * @param frames how many will come
 */
export function jpegFrameFile(path: string, header: DicomObject, frames: number): FrameFile {
  const fd = openSync(path, 'w');
  let at = 0;
  const put = (bytes: Uint8Array): void => {
    writeSync(fd, bytes, 0, bytes.length, at);
    at += bytes.length;
  };
  put(encodePart10(header, TransferSyntax.jpegBaseline));
  put(Uint8Array.of(0xe0, 0x7f, 0x10, 0x00, 0x4f, 0x42, 0, 0, 0xff, 0xff, 0xff, 0xff));
  const table = new DataView(new ArrayBuffer(4 * frames));
  put(itemOf(table.byteLength));
  const tableAt = at;
  put(new Uint8Array(table.buffer));
  const first = at;
  let count = 0;
  return {
    append(frame) {
      if (count < frames) table.setUint32(4 * count++, at - first, true);
      const padded = frame.length + (frame.length % 2);
      put(itemOf(padded));
      put(frame);
      if (padded !== frame.length) put(Uint8Array.of(0));
    },
    close() {
      if (at - first >= 2 ** 32) {
        closeSync(fd);
        throw new OverreadError('internal', 'Frames of one level come to more than 4 GiB, past what an offset table holds. Make the slide smaller.', { expected: '< 4 GiB', got: at - first });
      }
      put(Uint8Array.of(0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0));
      writeSync(fd, new Uint8Array(table.buffer), 0, table.byteLength, tableAt);
      closeSync(fd);
    },
  };
}

function itemOf(length: number): Uint8Array {
  const out = new Uint8Array(8);
  out.set(ITEM);
  new DataView(out.buffer).setUint32(4, length, true);
  return out;
}
