import { OverreadError } from '../errors.ts';
import { decodeText } from './charset.ts';
import type { DicomElement } from './elements.ts';

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

/**
 * Typed reading of the attributes of a data set or of a sequence's item. Tags are eight upper-case hexadecimal digits.
 * Each method gives undefined for an attribute that is absent or empty.
 */
export class DataSet {
  private readonly elements: ReadonlyMap<string, DicomElement>;
  private readonly view: DataView;

  constructor(
    readonly bytes: Uint8Array,
    readonly littleEndian: boolean,
    elements: readonly DicomElement[],
    private readonly characterSet: readonly string[] = [],
  ) {
    this.elements = new Map(elements.map((e) => [e.tag, e]));
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const own = this.strings('00080005');
    if (own) this.characterSet = own;
  }

  element(tag: string): DicomElement | undefined {
    return this.elements.get(tag);
  }

  has(tag: string): boolean {
    return this.elements.has(tag);
  }

  bytesOf(tag: string): Uint8Array | undefined {
    const e = this.elements.get(tag);
    return e && this.bytes.subarray(e.offset, e.offset + e.length);
  }

  /** Values of a code string, identifier or number string, trimmed; ASCII. */
  strings(tag: string): readonly string[] | undefined {
    const bytes = this.bytesOf(tag);
    if (!bytes || bytes.length === 0) return undefined;
    const values = decodeText(bytes, []).split('\\').map((v) => v.replace(/[\0 ]+$/, '').trim());
    return values.some((v) => v !== '') ? values : undefined;
  }

  string(tag: string): string | undefined {
    return this.strings(tag)?.[0] || undefined;
  }

  /** Text for people, decoded by the data set's character set. */
  text(tag: string): string | undefined {
    const bytes = this.bytesOf(tag);
    return (bytes && decodeText(bytes, this.characterSet).replace(/[\0 ]+$/, '').trim()) || undefined;
  }

  /**
   * Decimal and integer strings (DS, IS).
   * @throws OverreadError `input/inconsistent` for what is there and is no finite number ("1A", "NaN"): never a guess
   */
  numbers(tag: string, keyword: string): readonly number[] | undefined {
    const values = this.strings(tag);
    return values?.map((value) => {
      if (NUMBER.test(value) && Number.isFinite(Number(value))) return Number(value);
      throw new OverreadError('input/inconsistent', `${keyword} is "${values.join('\\')}"; expected finite numbers. Mend the attribute.`,
        { attribute: keyword, expected: 'finite numbers', got: values.join('\\') });
    });
  }

  number(tag: string, keyword: string): number | undefined {
    return this.numbers(tag, keyword)?.[0];
  }

  /** Like {@link numbers}, for attributes that an image can do without: what does not read is undefined. */
  optionalNumbers(tag: string): readonly number[] | undefined {
    const values = this.strings(tag);
    return values?.every((v) => NUMBER.test(v)) ? values.map(Number) : undefined;
  }

  uint16(tag: string, index = 0): number | undefined {
    const at = this.at(tag, index, 2);
    return at === undefined ? undefined : this.view.getUint16(at, this.littleEndian);
  }

  /** US or SS (UL or SL when 4 bytes wide) as the pixels are signed or not: the VR often says otherwise or nothing. */
  pixelValue(tag: string, signed: boolean, index = 0): number | undefined {
    const e = this.elements.get(tag);
    const wide = e && (e.vr === 'UL' || e.vr === 'SL');
    const at = this.at(tag, index, wide ? 4 : 2);
    if (at === undefined) return undefined;
    if (wide) return signed ? this.view.getInt32(at, this.littleEndian) : this.view.getUint32(at, this.littleEndian);
    return signed ? this.view.getInt16(at, this.littleEndian) : this.view.getUint16(at, this.littleEndian);
  }

  /** All 16-bit words of an element (US, SS, OW). */
  words(tag: string): Uint16Array | undefined {
    const e = this.elements.get(tag);
    return e && Uint16Array.from({ length: e.length >> 1 }, (_, i) => this.view.getUint16(e.offset + 2 * i, this.littleEndian));
  }

  /** All 64-bit words of an element (OV) as numbers; offsets are exact up to 2^53. */
  longWords(tag: string): readonly number[] {
    const e = this.elements.get(tag);
    return e ? Array.from({ length: e.length >> 3 }, (_, i) => Number(this.view.getBigUint64(e.offset + 8 * i, this.littleEndian))) : [];
  }

  /** The items of a sequence; none when it is absent or empty. */
  items(tag: string): readonly DataSet[] {
    return (this.elements.get(tag)?.items ?? []).map((item) => new DataSet(this.bytes, this.littleEndian, item, this.characterSet));
  }

  private at(tag: string, index: number, size: number): number | undefined {
    const e = this.elements.get(tag);
    return e && (index + 1) * size <= e.length ? e.offset + index * size : undefined;
  }
}
