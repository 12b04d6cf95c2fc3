/** What the head of a JPEG (or JPEG-LS) stream says of its image; ITU-T T.81 B.2. */
export interface JpegHeader {
  readonly columns: number;
  readonly rows: number;
  readonly components: number;
  readonly precision: number;
  /** Sequential, progressive or lossless Huffman; JPEG-LS. */
  readonly process: 'baseline' | 'extended' | 'progressive' | 'lossless' | 'jpeg-ls' | 'other';
  readonly jfif: boolean;
  /** Adobe's colour transform: 0 none (RGB), 1 YCbCr, 2 YCCK. */
  readonly adobeTransform?: number;
  /** The components are called 'R', 'G', 'B'. */
  readonly namedRGB: boolean;
  /** EXIF orientation 1..8. */
  readonly orientation?: number;
}

const PROCESS: Readonly<Record<number, JpegHeader['process']>> = { 0xc0: 'baseline', 0xc1: 'extended', 0xc2: 'progressive', 0xc3: 'lossless', 0xf7: 'jpeg-ls' };

/** Undefined when the bytes are no JPEG or end before the frame header. */
export function jpegHeader(bytes: Uint8Array): JpegHeader | undefined {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return undefined;
  const u16 = (at: number) => (bytes[at]! << 8) | bytes[at + 1]!;
  let jfif = false;
  let adobeTransform: number | undefined;
  let orientation: number | undefined;
  for (let at = 2; at + 9 < bytes.length;) {
    if (bytes[at] !== 0xff) return undefined;
    const marker = bytes[at + 1]!;
    if (marker === 0xff) { at++; continue; } // fill byte
    const length = u16(at + 2);
    const body = at + 4;
    const says = (text: string) => [...text].every((c, i) => bytes[body + i] === c.charCodeAt(0));
    if (marker === 0xe0 && says('JFIF')) jfif = true;
    if (marker === 0xee && says('Adobe')) adobeTransform = bytes[body + 11];
    if (marker === 0xe1 && says('Exif\0\0')) orientation ??= exifOrientation(bytes.subarray(body + 6, at + 2 + length));
    const frame = (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc) || marker === 0xf7;
    if (frame) {
      const components = bytes[body + 5]!;
      const id = (i: number) => bytes[body + 6 + 3 * i];
      return {
        precision: bytes[body]!, rows: u16(body + 1), columns: u16(body + 3), components,
        process: PROCESS[marker] ?? 'other', jfif, adobeTransform, orientation,
        namedRGB: components === 3 && id(0) === 0x52 && id(1) === 0x47 && id(2) === 0x42,
      };
    }
    at += 2 + length;
  }
  return undefined;
}

/** Tag 0x0112 of the first directory of a TIFF block. */
function exifOrientation(tiff: Uint8Array): number | undefined {
  if (tiff.length < 14) return undefined;
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  const little = view.getUint16(0) === 0x4949;
  const directory = view.getUint32(4, little);
  if (directory + 2 > tiff.length) return undefined;
  const count = view.getUint16(directory, little);
  for (let i = 0; i < count && directory + 2 + 12 * (i + 1) <= tiff.length; i++) {
    const entry = directory + 2 + 12 * i;
    if (view.getUint16(entry, little) === 0x0112) return view.getUint16(entry + 8, little);
  }
  return undefined;
}

/** What the SIZ marker of a JPEG 2000 code stream says of its first component; ISO 15444-1 A.5.1. */
export interface Jpeg2000Header {
  readonly columns: number;
  readonly rows: number;
  readonly components: number;
  readonly precision: number;
  readonly signed: boolean;
}

/** Undefined when the bytes are no bare JPEG 2000 code stream. */
export function jpeg2000Header(bytes: Uint8Array): Jpeg2000Header | undefined {
  if (bytes.length < 43 || bytes[0] !== 0xff || bytes[1] !== 0x4f || bytes[2] !== 0xff || bytes[3] !== 0x51) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const depth = bytes[42]!;
  return {
    columns: view.getUint32(8) - view.getUint32(16),
    rows: view.getUint32(12) - view.getUint32(20),
    components: view.getUint16(40),
    precision: (depth & 0x7f) + 1,
    signed: depth >= 0x80,
  };
}

/** Writers pad a stream, some with garbage. */
const LONGEST_PADDING = 64;

/**
 * True when the stream has its end marker (FFD9: EOI, EOC), padding aside. The marker cannot occur inside coded data, so
 * a stream without it was cut off, which decoders take for a grey rest.
 */
export function hasEndMarker(bytes: Uint8Array): boolean {
  for (let i = bytes.length - 2; i >= Math.max(0, bytes.length - 2 - LONGEST_PADDING); i--) {
    if (bytes[i] === 0xff && bytes[i + 1] === 0xd9) return true;
  }
  return false;
}
