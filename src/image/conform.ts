import type { Affine, Image } from './image.ts';
import { apply } from './affine.ts';
import { resample, type Placed } from './resample.ts';

/** Unit vectors in LPS, by where they run to. */
const DIRECTIONS: Readonly<Record<string, readonly [number, number, number]>> = {
  L: [1, 0, 0], R: [-1, 0, 0], P: [0, 1, 0], A: [0, -1, 0], S: [0, 0, 1], I: [0, 0, -1],
};

export interface ConformedGrid {
  /** Where the axes of `shape` run to, such as 'LIA'. */
  readonly axes: string;
  readonly spacingMm: number;
}

/**
 * The grid of a conformed volume: isotropic voxels along the patient's axes, about the source's centre. The centre is the
 * voxel at half of the size, rounded up where that is even, as in FreeSurfer's `mri_convert --conform` and in niivue's.
 * @param shape [slices, rows, columns] of the grid; its columns run to the last of `axes`
 */
export function conformedGrid(source: Placed, shape: readonly [slices: number, rows: number, columns: number], { axes, spacingMm }: ConformedGrid): Placed {
  const [slices, rows, columns] = shape;
  const steps = [...axes].reverse().map(letter => DIRECTIONS[letter]!.map(part => part * spacingMm));
  const half = [columns / 2, rows / 2, slices / 2];
  const centre = apply(source.indexToPatient, [source.shape[0] / 2, source.shape[1] / 2, source.shape[2] / 2]);
  const indexToPatient: Affine = [0, 1, 2].flatMap(axis => {
    const row = steps.map(step => step[axis]!);
    return [...row, centre[axis]! - row.reduce((sum, part, i) => sum + part * half[i]!, 0)];
  }).concat(0, 0, 0, 1);
  return { sources: [], modality: source.modality, shape: [columns, rows, slices], channels: 1, indexToPatient, spacingMm: [spacingMm, spacingMm], sliceSpacingMm: spacingMm, attributes: {} };
}

/**
 * A volume on a conformed grid, trilinear; what lies outside of the source gets its lowest value.
 * @throws OverreadError `input/geometry` for axes that lie in one plane
 */
export function conform(image: Image & Placed, grid: Placed): Float32Array {
  let lowest = Infinity;
  for (const value of image.pixels) if (value < lowest) lowest = value;
  return resample(image, grid, lowest).pixels;
}
