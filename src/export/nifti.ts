import type { Affine, ImageReference } from '../image/image.ts';

const HEADER_BYTES = 352; // 348 and four that say: no extension
const UINT8 = 2;
const MILLIMETRES = 2;
const SCANNER_ANATOMICAL = 1;

export interface NiftiVolume {
  /** [columns, rows, slices] */
  readonly shape: readonly [columns: number, rows: number, slices: number];
  /** Slice by slice, row by row. */
  readonly values: Uint8Array;
  /** Pixel index (column, row, slice) → LPS mm, row-major 4×4. */
  readonly indexToPatient: Affine;
}

/**
 * A NIfTI-1 file of 8-bit integers, not compressed. NIfTI's axes are RAS where DICOM's are LPS: the first two rows of the
 * affine change sign. The affine stands in the sform; a qform cannot hold shear, so its code is 0 (unknown).
 *
 * R. W. Cox et al., "A (sort of) new image data format standard: NIfTI-1", NeuroImage 22, 2004; nifti1.h.
 */
export function niftiFile({ shape, values, indexToPatient }: NiftiVolume): Uint8Array<ArrayBuffer> {
  const file = new Uint8Array(HEADER_BYTES + values.length);
  const view = new DataView(file.buffer);
  const spacing = [0, 1, 2].map(axis => Math.hypot(...[0, 1, 2].map(row => indexToPatient[4 * row + axis]!)));
  view.setInt32(0, 348, true);
  [3, ...shape, 1, 1, 1, 1].forEach((n, i) => view.setInt16(40 + 2 * i, n, true));
  view.setInt16(70, UINT8, true);
  view.setInt16(72, 8, true); // bits a pixel
  [1, ...spacing, 0, 0, 0, 0].forEach((n, i) => view.setFloat32(76 + 4 * i, n, true));
  view.setFloat32(108, HEADER_BYTES, true);
  view.setFloat32(112, 1, true); // slope
  view.setUint8(123, MILLIMETRES);
  file.set(new TextEncoder().encode('Overread labelmap'), 148);
  view.setInt16(254, SCANNER_ANATOMICAL, true);
  for (let row = 0; row < 3; row++) {
    const sign = row < 2 ? -1 : 1;
    for (let column = 0; column < 4; column++) view.setFloat32(280 + 16 * row + 4 * column, sign * indexToPatient[4 * row + column]!, true);
  }
  file.set(new TextEncoder().encode('n+1\0'), 344);
  file.set(values, HEADER_BYTES);
  return file;
}

/** The image's own affine; where it has none, its spacing (1 mm when unknown) along the axes. */
export function affineOf({ indexToPatient, spacingMm = [1, 1], sliceSpacingMm = 1 }: Pick<ImageReference, 'indexToPatient' | 'spacingMm' | 'sliceSpacingMm'>): Affine {
  return indexToPatient ?? [spacingMm[0], 0, 0, 0, 0, spacingMm[1], 0, 0, 0, 0, sliceSpacingMm, 0, 0, 0, 0, 1];
}
