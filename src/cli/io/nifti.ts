import { gzipSync } from 'node:zlib';
import type { Affine } from '../../image/image.ts';

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
 * A gzipped NIfTI-1 file of 8-bit integers. NIfTI's axes are RAS where DICOM's are LPS: the first two rows of the affine
 * change sign. The affine stands in the sform; a qform cannot hold shear, so its code is 0 (unknown).
 *
 * R. W. Cox et al., "A (sort of) new image data format standard: NIfTI-1", NeuroImage 22, 2004; nifti1.h.
 */
export function niftiGz({ shape, values, indexToPatient }: NiftiVolume): Buffer {
  const file = Buffer.alloc(HEADER_BYTES + values.length);
  const spacing = [0, 1, 2].map(axis => Math.hypot(...[0, 1, 2].map(row => indexToPatient[4 * row + axis]!)));
  file.writeInt32LE(348, 0);
  [3, ...shape, 1, 1, 1, 1].forEach((n, i) => file.writeInt16LE(n, 40 + 2 * i));
  file.writeInt16LE(UINT8, 70);
  file.writeInt16LE(8, 72); // bits a pixel
  [1, ...spacing, 0, 0, 0, 0].forEach((n, i) => file.writeFloatLE(n, 76 + 4 * i));
  file.writeFloatLE(HEADER_BYTES, 108);
  file.writeFloatLE(1, 112); // slope
  file.writeUInt8(MILLIMETRES, 123);
  file.write('Overread labelmap', 148, 'latin1');
  file.writeInt16LE(SCANNER_ANATOMICAL, 254);
  for (let row = 0; row < 3; row++) {
    const sign = row < 2 ? -1 : 1;
    for (let column = 0; column < 4; column++) file.writeFloatLE(sign * indexToPatient[4 * row + column]!, 280 + 16 * row + 4 * column);
  }
  file.write('n+1\0', 344, 'latin1');
  file.set(values, HEADER_BYTES);
  return gzipSync(file);
}
