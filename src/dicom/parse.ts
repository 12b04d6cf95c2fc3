import { inflateSync } from 'fflate';
import { OverreadError } from '../errors.ts';
import { DataSet } from './data-set.ts';
import { readPart10 } from './elements.ts';
import {
  EXPLICIT_VR_BIG_ENDIAN, EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN,
} from './transfer-syntaxes.ts';

const PREAMBLE = 132;
/** Every explicit VR is two of these letters. */
const VR = /^(A[EST]|CS|D[AST]|F[LD]|IS|L[OT]|O[BDFLVW]|PN|S[HLQSTV]|TM|U[CILNRSTV])$/;
/** The sequences that we look into; in implicit VR nothing else says that they are ones. */
const SEQUENCES = new Set(['00283000', '00540220', '52009229', '52009230', '00209113', '00209116', '00289110', '00289145', '00089215', '0040072A']);
const vrOf = (tag: string): string => (SEQUENCES.has(tag) ? 'SQ' : 'UN');

const latin1 = (bytes: Uint8Array, from: number, to: number): string => String.fromCharCode(...bytes.subarray(from, to));
const u16 = (bytes: Uint8Array, at: number): number => (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
const hasPrefix = (bytes: Uint8Array): boolean => latin1(bytes, PREAMBLE - 4, PREAMBLE) === 'DICM';

/** True for a DICOM file: with its prefix, without a preamble, or a bare data set (ACR-NEMA files too). */
export function looksLikeDicom(bytes: Uint8Array): boolean {
  if (hasPrefix(bytes)) return true;
  if (bytes.length < 16) return false;
  const explicit = VR.test(latin1(bytes, 4, 6));
  const group = u16(bytes, 0);
  if (group === 0x0002 || group === 0x0008) return explicit || (u16(bytes, 2) <= 0x2000 && u16(bytes, 4) + u16(bytes, 6) * 65536 + 8 <= bytes.length);
  return explicit && group === 0x0800;
}

/** A data set and the transfer syntax that it was found to be in. */
export interface ParsedFile {
  readonly set: DataSet;
  readonly transferSyntaxUID: string;
}

/**
 * Parses a DICOM file: Part 10, or one that lacks its preamble or its meta information, in any transfer syntax. Where
 * the meta information and the first element disagree on explicit or implicit VR, the element is believed.
 * @throws OverreadError `input/unreadable` when it is no DICOM, `input/truncated` when it ends inside an element
 */
export function parseDicom(file: Uint8Array): ParsedFile {
  // Node's Buffer is a Uint8Array with other ideas of slice() and toString(): only a plain view goes further.
  const bytes = new Uint8Array(file.buffer, file.byteOffset, file.byteLength);
  if (!looksLikeDicom(bytes)) {
    throw new OverreadError('input/unreadable', `Expected a DICOM file, got one that starts with ${startOf(bytes)}. Choose another file.`, { expected: 'DICOM', got: startOf(bytes) });
  }
  const part10 = readPart10(asPart10(bytes), { vrOf, inflateRaw });
  return { set: new DataSet(part10.bytes, part10.littleEndian, part10.elements), transferSyntaxUID: part10.transferSyntaxUID };
}

/** The file with what it lacks put in front: preamble and prefix, or meta information for a bare data set. */
function asPart10(bytes: Uint8Array): Uint8Array {
  if (hasPrefix(bytes)) return bytes;
  const meta = u16(bytes, 0) === 0x0002 ? new Uint8Array(0) : transferSyntaxElement(guessTransferSyntax(bytes));
  const whole = new Uint8Array(PREAMBLE + meta.length + bytes.length);
  whole.set([0x44, 0x49, 0x43, 0x4d], PREAMBLE - 4);
  whole.set(meta, PREAMBLE);
  whole.set(bytes, PREAMBLE + meta.length);
  return whole;
}

function guessTransferSyntax(bytes: Uint8Array): string {
  if (!VR.test(latin1(bytes, 4, 6))) return IMPLICIT_VR_LITTLE_ENDIAN;
  return u16(bytes, 0) === 0x0800 ? EXPLICIT_VR_BIG_ENDIAN : EXPLICIT_VR_LITTLE_ENDIAN;
}

function transferSyntaxElement(uid: string): Uint8Array {
  const value = uid.length % 2 === 0 ? uid : `${uid}\0`;
  return Uint8Array.from([0x02, 0x00, 0x10, 0x00, 0x55, 0x49, value.length, 0, ...Array.from(value, (c) => c.charCodeAt(0))]);
}

/** Inflates a raw deflate stream (RFC 1951). @throws OverreadError `input/truncated` */
export function inflateRaw(deflated: Uint8Array): Uint8Array {
  try {
    return inflateSync(deflated);
  } catch (cause) {
    throw new OverreadError('input/truncated', 'The deflated data ends or breaks before its end. Fetch the file again.',
      { expected: 'a whole deflate stream', got: `${deflated.length} bytes` }, cause);
  }
}

/** The first bytes of a file, for messages. */
export function startOf(bytes: Uint8Array): string {
  if (bytes.length === 0) return 'nothing (0 bytes)';
  const head = bytes.subarray(0, 8);
  const hex = Array.from(head, (b) => b.toString(16).padStart(2, '0')).join(' ');
  const ascii = Array.from(head, (b) => (b > 31 && b < 127 ? String.fromCharCode(b) : '.')).join('');
  return `bytes ${hex} ("${ascii}")`;
}
