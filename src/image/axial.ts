import type { Affine } from './image.ts';

/**
 * How a volume's axes are turned and flipped, without resampling, so that columns run to the patient's left, rows to the
 * back and slices upwards, as near as its axes do.
 */
export interface AxialOrder {
  /** The volume's axis (0 column, 1 row, 2 slice) that becomes column, row and slice. */
  readonly axes: readonly [number, number, number];
  /** Whether it runs the other way. */
  readonly flipped: readonly [boolean, boolean, boolean];
}

type Triple = readonly [number, number, number];

/** @param indexToPatient of the volume; each axis is given to the patient's axis that it lies closest to */
export function axialOrder(indexToPatient: Affine): AxialOrder {
  const component = (axis: number, patient: number) => {
    const column = [0, 1, 2].map(i => indexToPatient[4 * i + axis]!);
    return column[patient]! / Math.hypot(...column);
  };
  const pairs = [0, 1, 2].flatMap(axis => [0, 1, 2].map(patient => ({ axis, patient, share: component(axis, patient) })));
  pairs.sort((a, b) => Math.abs(b.share) - Math.abs(a.share));
  const axes: number[] = [];
  const flipped: boolean[] = [];
  const taken = new Set<number>();
  for (const { axis, patient, share } of pairs) {
    if (taken.has(axis) || axes[patient] !== undefined) continue;
    taken.add(axis);
    axes[patient] = axis;
    flipped[patient] = share < 0;
  }
  return { axes: axes as unknown as Triple, flipped: flipped as unknown as AxialOrder['flipped'] };
}

/** The volume's sizes, or spacings, in axial order. */
export function axialTriple([a, b, c]: Triple, { axes }: AxialOrder): Triple {
  const of = [a, b, c];
  return [of[axes[0]]!, of[axes[1]]!, of[axes[2]]!];
}

/** Where an axial voxel's value stands in the volume: start + column · steps[0] + row · steps[1] + slice · steps[2]. */
export function axialSteps(shape: Triple, { axes, flipped }: AxialOrder): { readonly start: number; readonly steps: Triple } {
  const strides = [1, shape[0], shape[0] * shape[1]];
  let start = 0;
  const steps = axes.map((axis, i) => {
    if (!flipped[i]) return strides[axis]!;
    start += (shape[axis]! - 1) * strides[axis]!;
    return -strides[axis]!;
  });
  return { start, steps: steps as unknown as Triple };
}

/** One axial slice of a volume, row by row. */
export function axialSlice(values: Float32Array, shape: Triple, order: AxialOrder, slice: number): Float32Array {
  const [columns, rows] = axialTriple(shape, order);
  const { start, steps } = axialSteps(shape, order);
  const out = new Float32Array(columns * rows);
  for (let row = 0, o = 0; row < rows; row++) {
    let from = start + slice * steps[2] + row * steps[1];
    for (let column = 0; column < columns; column++, from += steps[0]) out[o++] = values[from]!;
  }
  return out;
}

/** Puts the labels of one axial slice back where they belong in the volume's own order. */
export function putAxialSlice(labels: Uint8Array, into: Uint8Array, shape: Triple, order: AxialOrder, slice: number): void {
  const [columns, rows] = axialTriple(shape, order);
  const { start, steps } = axialSteps(shape, order);
  for (let row = 0, i = 0; row < rows; row++) {
    let to = start + slice * steps[2] + row * steps[1];
    for (let column = 0; column < columns; column++, to += steps[0]) into[to] = labels[i++]!;
  }
}
