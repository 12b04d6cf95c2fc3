/** Writes Part 10 files, element by element: independent of what reads them. Explicit VR Little Endian unless said. */
export type Value = string | number | Uint8Array | readonly Element[][] | { readonly fragments: readonly Uint8Array[]; readonly offsets?: readonly number[] };
export type Element = readonly [tag: string, vr: string, value: Value];

const LONG = new Set(['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'SQ', 'SV', 'UC', 'UN', 'UR', 'UT', 'UV']);

function bytesOf(vr: string, value: Value): Buffer {
  if (value instanceof Uint8Array) return Buffer.from(value);
  if (typeof value === 'number') {
    const out = Buffer.alloc(vr === 'US' || vr === 'SS' ? 2 : 4);
    if (vr === 'US') out.writeUInt16LE(value);
    else if (vr === 'SS') out.writeInt16LE(value);
    else if (vr === 'FL') out.writeFloatLE(value);
    else out.writeUInt32LE(value);
    return out;
  }
  if (typeof value === 'string') return pad(Buffer.from(value, 'utf8'), vr === 'UI' ? 0 : 0x20);
  throw new Error('not a plain value');
}

const pad = (bytes: Buffer, filler: number): Buffer => (bytes.length % 2 ? Buffer.concat([bytes, Buffer.from([filler])]) : bytes);

function tagBytes(tag: string): Buffer {
  const out = Buffer.alloc(4);
  out.writeUInt16LE(Number.parseInt(tag.slice(0, 4), 16), 0);
  out.writeUInt16LE(Number.parseInt(tag.slice(4), 16), 2);
  return out;
}

function withLength(tag: string, body: Buffer, length = body.length): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32LE(length);
  return Buffer.concat([tagBytes(tag), size, body]);
}

function write([tag, vr, value]: Element): Buffer {
  if (Array.isArray(value)) {
    const items = (value as readonly Element[][]).map((item) => withLength('FFFEE000', Buffer.concat(item.map(write))));
    return header(tag, vr, Buffer.concat(items));
  }
  if (typeof value === 'object' && 'fragments' in value) {
    const table = Buffer.alloc(4 * (value.offsets?.length ?? 0));
    value.offsets?.forEach((offset, i) => table.writeUInt32LE(offset, 4 * i));
    const items = [table, ...value.fragments].map((fragment) => withLength('FFFEE000', Buffer.from(fragment)));
    return header(tag, vr, Buffer.concat([...items, withLength('FFFEE0DD', Buffer.alloc(0))]), 0xffffffff);
  }
  return header(tag, vr, pad(bytesOf(vr, value as Value), 0));
}

function header(tag: string, vr: string, body: Buffer, length = body.length): Buffer {
  const head = Buffer.alloc(LONG.has(vr) ? 8 : 4);
  head.write(vr, 'latin1');
  if (LONG.has(vr)) head.writeUInt32LE(length, 4);
  else head.writeUInt16LE(length, 2);
  return Buffer.concat([tagBytes(tag), head, body]);
}

export const EXPLICIT = '1.2.840.10008.1.2.1';

export function part10(elements: readonly Element[], transferSyntaxUID = EXPLICIT): Buffer {
  const meta: Element[] = [['00020001', 'OB', Uint8Array.of(0, 1)], ['00020010', 'UI', transferSyntaxUID]];
  return Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), ...meta.map(write), ...elements.map(write)]);
}

export interface InstanceOptions {
  readonly study?: string;
  readonly series?: string;
  readonly sop?: string;
  readonly name?: string;
  readonly id?: string;
  readonly date?: string;
  readonly modality?: string;
  readonly more?: readonly Element[];
  readonly transferSyntaxUID?: string;
  readonly rows?: number;
  readonly columns?: number;
  readonly frames?: number;
  readonly bits?: number;
  readonly pixels?: Value;
}

/** A small image object, 2 × 3 pixels of one byte unless said. */
export function instance(options: InstanceOptions = {}): Buffer {
  const { study = '1.2.3', series = '1.2.3.1', sop = '1.2.3.1.1', name = 'Doe^Jane', id = 'P1', date = '20240105', modality = 'DX', bits = 8,
    rows = 2, columns = 3, frames = 1, pixels = Uint8Array.of(1, 2, 3, 4, 5, 6), more = [], transferSyntaxUID } = options;
  const elements: Element[] = [
    ['00080005', 'CS', 'ISO_IR 192'], ['00080016', 'UI', '1.2.840.10008.5.1.4.1.1.7'], ['00080018', 'UI', sop], ['00080020', 'DA', date],
    ['00080030', 'TM', '101500'], ['00080060', 'CS', modality], ['00100010', 'PN', name], ['00100020', 'LO', id],
    ['0020000D', 'UI', study], ['0020000E', 'UI', series], ['00280002', 'US', 1], ['00280004', 'CS', 'MONOCHROME2'],
    ['00280008', 'IS', String(frames)], ['00280010', 'US', rows], ['00280011', 'US', columns], ['00280100', 'US', bits],
    ['00280101', 'US', bits], ['00280102', 'US', bits - 1], ['00280103', 'US', 0], ['7FE00010', bits === 16 ? 'OW' : 'OB', pixels],
  ];
  const all = [...more, ...elements.filter(([tag]) => !more.some(([other]) => other === tag))].sort(([a], [b]) => (a < b ? -1 : 1));
  return part10(all, transferSyntaxUID);
}
