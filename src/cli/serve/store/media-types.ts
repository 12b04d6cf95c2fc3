/** Media types of frames in each transfer syntax, PS3.18 table 8.7.3-5; what is not compressed is an octet stream. */
const COMPRESSED: readonly (readonly [pattern: RegExp, type: string])[] = [
  [/^1\.2\.840\.10008\.1\.2\.5$/, 'image/dicom-rle'],
  [/^1\.2\.840\.10008\.1\.2\.4\.(50|51|53|55|57|70)$/, 'image/jpeg'],
  [/^1\.2\.840\.10008\.1\.2\.4\.8[01]$/, 'image/jls'],
  [/^1\.2\.840\.10008\.1\.2\.4\.9[01]$/, 'image/jp2'],
  [/^1\.2\.840\.10008\.1\.2\.4\.9[23]$/, 'image/jpx'],
  [/^1\.2\.840\.10008\.1\.2\.4\.20[123]$/, 'image/jphc'],
  [/^1\.2\.840\.10008\.1\.2\.4\.11[012]$/, 'image/jxl'],
  [/^1\.2\.840\.10008\.1\.2\.4\.10[01](\.1)?$/, 'video/mpeg'],
  [/^1\.2\.840\.10008\.1\.2\.4\.10[2-8](\.1)?$/, 'video/mp4'],
];

const DEFLATED = '1.2.840.10008.1.2.1.99';
const EXPLICIT_VR_LITTLE_ENDIAN = '1.2.840.10008.1.2.1';

export interface FrameType {
  readonly type: string;
  readonly transferSyntaxUID: string;
}

/** Frames of a deflated file go out inflated. */
export function frameTypeOf(transferSyntaxUID: string): FrameType {
  const type = COMPRESSED.find(([pattern]) => pattern.test(transferSyntaxUID))?.[1] ?? 'application/octet-stream';
  return { type, transferSyntaxUID: transferSyntaxUID === DEFLATED ? EXPLICIT_VR_LITTLE_ENDIAN : transferSyntaxUID };
}
