/** What the head of a JPEG (or JPEG-LS) stream says of its image; ITU-T T.81 B.2. */
export interface JpegHeader {
  readonly columns: number;
  readonly rows: number;
  readonly components: number;
  readonly precision: number;
  /** Coded by a cosine transform; else lossless or JPEG-LS. */
  readonly lossy: boolean;
  /**
   * What three components are, where the stream says so: by its Adobe marker, its JFIF marker, the names of its components
   * (R, G, B; or 1, 2, 3, which libjpeg takes for YCbCr), or by chrominance of lower resolution.
   */
  readonly colour?: 'RGB' | 'YCbCr';
  /** EXIF orientation 1..8. */
  readonly orientation?: number;
  /** Components of the first scan: 1 of 3 when they are coded one after the other. */
  readonly scanComponents?: number;
}

interface Frame extends Pick<JpegHeader, 'columns' | 'rows' | 'components' | 'precision' | 'lossy'> {
  readonly ids: readonly number[];
  readonly subsampled: boolean;
}

/** Undefined when the bytes are no JPEG or end before the frame header. */
export function jpegHeader(bytes: Uint8Array): JpegHeader | undefined {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return undefined;
  const u16 = (at: number) => (bytes[at]! << 8) | bytes[at + 1]!;
  let jfif = false;
  let adobe: number | undefined;
  let orientation: number | undefined;
  let scanComponents: number | undefined;
  let frame: Frame | undefined;
  for (let at = 2; at + 4 < bytes.length && bytes[at] === 0xff;) {
    const marker = bytes[at + 1]!;
    if (marker === 0xff) { at++; continue; } // fill byte
    const length = u16(at + 2);
    const body = at + 4;
    const says = (text: string) => [...text].every((c, i) => bytes[body + i] === c.charCodeAt(0));
    if (marker === 0xe0 && says('JFIF')) jfif = true;
    if (marker === 0xee && length >= 14 && says('Adobe')) adobe = bytes[body + 11];
    if (marker === 0xe1 && says('Exif\0\0')) orientation ??= exifOrientation(bytes.subarray(body + 6, at + 2 + length));
    if (isFrame(marker)) frame ??= frameHeader(bytes, body, marker);
    if (marker === 0xda) { // start of scan: coded data follow
      scanComponents = bytes[body];
      break;
    }
    at += 2 + length;
  }
  if (!frame || frame.components === 0) return undefined;
  const { ids, subsampled, ...header } = frame;
  const colour = frame.components === 3 ? colourOf(ids, subsampled, jfif, adobe) : undefined;
  return { ...header, scanComponents, ...(colour && { colour }), ...(orientation !== undefined && { orientation }) };
}

/** SOF0 to SOF15 but DHT, JPG and DAC; SOF55 of JPEG-LS. */
const isFrame = (marker: number): boolean =>
  (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc) || marker === 0xf7;

/** SOF3, 7, 11, 15 are the lossless processes. */
const isLossless = (marker: number): boolean => marker === 0xf7 || (marker & 3) === 3;

function frameHeader(bytes: Uint8Array, body: number, marker: number): Frame {
  const components = bytes[body + 5] ?? 0;
  const of = (offset: number) => Array.from({ length: components }, (_, i) => bytes[body + 6 + 3 * i + offset] ?? 0);
  return {
    precision: bytes[body]!,
    rows: (bytes[body + 1]! << 8) | bytes[body + 2]!,
    columns: (bytes[body + 3]! << 8) | bytes[body + 4]!,
    components,
    lossy: !isLossless(marker),
    ids: of(0),
    subsampled: of(1).some((factors) => factors !== 0x11),
  };
}

function colourOf(ids: readonly number[], subsampled: boolean, jfif: boolean, adobe: number | undefined): JpegHeader['colour'] {
  if (adobe !== undefined) return adobe === 0 ? 'RGB' : 'YCbCr';
  const names = String.fromCharCode(...ids);
  if (jfif || subsampled || names === '\x01\x02\x03') return 'YCbCr';
  return names === 'RGB' ? 'RGB' : undefined;
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
