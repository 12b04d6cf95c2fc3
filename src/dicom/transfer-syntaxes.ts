import { OverreadError } from '../errors.ts';

/** How the pixel data of a transfer syntax is coded; one codec family each. */
export type PixelCoding = 'native' | 'rle' | 'jpeg' | 'jpeg-ls' | 'jpeg2000' | 'htj2k' | 'deflated-frames';

export interface TransferSyntax {
  readonly name: string;
  readonly coding: PixelCoding;
  /** The data set is explicit VR unless this is set. */
  readonly implicit?: true;
  /** Data set and pixels are big endian. */
  readonly bigEndian?: true;
  /** Only the pixels are big endian. */
  readonly bigEndianPixels?: true;
  /** Decoded values may leave the stored range. */
  readonly lossy?: true;
  /** The whole data set after the file meta information is deflated. */
  readonly deflated?: true;
}

export const IMPLICIT_VR_LITTLE_ENDIAN = '1.2.840.10008.1.2';
export const EXPLICIT_VR_LITTLE_ENDIAN = '1.2.840.10008.1.2.1';
export const EXPLICIT_VR_BIG_ENDIAN = '1.2.840.10008.1.2.2';
export const ENCAPSULATED_UNCOMPRESSED = '1.2.840.10008.1.2.1.98';

/** What we read (PS3.6, table A-1): what OHIF's loader reads and, since the codec has them, the retired JPEG processes. */
export const TRANSFER_SYNTAXES: Readonly<Record<string, TransferSyntax>> = {
  [IMPLICIT_VR_LITTLE_ENDIAN]: { name: 'Implicit VR Little Endian', coding: 'native', implicit: true },
  [EXPLICIT_VR_LITTLE_ENDIAN]: { name: 'Explicit VR Little Endian', coding: 'native' },
  [EXPLICIT_VR_BIG_ENDIAN]: { name: 'Explicit VR Big Endian', coding: 'native', bigEndian: true },
  '1.2.840.10008.1.2.1.99': { name: 'Deflated Explicit VR Little Endian', coding: 'native', deflated: true },
  [ENCAPSULATED_UNCOMPRESSED]: { name: 'Encapsulated Uncompressed Explicit VR Little Endian', coding: 'native' },
  '1.2.840.113619.5.2': { name: 'GE Private Implicit VR, big-endian pixels', coding: 'native', implicit: true, bigEndianPixels: true },
  '1.2.840.10008.1.2.5': { name: 'RLE Lossless', coding: 'rle' },
  '1.2.840.10008.1.2.8.1': { name: 'Deflated Image Frame Compression', coding: 'deflated-frames' },
  '1.2.840.10008.1.2.4.50': { name: 'JPEG Baseline (Process 1)', coding: 'jpeg', lossy: true },
  '1.2.840.10008.1.2.4.51': { name: 'JPEG Extended (Process 2 and 4)', coding: 'jpeg', lossy: true },
  '1.2.840.10008.1.2.4.53': { name: 'JPEG Spectral Selection (Process 6 and 8)', coding: 'jpeg', lossy: true },
  '1.2.840.10008.1.2.4.55': { name: 'JPEG Full Progression (Process 10 and 12)', coding: 'jpeg', lossy: true },
  '1.2.840.10008.1.2.4.57': { name: 'JPEG Lossless (Process 14)', coding: 'jpeg' },
  '1.2.840.10008.1.2.4.70': { name: 'JPEG Lossless SV1 (Process 14, Selection Value 1)', coding: 'jpeg' },
  '1.2.840.10008.1.2.4.80': { name: 'JPEG-LS Lossless', coding: 'jpeg-ls' },
  '1.2.840.10008.1.2.4.81': { name: 'JPEG-LS Near-Lossless', coding: 'jpeg-ls', lossy: true },
  '1.2.840.10008.1.2.4.90': { name: 'JPEG 2000 Lossless', coding: 'jpeg2000' },
  '1.2.840.10008.1.2.4.91': { name: 'JPEG 2000', coding: 'jpeg2000', lossy: true },
  '1.2.840.10008.1.2.4.201': { name: 'High-Throughput JPEG 2000 Lossless', coding: 'htj2k' },
  '1.2.840.10008.1.2.4.202': { name: 'High-Throughput JPEG 2000 Lossless RPCL', coding: 'htj2k' },
  '1.2.840.10008.1.2.4.203': { name: 'High-Throughput JPEG 2000', coding: 'htj2k', lossy: true },
};

/** Known by name and not read, with the reason. */
const REFUSED: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/^1\.2\.840\.10008\.1\.2\.4\.10[0-8](\.\d+)?$/, 'a video (MPEG-2, MPEG-4 or HEVC)'],
  [/^1\.2\.840\.10008\.1\.2\.7\./, 'a SMPTE ST 2110 video stream'],
  [/^1\.2\.840\.10008\.1\.2\.4\.9[2-3]$/, 'JPEG 2000 Part 2, multi-component'],
  [/^1\.2\.840\.10008\.1\.2\.4\.9[4-5]$|^1\.2\.840\.10008\.1\.2\.4\.20[4-5]$/, 'pixels that another server holds (JPIP)'],
  [/^1\.2\.840\.10008\.1\.2\.4\.11[0-2]$/, 'JPEG XL'],
];

/**
 * How the pixels of this transfer syntax are coded.
 * @throws OverreadError `input/unsupported-transfer-syntax`, by name where it is a known one
 */
export function transferSyntaxOf(uid: string): TransferSyntax {
  const known = TRANSFER_SYNTAXES[uid];
  if (known) return known;
  const name = REFUSED.find(([pattern]) => pattern.test(uid))?.[1] ?? 'unknown to us';
  throw new OverreadError(
    'input/unsupported-transfer-syntax',
    `The transfer syntax ${uid || '(none)'} is ${name}; expected an uncompressed, RLE, JPEG, JPEG-LS, JPEG 2000 or HTJ2K image. ` +
      'Convert the file, for example with dcmconv or gdcmconv, and try again.',
    { expected: Object.keys(TRANSFER_SYNTAXES), got: uid },
  );
}
