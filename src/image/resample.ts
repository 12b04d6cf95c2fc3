import { apply, invert, multiply } from './affine.ts';
import type { Affine, Image, ImageReference } from './image.ts';

/** Taken once: in the inner loops a global costs a look-up, and much in a test runner's sandbox. */
const { floor, hypot, max, min } = Math;

/** Voxels of a grid that are the same to this, in mm, are not resampled. */
const SAME_MM = 1e-3;

export type Placed = ImageReference & { readonly indexToPatient: Affine };

export interface Resampled {
  /** On the grid, slice by slice. */
  readonly pixels: Float32Array;
  /** The share of the grid's voxels that lie within the image. */
  readonly covered: number;
}

/** Whether two images have the same voxels at the same places. */
export function sameGrid(a: Placed, b: Placed): boolean {
  if (a.shape.some((size, i) => size !== b.shape[i])) return false;
  const corners = [0, 1, 2, 3, 4, 5, 6, 7].map(i => [0, 1, 2].map(axis => ((i >> axis) & 1) * (a.shape[axis]! - 1)) as unknown as [number, number, number]);
  return corners.every(corner => {
    const [p, q] = [apply(a.indexToPatient, corner), apply(b.indexToPatient, corner)];
    return hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]) < SAME_MM;
  });
}

/**
 * The values of an image at the voxels of another grid, trilinearly between the image's own; its outermost voxels reach
 * half a voxel further. What lies outside has `outside`.
 * @param toImage rigid, the grid's patient coordinates → the image's; the same when left out
 * @throws OverreadError `input/geometry` for an image whose axes lie in one plane
 */
export function resample(image: Image & Placed, grid: Placed, outside: number, toImage?: Affine): Resampled {
  const voxel = multiply(invert(image.indexToPatient), toImage ? multiply(toImage, grid.indexToPatient) : grid.indexToPatient);
  const [columns, rows, slices] = grid.shape;
  const pixels = new Float32Array(columns * rows * slices);
  const sampler = new Trilinear(image);
  const [dx, dy, dz] = [voxel[0]!, voxel[4]!, voxel[8]!];
  let inside = 0;
  for (let slice = 0, o = 0; slice < slices; slice++) {
    for (let row = 0; row < rows; row++) {
      let [x, y, z] = apply(voxel, [0, row, slice]);
      for (let column = 0; column < columns; column++, o++, x += dx, y += dy, z += dz) {
        const value = sampler.at(x, y, z);
        if (value === undefined) pixels[o] = outside;
        else {
          pixels[o] = value;
          inside++;
        }
      }
    }
  }
  return { pixels, covered: inside / pixels.length };
}

/** Values between an image's voxels. */
export class Trilinear {
  readonly #values: Float32Array;
  readonly #shape: readonly [number, number, number];

  constructor({ pixels, shape }: Pick<Image, 'pixels' | 'shape'>) {
    this.#values = pixels;
    this.#shape = shape;
  }

  /** At an index, which need not be whole; undefined more than half a voxel outside. */
  at(x: number, y: number, z: number): number | undefined {
    const [columns, rows, slices] = this.#shape;
    if (!(x >= -0.5 && y >= -0.5 && z >= -0.5 && x <= columns - 0.5 && y <= rows - 0.5 && z <= slices - 0.5)) return undefined;
    const cx = min(max(x, 0), columns - 1);
    const cy = min(max(y, 0), rows - 1);
    const cz = min(max(z, 0), slices - 1);
    const [x0, y0, z0] = [floor(cx), floor(cy), floor(cz)];
    const [fx, fy, fz] = [cx - x0, cy - y0, cz - z0];
    const at = (z0 * rows + y0) * columns + x0;
    const [right, down, up] = [x0 + 1 < columns ? 1 : 0, y0 + 1 < rows ? columns : 0, z0 + 1 < slices ? columns * rows : 0];
    const v = this.#values;
    const line = (i: number) => v[i]! + (v[i + right]! - v[i]!) * fx;
    const plane = (i: number) => {
      const first = line(i);
      return first + (line(i + down) - first) * fy;
    };
    const near = plane(at);
    return near + (plane(at + up) - near) * fz;
  }
}
