import { jsonOf, vrOfTag } from '../../dicom/dicomjson.ts';
import { readPart10, type DicomElement } from '../../dicom/elements.ts';
import { inflateRaw } from '../../dicom/parse.ts';
import { naturalised, type Naturalized } from '../source.ts';

/** A file of ours or of others, by keyword, with the bytes of the values that are not in there. */
export interface ReadFile {
  readonly set: Naturalized;
  readonly bytes: Uint8Array;
  readonly elements: readonly DicomElement[];
}

/** @throws OverreadError `input/unreadable`, `input/truncated` */
export function readFile(file: Uint8Array): ReadFile {
  const part10 = readPart10(new Uint8Array(file.buffer, file.byteOffset, file.byteLength), { vrOf: vrOfTag, inflateRaw });
  return { set: naturalised(jsonOf(part10)), bytes: part10.bytes, elements: part10.elements };
}

/** The bytes of an element that is not encapsulated. */
export function bytesOf({ bytes }: Pick<ReadFile, 'bytes'>, elements: readonly DicomElement[], tag: string): Uint8Array | undefined {
  const element = elements.find(e => e.tag === tag);
  return element && !element.fragments ? bytes.subarray(element.offset, element.offset + element.length) : undefined;
}

/** 32-bit little-endian floats. */
export function floatsOf(bytes: Uint8Array): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float32Array.from({ length: bytes.length >> 2 }, (_, i) => view.getFloat32(4 * i, true));
}
