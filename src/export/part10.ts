import dcmjs from 'dcmjs';
import { OverreadError } from '../errors.ts';

/** What can stand under a keyword: DICOM values as plain JavaScript, a sequence as an array of objects. */
export type DicomValue = string | number | readonly (string | number)[] | ArrayBuffer | readonly DicomObject[] | undefined;

/** A data set by keyword, `{ PatientID: 'A1', Rows: 512 }`. What is undefined is left out; '' is written empty (type 2). */
export interface DicomObject {
  readonly [keyword: string]: DicomValue;
}

export const TransferSyntax = {
  explicitLittleEndian: '1.2.840.10008.1.2.1',
  jpegBaseline: '1.2.840.10008.1.2.4.50',
} as const;

/** Ours, for every object that we write. */
export const IMPLEMENTATION_CLASS_UID = '2.25.147329018846512387404910385162097364';
const IMPLEMENTATION_VERSION_NAME = 'OVERREAD';

/** Our own elements (PS3.5 7.8.1), by the keywords that we give them. */
export const PRIVATE_ELEMENTS: Readonly<Record<string, { readonly tag: string; readonly vr: string } | undefined>> = {
  OverreadPrivateCreator: { tag: '00710010', vr: 'LO' },
  /** A heat map in 256 steps from its lowest to its highest value, one byte a pixel, row by row. */
  OverreadMapLevels: { tag: '00711001', vr: 'OB' },
};

/** The part of dcmjs that writes. */
interface DcmjsWriter {
  readonly DicomMetaDictionary: {
    readonly nameMap: Readonly<Record<string, { readonly tag: string; readonly vr: string } | undefined>>;
    denaturalizeDataset(dataset: Record<string, unknown>): Record<string, unknown>;
  };
  readonly DicomDict: new (meta: Record<string, unknown>) => { dict: Record<string, unknown>; write(options?: object): ArrayBuffer };
}
const { DicomMetaDictionary, DicomDict } = dcmjs.data as unknown as DcmjsWriter;

/**
 * A DICOM Part 10 file: preamble, file meta information, data set in Explicit VR Little Endian.
 * @param dataset with `SOPClassUID`, `SOPInstanceUID`; `PixelData`, where it has one, as an ArrayBuffer of native
 *   pixels (16 bits little-endian)
 * @throws OverreadError `internal` for a keyword that DICOM does not have
 */
export function encodePart10(dataset: DicomObject, transferSyntaxUID: string = TransferSyntax.explicitLittleEndian): Uint8Array {
  const file = new DicomDict(denaturalise({
    FileMetaInformationVersion: new Uint8Array([0, 1]).buffer,
    MediaStorageSOPClassUID: dataset.SOPClassUID,
    MediaStorageSOPInstanceUID: dataset.SOPInstanceUID,
    TransferSyntaxUID: transferSyntaxUID,
    ImplementationClassUID: IMPLEMENTATION_CLASS_UID,
    ImplementationVersionName: IMPLEMENTATION_VERSION_NAME,
  }));
  file.dict = denaturalise({ SpecificCharacterSet: 'ISO_IR 192', ...dataset });
  return new Uint8Array(file.write({ allowInvalidVRLength: false, fragmentMultiframe: false }));
}

function denaturalise(object: DicomObject): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  const vrMap: Record<string, string> = {};
  const ours: Record<string, unknown> = {};
  const bits = object.BitsAllocated;
  for (const [keyword, value] of Object.entries(object)) {
    if (value === undefined) continue;
    const own = PRIVATE_ELEMENTS[keyword];
    if (own) {
      ours[own.tag] = { vr: own.vr, Value: [value] };
      continue;
    }
    const entry = DicomMetaDictionary.nameMap[keyword];
    if (!entry) throw new OverreadError('internal', `'${keyword}' is no DICOM keyword.`, { got: keyword });
    if (keyword === 'PixelData') vrMap[keyword] = (bits as number) <= 8 ? 'OB' : 'OW';
    else if (entry.vr === 'ox') vrMap[keyword] = 'OW';
    else if (entry.vr === 'xs') vrMap[keyword] = object.PixelRepresentation === 1 ? 'SS' : 'US';
    out[keyword] = plain(value, entry.vr);
  }
  return { ...DicomMetaDictionary.denaturalizeDataset({ ...out, _vrMap: vrMap }), ...ours };
}

function plain(value: Exclude<DicomValue, undefined>, vr: string): unknown {
  if (vr === 'SQ') return (value as readonly DicomObject[]).map(withoutUndefined);
  if (value instanceof ArrayBuffer) return [value];
  if (vr === 'DS') return Array.isArray(value) ? value.map(decimalString) : decimalString(value as number | string);
  if (vr === 'IS') return Array.isArray(value) ? value.map(String) : String(value);
  return value;
}

function withoutUndefined(item: DicomObject): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const [keyword, value] of Object.entries(item)) {
    const entry = DicomMetaDictionary.nameMap[keyword];
    if (!entry) throw new OverreadError('internal', `'${keyword}' is no DICOM keyword.`, { got: keyword });
    if (value !== undefined) out[keyword] = plain(value, entry.vr);
  }
  return out;
}

/** A number as a DS: at most 16 characters, as many digits as fit. */
export function decimalString(value: number | string): string {
  if (typeof value === 'string') return value;
  if (!Number.isFinite(value)) throw new OverreadError('internal', `A decimal string must be finite, got ${value}.`, { got: value });
  const text = String(value);
  if (text.length <= 16) return text;
  for (let digits = 15; digits > 0; digits--) {
    const shorter = String(Number(value.toPrecision(digits)));
    if (shorter.length <= 16) return shorter;
    const exponential = value.toExponential(digits - 1);
    if (exponential.length <= 16) return exponential;
  }
  return value.toExponential(8);
}
