import { apply, invert, multiply } from '../image/affine.ts';
import type { Placed } from '../image/resample.ts';

/** Parts of a voxel that make no difference. */
const SAME_VOXEL = 1e-4;

/**
 * Labels of one grid on another: at each voxel the label that has most of the eight around its place, weighted as in
 * trilinear interpolation; of equal ones the lower. Grids whose voxels coincide give the same labels. What lies more than
 * half a voxel outside is background.
 * @param labels laid out as `grid`
 */
export function labelsOnGrid(labels: Uint8Array, grid: Placed, onto: Placed): Uint8Array {
  const voxel = multiply(invert(grid.indexToPatient), onto.indexToPatient);
  const [columns, rows, slices] = onto.shape;
  const [dx, dy, dz] = [voxel[0]!, voxel[4]!, voxel[8]!];
  const out = new Uint8Array(columns * rows * slices);
  const vote = new Vote(labels, grid.shape);
  for (let slice = 0, o = 0; slice < slices; slice++) {
    for (let row = 0; row < rows; row++) {
      const [x, y, z] = apply(voxel, [0, row, slice]);
      for (let column = 0; column < columns; column++, o++) out[o] = vote.at(x + column * dx, y + column * dy, z + column * dz);
    }
  }
  return out;
}

class Vote {
  readonly #weights = new Float64Array(256);

  constructor(private readonly labels: Uint8Array, private readonly shape: readonly [number, number, number]) {}

  at(x: number, y: number, z: number): number {
    const [columns, rows, slices] = this.shape;
    if (!(x >= -0.5 && y >= -0.5 && z >= -0.5 && x <= columns - 0.5 && y <= rows - 0.5 && z <= slices - 0.5)) return 0;
    const [x0, fx] = split(x, columns);
    const [y0, fy] = split(y, rows);
    const [z0, fz] = split(z, slices);
    const at = (z0 * rows + y0) * columns + x0;
    const first = this.labels[at]!;
    if (fx === 0 && fy === 0 && fz === 0) return first;
    const weights = this.#weights;
    const met: number[] = [];
    for (let corner = 0; corner < 8; corner++) {
      const [i, j, k] = [corner & 1, (corner >> 1) & 1, corner >> 2];
      const weight = (i ? fx : 1 - fx) * (j ? fy : 1 - fy) * (k ? fz : 1 - fz);
      if (weight === 0) continue;
      const label = this.labels[at + (k * rows + j) * columns + i]!;
      if (weights[label] === 0) met.push(label);
      weights[label]! += weight;
    }
    let best = met[0]!;
    for (const label of met) if (weights[label]! > weights[best]! || (weights[label] === weights[best] && label < best)) best = label;
    for (const label of met) weights[label] = 0;
    return best;
  }
}

/** The voxel before a place and how far it is towards the next one, held within the grid. */
function split(position: number, size: number): readonly [number, number] {
  const held = Math.min(Math.max(position, 0), size - 1);
  const near = Math.round(held);
  if (Math.abs(held - near) < SAME_VOXEL) return [near, 0];
  const before = Math.floor(held);
  return [before, held - before];
}
