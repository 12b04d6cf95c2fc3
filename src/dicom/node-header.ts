import fs from 'node:fs/promises';
import { isOverreadError, OverreadError } from '../errors.ts';
import { jsonOf, vrOfTag, type DicomJson } from './dicomjson.ts';
import { readPart10, type Part10 } from './elements.ts';

/** A Part 10 file up to its pixels, which stay on the disk. */
export interface FileHeader {
  readonly part10: Part10;
  readonly json: DicomJson;
  /** Where the element of the pixel data begins. */
  readonly pixelElementAt: number;
}

/** Read at first; doubled until the pixel data begins. Optical paths with their ICC profile fit in. */
const FIRST_BYTES = 2 ** 18;
export const PIXEL_DATA = '7FE00010';

/**
 * Reads the header of a DICOM file, however large its pixels are.
 * @throws OverreadError `input/unreadable`, `input/truncated`; `input/no-pixels` for a file without pixel data;
 *   `input/unsupported-transfer-syntax` for a deflated one, of which no part can be read by itself
 */
export async function readFileHeader(file: fs.FileHandle, name: string): Promise<FileHeader> {
  const { size } = await file.stat();
  for (let length = Math.min(FIRST_BYTES, size); ; length = Math.min(2 * length, size)) {
    const bytes = await readRange(file, 0, length, name);
    const part10 = parsed(bytes, name, length === size);
    if (part10 && part10.end < length) return { part10, json: jsonOf(part10), pixelElementAt: part10.end };
    if (part10 && length === size) throw new OverreadError('input/no-pixels', `Expected pixel data in ${name}, got a file without any. Choose the images.`, { expected: 'Pixel Data (7FE0,0010)', got: 'none', file: name });
  }
}

/** Undefined where more bytes may help. */
function parsed(bytes: Uint8Array, name: string, whole: boolean): Part10 | undefined {
  try {
    return readPart10(bytes, { vrOf: vrOfTag, stopBefore: PIXEL_DATA });
  } catch (error) {
    if (isOverreadError(error, 'input/truncated') && !whole) return undefined;
    if (!isOverreadError(error)) throw error;
    throw new OverreadError(error.code, `${name}: ${error.message}`, error.fields, error);
  }
}

/** @throws OverreadError `input/truncated` when the file ends before the range does */
export async function readRange(file: fs.FileHandle, offset: number, length: number, name: string): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length;) {
    const { bytesRead } = await file.read(bytes, done, length - done, offset + done);
    if (bytesRead === 0) throw new OverreadError('input/truncated', `${name} is cut short: expected ${length} bytes at byte ${offset}, got ${done}. Fetch the file again.`, { expected: length, got: done, file: name });
    done += bytesRead;
  }
  return bytes;
}
