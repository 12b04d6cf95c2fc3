/**
 * DICOM Part 10 bytes → a tree of elements that point back into the bytes. Nothing is copied, values are not read,
 * and a byte that is missing is an error: what comes out was all there.
 *
 * Ours because dicom-parser 1.8 does not know the VRs OV, SV and UV (so every file with an Extended Offset Table fails)
 * and takes a missing sequence delimiter for the end, and dcmjs gives no offsets and parses truncated files silently.
 */
import { OverreadError } from '../errors.ts';
import { EXPLICIT_VR_BIG_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN } from './transfer-syntaxes.ts';

export type ByteRange = readonly [offset: number, length: number];

export interface DicomElement {
  /** Eight upper-case hexadecimal digits, e.g. `7FE00010`. */
  readonly tag: string;
  readonly vr: string;
  /** Of the value, without the delimiter of an undefined length. */
  readonly offset: number;
  readonly length: number;
  /** Of a sequence. */
  readonly items?: readonly (readonly DicomElement[])[];
  /** Of encapsulated pixel data: the fragments after the basic offset table, and that table. */
  readonly fragments?: readonly ByteRange[];
  readonly offsetTable?: readonly number[];
}

export interface Part10 {
  /** What the offsets point into: the file, or its inflated form when the transfer syntax is a deflated one. */
  readonly bytes: Uint8Array;
  readonly transferSyntaxUID: string;
  readonly littleEndian: boolean;
  readonly deflated: boolean;
  readonly meta: readonly DicomElement[];
  readonly elements: readonly DicomElement[];
  /** Where reading ended: the end of the bytes, or the element of {@link ReadOptions.stopBefore}. */
  readonly end: number;
  readonly explicit: boolean;
}

export interface ReadOptions {
  /** VR of a tag where the file does not say it. */
  readonly vrOf: (tag: string) => string;
  /** For Deflated Explicit VR Little Endian; without it such files are refused. */
  readonly inflateRaw?: (bytes: Uint8Array) => Uint8Array;
  /** Tag of the data set's element at which to stop, itself not read, such as the pixel data of a file that is not all there. */
  readonly stopBefore?: string;
}

const DEFLATED = '1.2.840.10008.1.2.1.99';
const SHORT_LENGTH = new Set('AE AS AT CS DA DS DT FL FD IS LO LT PN SH SL SS ST TM UI UL US'.split(' '));
const UNDEFINED = 0xffffffff;
const ITEM = 'FFFEE000';
const ITEM_END = 'FFFEE00D';
const SEQUENCE_END = 'FFFEE0DD';

/** @throws OverreadError `input/unreadable` for what is not Part 10, `input/truncated` when bytes are missing */
export function readPart10(file: Uint8Array, options: ReadOptions): Part10 {
  if (file.length < 132 || String.fromCharCode(...file.subarray(128, 132)) !== 'DICM') {
    throw new OverreadError('input/unreadable', 'Expected a DICOM Part 10 file ("DICM" at byte 128), got something else.',
      { expected: 'DICM at byte 128', got: file.length < 132 ? `${file.length} bytes` : 'other bytes' });
  }
  const head = new Reader(file, 132, { ...options, explicit: true, littleEndian: true });
  const meta: DicomElement[] = [];
  while (head.more() && head.peekGroup() === 2) meta.push(head.element());
  const uid = meta.find((e) => e.tag === '00020010');
  if (!uid) throw new OverreadError('input/unreadable', 'Expected a Transfer Syntax UID (0002,0010) in the file meta information, found none.');
  const transferSyntaxUID = asciiOf(file, uid);
  const deflated = transferSyntaxUID === DEFLATED;
  let bytes = file;
  let start = head.position;
  if (deflated) {
    if (!options.inflateRaw) throw new OverreadError('input/unsupported-transfer-syntax', 'Deflated files are not read here.', { got: transferSyntaxUID });
    try {
      bytes = options.inflateRaw(file.subarray(start));
    } catch (cause) {
      throw new OverreadError('input/truncated', 'Expected a whole deflated data set, got one that does not inflate.', {}, cause);
    }
    start = 0;
  }
  const littleEndian = transferSyntaxUID !== EXPLICIT_VR_BIG_ENDIAN;
  const explicit = isExplicit(bytes, start, transferSyntaxUID);
  const reader = new Reader(bytes, start, { ...options, explicit, littleEndian });
  const elements = reader.dataSet(bytes.length, options.stopBefore);
  return { bytes, transferSyntaxUID, littleEndian, deflated, meta, elements, end: reader.position, explicit };
}

/** Where the meta information and the first element disagree, the element is believed: writers get the former wrong. */
function isExplicit(bytes: Uint8Array, start: number, transferSyntaxUID: string): boolean {
  if (start + 6 > bytes.length) return transferSyntaxUID !== IMPLICIT_VR_LITTLE_ENDIAN;
  return /^[A-Z]{2}$/.test(String.fromCharCode(bytes[start + 4]!, bytes[start + 5]!));
}

/** Text of a UI or CS value: ASCII without padding. */
export function asciiOf(bytes: Uint8Array, element: DicomElement): string {
  let text = '';
  for (let i = element.offset; i < element.offset + element.length; i++) text += String.fromCharCode(bytes[i]!);
  return text.replace(/[\0 ]+$/, '').trimStart();
}

interface Encoding extends ReadOptions {
  readonly explicit: boolean;
  readonly littleEndian: boolean;
}

class Reader {
  private readonly view: DataView;
  constructor(private readonly bytes: Uint8Array, public position: number, private readonly encoding: Encoding) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  more(): boolean {
    return this.position < this.bytes.length;
  }

  peekGroup(): number {
    this.need(2, 'a tag');
    return this.view.getUint16(this.position, this.encoding.littleEndian);
  }

  /** Elements up to `end`, or, where `end` is undefined, up to the item delimiter, which is consumed. */
  dataSet(end: number | undefined, stopBefore?: string): DicomElement[] {
    const elements: DicomElement[] = [];
    while (end === undefined || this.position < end) {
      if (stopBefore !== undefined && this.peekTag() === stopBefore) return elements;
      if (end === undefined && this.peekTag() === ITEM_END) {
        this.skip(8, 'an item delimiter');
        return elements;
      }
      // Some writers pad the end of a file with zeros, or close a defined-length item with a delimiter.
      if (end === this.bytes.length && this.onlyZerosLeft()) break;
      if (this.peekTag() === ITEM_END) {
        this.skip(8, 'an item delimiter');
        continue;
      }
      elements.push(this.element());
    }
    if (end !== undefined && this.position > end) throw this.broken(`an element that ends at byte ${end}`, `one that ends at ${this.position}`);
    return elements;
  }

  element(): DicomElement {
    const tag = this.tag();
    const { vr, length } = this.header(tag);
    const offset = this.position;
    if (tag === '7FE00010' && length === UNDEFINED) return { tag, vr, offset, ...this.encapsulated() };
    if (vr === 'SQ') return { tag, vr, offset, ...this.sequence(this, length) };
    if (length === UNDEFINED) {
      // UN of undefined length is a sequence in Implicit VR Little Endian (PS3.5 6.2.2, note 6).
      const implicit = vr === 'UN' && this.encoding.explicit
        ? new Reader(this.bytes, offset, { ...this.encoding, explicit: false, littleEndian: true }) : this;
      const sequence = this.sequence(implicit, length);
      this.position = implicit.position;
      return { tag, vr: 'SQ', offset, ...sequence };
    }
    this.skip(length, `the ${length} bytes of (${tag.slice(0, 4)},${tag.slice(4)})`);
    return { tag, vr, offset, length };
  }

  private header(tag: string): { vr: string; length: number } {
    const { littleEndian, explicit, vrOf } = this.encoding;
    if (!explicit) {
      const length = this.view.getUint32(this.advance(4, 'a length'), littleEndian);
      return { vr: vrOf(tag), length };
    }
    const at = this.advance(2, 'a VR');
    const vr = String.fromCharCode(this.bytes[at]!, this.bytes[at + 1]!);
    if (!/^[A-Z]{2}$/.test(vr)) throw this.broken(`a VR at byte ${at}, after (${tag.slice(0, 4)},${tag.slice(4)})`, JSON.stringify(vr));
    if (SHORT_LENGTH.has(vr)) return { vr, length: this.view.getUint16(this.advance(2, 'a length'), littleEndian) };
    this.skip(2, 'a VR');
    return { vr, length: this.view.getUint32(this.advance(4, 'a length'), littleEndian) };
  }

  private sequence(reader: Reader, length: number): { length: number; items: DicomElement[][] } {
    const offset = reader.position;
    const items: DicomElement[][] = [];
    if (length !== UNDEFINED) reader.need(length, 'a sequence');
    while (length === UNDEFINED || reader.position < offset + length) {
      const tag = reader.tag();
      const itemLength = reader.view.getUint32(reader.advance(4, 'an item length'), reader.encoding.littleEndian);
      if (tag === SEQUENCE_END) {
        if (length === UNDEFINED) return { length: reader.position - 8 - offset, items };
        continue;
      }
      if (tag !== ITEM) throw reader.broken('a sequence item (FFFE,E000)', `(${tag.slice(0, 4)},${tag.slice(4)})`);
      if (itemLength !== UNDEFINED) reader.need(itemLength, 'an item');
      items.push(reader.dataSet(itemLength === UNDEFINED ? undefined : reader.position + itemLength));
    }
    return { length, items };
  }

  private encapsulated(): Pick<DicomElement, 'length' | 'fragments' | 'offsetTable'> {
    const start = this.position;
    const fragments: ByteRange[] = [];
    let offsetTable: number[] | undefined;
    for (;;) {
      const tag = this.tag();
      const length = this.view.getUint32(this.advance(4, 'a fragment length'), this.encoding.littleEndian);
      if (tag === SEQUENCE_END) return { length: this.position - 8 - start, fragments, offsetTable: offsetTable ?? [] };
      if (tag !== ITEM) throw this.broken('a pixel data fragment (FFFE,E000)', `(${tag.slice(0, 4)},${tag.slice(4)})`);
      const at = this.advance(length, `a pixel data fragment of ${length} bytes`);
      if (offsetTable) fragments.push([at, length]);
      else offsetTable = Array.from({ length: length >> 2 }, (_, i) => this.view.getUint32(at + 4 * i, this.encoding.littleEndian));
    }
  }

  private tag(): string {
    const tag = this.peekTag();
    this.position += 4;
    return tag;
  }

  private peekTag(): string {
    this.need(4, 'a tag');
    const { littleEndian } = this.encoding;
    const tag = this.view.getUint16(this.position, littleEndian) * 0x10000 + this.view.getUint16(this.position + 2, littleEndian);
    return tag.toString(16).toUpperCase().padStart(8, '0');
  }

  private onlyZerosLeft(): boolean {
    if (this.bytes[this.position] !== 0 || this.bytes[this.position + 1] !== 0) return false;
    return this.bytes.subarray(this.position).every((b) => b === 0);
  }

  private advance(count: number, what: string): number {
    this.need(count, what);
    this.position += count;
    return this.position - count;
  }

  private skip(count: number, what: string): void {
    this.advance(count, what);
  }

  private need(count: number, what: string): void {
    if (this.position + count <= this.bytes.length) return;
    throw new OverreadError('input/truncated',
      `The file is cut short: expected ${what} at byte ${this.position}, but it has ${this.bytes.length} bytes. Send the whole file.`,
      { expected: this.position + count, got: this.bytes.length });
  }

  private broken(expected: string, got: string): OverreadError {
    return new OverreadError('input/unreadable', `The data set cannot be read: expected ${expected}, got ${got}.`, { expected, got });
  }
}
