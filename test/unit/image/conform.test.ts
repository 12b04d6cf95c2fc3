import fc from 'fast-check';
import { apply, invert, multiply } from '../../../src/image/affine.ts';
import { conform, conformedGrid } from '../../../src/image/conform.ts';
import type { Image } from '../../../src/image/image.ts';
import type { Placed } from '../../../src/image/resample.ts';
import { labelsOnGrid } from '../../../src/results/volume-labels.ts';

function volume(shape: readonly [number, number, number], indexToPatient: readonly number[], value: (i: number) => number = i => i): Image & Placed {
  return {
    sources: [], modality: 'MR', shape, channels: 1, indexToPatient, attributes: {}, representableRange: [0, 255],
    pixels: Float32Array.from({ length: shape[0] * shape[1] * shape[2] }, (_, i) => value(i)),
  };
}

/** Columns to the right, rows to the back, slices to the feet: none of the axes as LIA has them. */
const RPI = [-1, 0, 0, 20, 0, 1, 0, -30, 0, 0, -1, 40, 0, 0, 0, 1];

test('axes run where they are said to, a millimetre a voxel, about the voxel at half of the size', () => {
  const source = volume([6, 4, 8], RPI);
  const grid = conformedGrid(source, [10, 12, 14], { axes: 'LIA', spacingMm: 0.5 });
  expect(grid.shape).toEqual([14, 12, 10]);
  const at = (c: number, r: number, s: number) => apply(grid.indexToPatient, [c, r, s]);
  const origin = at(0, 0, 0);
  const step = (p: readonly number[]) => p.map((v, i) => v - origin[i]! + 0);
  expect(step(at(1, 0, 0))).toEqual([0, -0.5, 0]); // columns to the front
  expect(step(at(0, 1, 0))).toEqual([0, 0, -0.5]); // rows to the feet
  expect(step(at(0, 0, 1))).toEqual([0.5, 0, 0]); // slices to the left
  expect(at(7, 6, 5)).toEqual(apply(RPI, [3, 2, 4]));
});

test('a volume that is there already in other axes is turned, not blurred; its labels turn back', () => {
  fc.assert(fc.property(fc.constantFrom('LIA', 'RAS', 'LPS', 'SPR', 'AIL'), fc.integer({ min: 2, max: 6 }), (axes, half) => {
    const side = 2 * half;
    const source = volume([side, side, side], RPI, i => (i * 7919) % 251);
    const grid = conformedGrid(source, [side, side, side], { axes, spacingMm: 1 });
    const pixels = conform(source, grid);
    const back = multiply(invert(source.indexToPatient), grid.indexToPatient);
    let inside = 0;
    for (let s = 0, i = 0; s < side; s++) for (let r = 0; r < side; r++) for (let c = 0; c < side; c++, i++) {
      const [x, y, z] = apply(back, [c, r, s]).map(Math.round) as [number, number, number];
      // An axis that runs the other way about the voxel at half of the size leaves out the first slice.
      if (Math.min(x, y, z) < 0 || Math.max(x, y, z) >= side) continue;
      expect(pixels[i]).toBe(source.pixels[(z * side + y) * side + x]);
      inside++;
    }
    expect(inside).toBeGreaterThanOrEqual((side - 1) ** 3);
    const labels = Uint8Array.from(pixels, v => v % 4);
    const onSource = labelsOnGrid(labels, grid, source);
    const seen = onSource.filter((label, i) => label === source.pixels[i]! % 4).length;
    expect(seen).toBeGreaterThanOrEqual((side - 1) ** 3);
  }), { numRuns: 20 });
});

test('what lies outside of the source has its lowest value, and outside of the grid there are no labels', () => {
  const source = volume([4, 4, 4], RPI, i => 5 + i);
  const wide = conformedGrid(source, [12, 12, 12], { axes: 'LPS', spacingMm: 1 });
  const pixels = conform(source, wide);
  expect(pixels[0]).toBe(5);
  expect(pixels.filter(v => v > 5).length).toBeGreaterThan(40);
  const narrow = conformedGrid(source, [2, 2, 2], { axes: 'LPS', spacingMm: 1 });
  const labels = labelsOnGrid(new Uint8Array(8).fill(3), narrow, source);
  expect(labels.filter(label => label === 3)).toHaveLength(8);
});

test('labels on a finer grid: the one that has most of the voxels around; the lower of equal ones', () => {
  const coarse = volume([2, 2, 2], [2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1]);
  const fine = volume([5, 1, 1], [0.5, 0, 0, 0, 0, 0.5, 0, 0, 0, 0, 0.5, 0, 0, 0, 0, 1]);
  expect([...labelsOnGrid(Uint8Array.from([1, 2, 1, 2, 1, 2, 1, 2]), coarse, fine)]).toEqual([1, 1, 1, 2, 2]);
});
