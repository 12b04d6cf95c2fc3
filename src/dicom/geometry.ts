import { OverreadError } from '../errors.ts';
import type { Plane } from './functional-groups.ts';

/** Components of direction cosines may differ by this much between slices of a volume, and from a right angle. */
export const ORIENTATION_TOLERANCE = 1e-3;
/** A row or column direction may miss unit length by this much. */
export const LENGTH_TOLERANCE = 1e-2;
/** A slice may lie this share of the slice spacing away from where even spacing puts it. */
export const POSITION_TOLERANCE = 0.1;
/** Slices closer than this are at the same place, mm. */
export const DUPLICATE_MM = 1e-2;
/** In-plane spacing may differ by this share between slices. */
export const SPACING_TOLERANCE = 1e-3;

type Vector = readonly [number, number, number];

/** A plane with its in-plane spacing; `name` is for messages. */
export interface Slice extends Pick<Plane, 'imageOrientationPatient' | 'imagePositionPatient'> {
  readonly spacingMm: readonly [column: number, row: number];
  readonly name: string;
}

export interface StackGeometry {
  /** Indices of the slices given, in slice order: ascending along the normal (row × column). */
  readonly order: readonly number[];
  /** Row-major 4×4, (column, row, slice) → LPS mm; see `Affine` of an image. */
  readonly indexToPatient: readonly number[];
  /** Distance along the normal; absent on a single slice. Under gantry tilt the affine's third column is longer. */
  readonly sliceSpacingMm?: number;
}

const at = (v: readonly number[], i: number): Vector => [v[i]!, v[i + 1]!, v[i + 2]!];
const sub = (a: Vector, b: Vector): Vector => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
const scale = (a: Vector, s: number): Vector => [a[0] * s, a[1] * s, a[2] * s];
const dot = (a: Vector, b: Vector): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const length = (a: Vector): number => Math.sqrt(dot(a, a));
const cross = (a: Vector, b: Vector): Vector => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
const round = (v: number): number => Number(v.toFixed(4));

function refuse(message: string, expected: unknown, got: unknown): never {
  throw new OverreadError('input/geometry', message, { expected, got });
}

/** Unit vectors along a row and along a column, and their normal. @throws OverreadError `input/geometry` */
export function directions(imageOrientationPatient: readonly number[]): { readonly row: Vector; readonly column: Vector; readonly normal: Vector } {
  const [row, column] = [at(imageOrientationPatient, 0), at(imageOrientationPatient, 3)];
  const lengths = [length(row), length(column)];
  if (!lengths.every((l) => Math.abs(l - 1) <= LENGTH_TOLERANCE)) {
    refuse(`Expected direction cosines of length 1, got ${lengths.map(round).join(' and ')}. Mend ImageOrientationPatient.`, 1, lengths);
  }
  const [r, c] = [scale(row, 1 / lengths[0]!), scale(column, 1 / lengths[1]!)];
  if (Math.abs(dot(r, c)) > LENGTH_TOLERANCE) {
    refuse(`Expected rows and columns at a right angle, got direction cosines whose product is ${round(dot(r, c))}. Mend ImageOrientationPatient.`, 0, dot(r, c));
  }
  return { row: r, column: c, normal: cross(r, c) };
}

/**
 * Sorts the slices along their normal and checks that they make a volume: one orientation, one spacing, each place once,
 * even steps in one direction (which need not be the normal: gantry tilt).
 * @throws OverreadError `input/geometry`, with the numbers
 */
export function stackGeometry(slices: readonly Slice[]): StackGeometry {
  const first = slices[0];
  if (!first) refuse('Expected at least one slice, got none.', '≥ 1', 0);
  const { row, column, normal } = directions(first.imageOrientationPatient);
  for (const slice of slices) checkAlike(first, slice);
  const position = (i: number): Vector => at(slices[i]!.imagePositionPatient, 0);
  const along = slices.map((_, i) => dot(position(i), normal));
  const order = slices.map((_, i) => i).sort((a, b) => along[a]! - along[b]!);
  const step = slices.length > 1 ? checkedStep(slices, order, along) : normal;
  const origin = position(order[0]!);
  const [x, y] = [scale(row, first.spacingMm[0]), scale(column, first.spacingMm[1])];
  return {
    order,
    indexToPatient: [0, 1, 2].flatMap((i) => [x[i]!, y[i]!, step[i]!, origin[i]!]).concat(0, 0, 0, 1),
    ...(slices.length > 1 && { sliceSpacingMm: dot(step, normal) }),
  };
}

function checkAlike(first: Slice, slice: Slice): void {
  const turned = slice.imageOrientationPatient.some((v, i) => Math.abs(v - first.imageOrientationPatient[i]!) > ORIENTATION_TOLERANCE);
  if (turned) {
    refuse(`Slices of one volume lie parallel, but ${first.name} has orientation ${first.imageOrientationPatient.join('\\')} and ${slice.name} ${slice.imageOrientationPatient.join('\\')}. Choose one stack.`,
      first.imageOrientationPatient, slice.imageOrientationPatient);
  }
  const stretched = slice.spacingMm.some((v, i) => Math.abs(v - first.spacingMm[i]!) > SPACING_TOLERANCE * first.spacingMm[i]!);
  if (stretched) {
    refuse(`Slices of one volume have one pixel spacing, but ${first.name} has ${first.spacingMm.join(' × ')} mm and ${slice.name} ${slice.spacingMm.join(' × ')} mm. Choose one stack.`,
      first.spacingMm, slice.spacingMm);
  }
}

/** The step from slice to slice, once every slice was found to lie where even steps put it. */
function checkedStep(slices: readonly Slice[], order: readonly number[], along: readonly number[]): Vector {
  const position = (i: number): Vector => at(slices[order[i]!]!.imagePositionPatient, 0);
  const name = (i: number): string => slices[order[i]!]!.name;
  const distances = order.slice(1).map((slice, i) => along[slice]! - along[order[i]!]!);
  const double = distances.findIndex((d) => d < DUPLICATE_MM);
  if (double >= 0) {
    refuse(`Expected each place once, but ${name(double)} and ${name(double + 1)} are ${round(distances[double]!)} mm apart along the normal (tolerance ${DUPLICATE_MM} mm): several phases, echoes or copies in one series. Choose one stack.`,
      `> ${DUPLICATE_MM} mm`, distances[double]);
  }
  const last = order.length - 1;
  const step = scale(sub(position(last), position(0)), 1 / last);
  const median = [...distances].sort((a, b) => a - b)[distances.length >> 1]!;
  for (let i = 1; i < last; i++) {
    const off = length(sub(position(i), [0, 1, 2].map((k) => position(0)[k]! + i * step[k]!) as unknown as Vector));
    if (off <= POSITION_TOLERANCE * median) continue;
    const widest = distances.indexOf(Math.max(...distances));
    refuse(
      `Expected even steps between slices, but ${name(i)} lies ${round(off)} mm from its place (tolerance ${POSITION_TOLERANCE} of the spacing of ${round(median)} mm); ` +
        `the widest step is ${round(distances[widest]!)} mm, after ${name(widest)}. A slice is missing, or several stacks are mixed: fetch the whole series.`,
      { stepMm: median, toleranceMm: POSITION_TOLERANCE * median }, { offMm: off, widestMm: distances[widest] },
    );
  }
  return step;
}
