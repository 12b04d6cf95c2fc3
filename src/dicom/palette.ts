import { OverreadError } from '../errors.ts';
import type { DataSet } from './data-set.ts';

/** Palette Color Lookup Table module (PS3.3 C.7.9): stored value → colour, each channel 0..255. */
export interface Palette {
  /** The stored value of the first entry; the ends hold beyond the table. */
  readonly first: number;
  readonly red: Float32Array;
  readonly green: Float32Array;
  readonly blue: Float32Array;
}

/** @throws OverreadError `input/inconsistent` when a table is missing or short, `input/unsupported-pixels` when segmented */
export function paletteOf(set: DataSet, signed: boolean): Palette {
  const tables = ['1', '2', '3'].map((n) => entriesOf(set, `0028110${n}`, `0028120${n}`, `0028122${n}`));
  // Entries are 8 or 16 bits wide; some writers declare one and fill the other, so the values decide.
  const wide = tables.some((t) => t.some((v) => v > 255));
  const [red, green, blue] = tables.map((t) => Float32Array.from(t, (v) => (wide ? (v * 255) / 65535 : v)));
  return { first: set.pixelValue('00281101', signed, 1) ?? 0, red: red!, green: green!, blue: blue! };
}

function entriesOf(set: DataSet, descriptor: string, data: string, segmented: string): Uint8Array | Uint16Array {
  if (!set.has(data) && set.has(segmented)) {
    throw new OverreadError('input/unsupported-pixels', 'The palette is a segmented one; expected plain lookup tables (0028,1201). Convert the file to RGB.',
      { expected: 'palette lookup tables', got: 'segmented palette' });
  }
  const count = set.uint16(descriptor);
  const entries = count === 0 ? 65536 : count;
  const bytes = set.bytesOf(data);
  if (entries === undefined || !bytes || bytes.length < entries) {
    throw new OverreadError('input/inconsistent', `A PALETTE COLOR image needs its three tables; got one of ${bytes?.length ?? 0} bytes for ${entries ?? 'no'} entries. Mend the file.`,
      { expected: entries, got: bytes?.length ?? 0 });
  }
  // 8-bit entries are packed two to a word, unless each has a word of its own.
  return bytes.length < entries * 2 ? bytes.subarray(0, entries) : set.words(data)!.subarray(0, entries);
}
