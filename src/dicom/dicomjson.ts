/**
 * DICOM JSON Model (PS3.18 annex F) of a Part 10 file, with what a DICOMweb server needs to answer from the file
 * itself: where its frames and its large values lie.
 */
import dcmjs from 'dcmjs';
import { OverreadError } from '../errors.ts';
import { decodeText } from './charset.ts';
import { asciiOf, readPart10, type ByteRange, type DicomElement, type Part10 } from './elements.ts';

export interface DicomJsonElement {
  vr: string;
  Value?: unknown[];
  InlineBinary?: string;
  BulkDataURI?: string;
}
export type DicomJson = Record<string, DicomJsonElement>;

/** Frames as they lie in the file (or in its inflated form). */
export type PixelLayout =
  | { readonly kind: 'native'; readonly offset: number; readonly length: number; readonly frames: number; readonly bitsPerFrame: number }
  | { readonly kind: 'encapsulated'; readonly frames: readonly (readonly ByteRange[])[] };

export interface DicomInstance {
  readonly transferSyntaxUID: string;
  readonly deflated: boolean;
  readonly studyInstanceUID: string;
  readonly seriesInstanceUID: string;
  readonly sopInstanceUID: string;
  readonly sopClassUID: string;
  /** Values over {@link INLINE_LIMIT} bytes have a BulkDataURI relative to the instance, `bulkdata/PATH`. */
  readonly dataset: DicomJson;
  /** PATH → range: the tag, or sequence tag / item index from 1 / tag. */
  readonly bulk: Readonly<Record<string, ByteRange>>;
  readonly pixels?: PixelLayout;
}

/** Larger binary values are left out of the metadata; look-up tables (0028,12xx) are always in it, viewers need them. */
export const INLINE_LIMIT = 1024;
const PIXEL_TAGS = ['7FE00010', '7FE00008', '7FE00009'] as const;

const { dictionary, nameMap } = dcmjs.data.DicomMetaDictionary;

/** VR of a tag by the dictionary; `UN` for what it does not know. */
export function vrOfTag(tag: string): string {
  if (tag.endsWith('0000')) return 'UL';
  const group = Number.parseInt(tag.slice(0, 4), 16);
  const element = tag.slice(4);
  if (group % 2 === 1) return /^00[1-9A-F][0-9A-F]$/.test(element) ? 'LO' : 'UN';
  // Overlays and curves repeat in the even groups 60xx and 50xx.
  const row = (group & 0xff00) === 0x6000 ? '6000' : (group & 0xff00) === 0x5000 ? '5000' : tag.slice(0, 4);
  const vr = dictionary[`(${row},${element})`]?.vr ?? 'UN';
  if (vr === 'xs') return 'US';
  if (vr === 'ox') return 'OW';
  return /^[A-Z]{2}$/.test(vr) ? vr : 'UN';
}

/** Tag of a keyword (`PatientName`), or of eight hexadecimal digits; undefined for neither. */
export function tagOfKeyword(name: string): string | undefined {
  if (/^[0-9A-Fa-f]{8}$/.test(name)) return name.toUpperCase();
  const tag = Object.hasOwn(nameMap, name) ? nameMap[name]?.tag.replace(/[(),]/g, '') : undefined;
  return tag && /^[0-9A-F]{8}$/i.test(tag) ? tag.toUpperCase() : undefined;
}

/**
 * @param inflateRaw for deflated files
 * @throws OverreadError `input/unreadable`, `input/truncated` (also when the pixel data is shorter than its attributes
 *   promise), `input/inconsistent` when an identifying UID is missing
 */
export function readInstance(file: Uint8Array, inflateRaw?: (bytes: Uint8Array) => Uint8Array): DicomInstance {
  const part10 = readPart10(file, { vrOf: vrOfTag, ...(inflateRaw && { inflateRaw }) });
  const bulk: Record<string, ByteRange> = {};
  const dataset = toJson(part10.elements, { part10, bulk, path: '', terms: [], signed: false });
  const uid = (tag: string, name: string): string => {
    const value = dataset[tag]?.Value?.[0];
    if (typeof value === 'string' && /^(?=.{1,64}$)\d+(\.\d+)*$/.test(value)) return value;
    throw new OverreadError('input/inconsistent', `Expected a ${name}, got ${value === undefined ? 'none' : JSON.stringify(value)}.`,
      { expected: name, got: value });
  };
  const identity = {
    studyInstanceUID: uid('0020000D', 'Study Instance UID (0020,000D)'),
    seriesInstanceUID: uid('0020000E', 'Series Instance UID (0020,000E)'),
    sopInstanceUID: uid('00080018', 'SOP Instance UID (0008,0018)'),
    sopClassUID: uid('00080016', 'SOP Class UID (0008,0016)'),
  };
  const pixelElement = part10.elements.find((e) => (PIXEL_TAGS as readonly string[]).includes(e.tag));
  // A file that was cut where an element ends is well-formed: an image without its pixels gives it away.
  if (!pixelElement && ['00280002', '00280004', '00280010'].some((tag) => dataset[tag]?.Value) && !dataset['00287FE0']) {
    throw new OverreadError('input/truncated', 'The object describes an image (group 0028) and has no pixel data. Send the whole file.',
      { expected: 'Pixel Data (7FE0,0010)', got: 'none' });
  }
  const pixels = pixelElement && pixelLayout(pixelElement, dataset, part10);
  dataset['00083002'] = { vr: 'UI', Value: [part10.transferSyntaxUID] };
  return { transferSyntaxUID: part10.transferSyntaxUID, deflated: part10.deflated, ...identity, dataset, bulk, ...(pixels && { pixels }) };
}

/** DICOM JSON of what {@link readPart10} read; values over {@link INLINE_LIMIT} bytes are left out. */
export function jsonOf(part10: Part10): DicomJson {
  const json = toJson(part10.elements, { part10, bulk: {}, path: '', terms: [], signed: false });
  json['00083002'] = { vr: 'UI', Value: [part10.transferSyntaxUID] };
  return json;
}

interface Scope {
  readonly part10: Part10;
  readonly bulk: Record<string, ByteRange>;
  readonly path: string;
  /** Specific Character Set, inherited by items. */
  readonly terms: readonly string[];
  /** Pixel Representation: US or SS where the file does not say. */
  readonly signed: boolean;
}

const BINARY = new Set(['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'UN']);
const NUMBERS: Readonly<Record<string, readonly [bytes: number, read: (view: DataView, at: number, le: boolean) => number | bigint]>> = {
  US: [2, (v, i, le) => v.getUint16(i, le)], SS: [2, (v, i, le) => v.getInt16(i, le)],
  UL: [4, (v, i, le) => v.getUint32(i, le)], SL: [4, (v, i, le) => v.getInt32(i, le)],
  UV: [8, (v, i, le) => v.getBigUint64(i, le)], SV: [8, (v, i, le) => v.getBigInt64(i, le)],
  FL: [4, (v, i, le) => v.getFloat32(i, le)], FD: [8, (v, i, le) => v.getFloat64(i, le)],
};

function toJson(elements: readonly DicomElement[], outer: Scope): DicomJson {
  const { bytes, littleEndian } = outer.part10;
  const charset = elements.find((e) => e.tag === '00080005');
  const representation = elements.find((e) => e.tag === '00280103' && e.length >= 2);
  const scope: Scope = {
    ...outer,
    terms: charset ? asciiOf(bytes, charset).split('\\').map((t) => t.trim()) : outer.terms,
    signed: representation ? bytes[representation.offset + (littleEndian ? 0 : 1)] === 1 : outer.signed,
  };
  const json: DicomJson = {};
  for (const element of elements) {
    // Group lengths and padding say nothing about the object.
    if (element.tag.endsWith('0000') || element.tag === 'FFFCFFFC') continue;
    json[element.tag] = elementJson(element, scope);
  }
  // What we give out is UTF-8.
  if (charset) json['00080005'] = { vr: 'CS', Value: ['ISO_IR 192'] };
  return json;
}

function elementJson(element: DicomElement, scope: Scope): DicomJsonElement {
  const { tag, length } = element;
  const { bytes } = scope.part10;
  const path = scope.path + tag;
  if (element.items) {
    const items = element.items.map((item, i) => toJson(item, { ...scope, path: `${path}/${i + 1}/` }));
    return items.length ? { vr: 'SQ', Value: items } : { vr: 'SQ' };
  }
  const vr = vrFor(element, scope);
  if (length === 0 && !element.fragments) return { vr };
  const value = bytes.subarray(element.offset, element.offset + length);
  if (BINARY.has(vr)) {
    const pixels = (PIXEL_TAGS as readonly string[]).includes(tag);
    if (!pixels && !element.fragments && (length <= INLINE_LIMIT || /^002812/.test(tag))) return { vr, InlineBinary: base64(value) };
    scope.bulk[path] = [element.offset, length];
    return { vr, BulkDataURI: `bulkdata/${path}` };
  }
  if (NUMBERS[vr]) return { vr, Value: numbersOf(value, vr, scope.part10.littleEndian) };
  if (vr === 'AT') return { vr, Value: attributeTags(value, scope.part10.littleEndian) };
  return textJson(vr, value, scope.terms);
}

/** The dictionary knows better than UN; and US or SS follows the sign of the pixels where the VR was not written. */
function vrFor({ tag, vr, length }: DicomElement, { signed }: Scope): string {
  if (vr === 'UN' && length <= 0xffff) {
    const known = vrOfTag(tag);
    if (known !== 'SQ' && !BINARY.has(known)) return known;
  }
  if (vr === 'US' && signed && dictionary[`(${tag.slice(0, 4)},${tag.slice(4)})`]?.vr === 'xs') return 'SS';
  return vr;
}

function numbersOf(bytes: Uint8Array, vr: string, littleEndian: boolean): unknown[] {
  const [size, read] = NUMBERS[vr]!;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: Math.floor(bytes.length / size) }, (_, i) => {
    const value = read(view, i * size, littleEndian);
    if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
    return Number.isFinite(value) ? value : Number.isNaN(value) ? 'NaN' : value > 0 ? 'inf' : '-inf';
  });
}

function attributeTags(bytes: Uint8Array, littleEndian: boolean): string[] {
  const words = numbersOf(bytes, 'US', littleEndian) as number[];
  const hex = (n: number | undefined) => (n ?? 0).toString(16).toUpperCase().padStart(4, '0');
  return Array.from({ length: words.length >> 1 }, (_, i) => hex(words[2 * i]) + hex(words[2 * i + 1]));
}

const ONE_VALUE = new Set(['LT', 'ST', 'UT', 'UR']);
const BY_CHARSET = new Set(['LO', 'LT', 'PN', 'SH', 'ST', 'UC', 'UT']);

function textJson(vr: string, bytes: Uint8Array, terms: readonly string[]): DicomJsonElement {
  const text = decodeText(bytes, BY_CHARSET.has(vr) ? terms : []);
  if (ONE_VALUE.has(vr)) {
    const value = text.replace(/[\0 ]+$/, '');
    return value ? { vr, Value: [value] } : { vr };
  }
  const values = text.split('\\').map((v) => v.replace(/^ +|[\0 ]+$/g, ''));
  if (values.every((v) => v === '')) return { vr };
  return { vr, Value: values.map((v) => (v === '' ? null : vr === 'PN' ? personName(v) : vr === 'DS' || vr === 'IS' ? number(v) : v)) };
}

function number(text: string): number | string {
  const value = Number(text);
  return Number.isFinite(value) ? value : text;
}

function personName(text: string): Record<string, string> {
  const names = text.split('=').map((group) => group.replace(/[\^ ]+$/, ''));
  const groups = ['Alphabetic', 'Ideographic', 'Phonetic'] as const;
  return Object.fromEntries(groups.flatMap((group, i) => (names[i] ? [[group, names[i]]] : [])));
}

function base64(bytes: Uint8Array): string {
  let binary = '';
  for (let i = 0; i < bytes.length; i += 0x8000) binary += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  return btoa(binary);
}

function pixelLayout(element: DicomElement, dataset: DicomJson, { bytes }: Part10): PixelLayout {
  const value = (tag: string): number => Number(dataset[tag]?.Value?.[0] ?? 0);
  const frames = value('00280008') || 1;
  if (element.fragments) return { kind: 'encapsulated', frames: encapsulatedFrames(element, frames, bytes) };
  const samples = value('00280002') || 1;
  // Native 4:2:2 keeps two chroma samples for each pair of pixels.
  const subsampled = dataset['00280004']?.Value?.[0] === 'YBR_FULL_422' ? 2 / 3 : 1;
  const allocated = element.tag === '7FE00010' ? value('00280100') : element.tag === '7FE00008' ? 32 : 64;
  const pixelBits = value('00280010') * value('00280011') * samples * allocated;
  let bitsPerFrame = pixelBits * subsampled;
  // Some writers say YBR_FULL_422 and store every sample.
  if (subsampled !== 1 && element.length >= (pixelBits * frames) / 8) bitsPerFrame = pixelBits;
  const expected = Math.ceil((bitsPerFrame * frames) / 8);
  if (expected > element.length) {
    throw new OverreadError('input/truncated',
      `The pixel data is shorter than its attributes promise: expected ${expected} bytes, got ${element.length}.`, { expected, got: element.length });
  }
  return { kind: 'native', offset: element.offset, length: element.length, frames, bitsPerFrame };
}

/** Fragments to frames: by the offset table, one to one, all in one, or by JPEG's end-of-image markers. */
function encapsulatedFrames(element: DicomElement, frames: number, bytes: Uint8Array): ByteRange[][] {
  const fragments = element.fragments!;
  const table = element.offsetTable!;
  if (fragments.length < frames && !(fragments.length === 0 && frames === 1)) {
    throw new OverreadError('input/truncated', `Expected pixel data fragments for ${frames} frames, got ${fragments.length}.`,
      { expected: frames, got: fragments.length });
  }
  if (fragments.length === frames) return fragments.map((f) => [f]);
  if (frames === 1) return [[...fragments]];
  if (table.length === frames) {
    const first = fragments[0]![0] - 8;
    const starts = table.map((offset) => fragments.findIndex(([at]) => at - 8 - first === offset));
    if (starts[0] === 0 && starts.every((s, i) => s >= 0 && (i === 0 || s > starts[i - 1]!))) {
      return starts.map((s, i) => fragments.slice(s, starts[i + 1] ?? fragments.length));
    }
  }
  const groups: ByteRange[][] = [[]];
  for (const fragment of fragments) {
    groups.at(-1)!.push(fragment);
    if (endsImage(bytes, fragment)) groups.push([]);
  }
  if (groups.at(-1)!.length === 0) groups.pop();
  if (groups.length === frames) return groups;
  throw new OverreadError('input/inconsistent',
    `Expected a way to tell ${frames} frames in ${fragments.length} fragments (an offset table, or JPEG end markers), found none.`,
    { expected: frames, got: fragments.length });
}

/** A JPEG, JPEG-LS or JPEG 2000 code stream ends with FFD9, with at most one byte of padding. */
function endsImage(bytes: Uint8Array, [offset, length]: ByteRange): boolean {
  const end = offset + length;
  return [end - 2, end - 3].some((i) => i > offset && bytes[i] === 0xff && bytes[i + 1] === 0xd9);
}
