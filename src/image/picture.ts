import type { Image } from './image.ts';

/** An image of a file that is no DICOM: no spacing, no place, modality 'OT', unless somebody says more. */
export function pictureOf(picture: {
  readonly file: string;
  readonly columns: number;
  readonly rows: number;
  readonly channels: 1 | 3;
  readonly pixels: Float32Array;
  readonly max: number;
}): Image {
  const { file, columns, rows, channels, pixels, max } = picture;
  return {
    sources: [{ file }],
    modality: 'OT',
    shape: [columns, rows, 1],
    channels,
    attributes: { photometricInterpretation: channels === 3 ? 'RGB' : 'MONOCHROME2' },
    pixels,
    representableRange: [0, max],
  };
}
