import { OverreadError } from '../errors.ts';
import type { DicomJson, DicomJsonElement } from './dicomjson.ts';

/**
 * Typed reading of DICOM JSON (PS3.18 annex F), as a DICOMweb server sends it or `readHeader` makes it of a file. Tags are
 * eight upper-case hexadecimal digits. Each method gives undefined for an attribute that is absent or empty.
 */
export class JsonSet {
  constructor(private readonly json: DicomJson) {}

  has(tag: string): boolean {
    return this.json[tag] !== undefined;
  }

  strings(tag: string): readonly string[] | undefined {
    const values = this.values(tag)?.map(value => (value === null || value === undefined ? '' : String(value).trim()));
    return values?.some(value => value !== '') ? values : undefined;
  }

  string(tag: string): string | undefined {
    return this.strings(tag)?.[0] || undefined;
  }

  /** @throws OverreadError `input/inconsistent` for what is there and is no finite number: never a guess */
  numbers(tag: string, keyword: string): readonly number[] | undefined {
    const values = this.strings(tag);
    return values?.map(value => {
      const number = value === '' ? NaN : Number(value);
      if (Number.isFinite(number)) return number;
      throw new OverreadError('input/inconsistent', `${keyword} is "${values.join('\\')}"; expected finite numbers. Mend the attribute.`, { attribute: keyword, expected: 'finite numbers', got: values.join('\\') });
    });
  }

  number(tag: string, keyword: string): number | undefined {
    return this.numbers(tag, keyword)?.[0];
  }

  /** Like {@link numbers}, for attributes that an image can do without: what does not read is undefined. */
  optionalNumbers(tag: string): readonly number[] | undefined {
    const values = this.strings(tag)?.map(value => (value === '' ? NaN : Number(value)));
    return values?.every(Number.isFinite) ? values : undefined;
  }

  uint16(tag: string, index = 0): number | undefined {
    const value = this.values(tag)?.[index];
    const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
    return typeof number === 'number' && Number.isInteger(number) && number >= 0 ? number : undefined;
  }

  /** The items of a sequence; none when it is absent or empty. */
  items(tag: string): readonly JsonSet[] {
    return (this.values(tag) ?? []).map(item => new JsonSet((item ?? {}) as DicomJson));
  }

  private values(tag: string): readonly unknown[] | undefined {
    const element: DicomJsonElement | undefined = this.json[tag];
    return Array.isArray(element?.Value) && element.Value.length > 0 ? element.Value : undefined;
  }
}
