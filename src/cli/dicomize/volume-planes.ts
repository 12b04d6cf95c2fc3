import { OverreadError } from '../../errors.ts';
import type { Image } from '../../image/image.ts';

type Vector = readonly [number, number, number];

export interface VolumePlanes {
  readonly columns: number;
  readonly rows: number;
  readonly slices: number;
  /** LPS unit vectors along a row, then down a column. */
  readonly imageOrientation: readonly [number, number, number, number, number, number];
  readonly spacingMm: readonly [row: number, column: number];
  readonly sliceSpacingMm: number;
  /** LPS mm of the centre of a slice's first pixel. */
  position(slice: number): Vector;
  /** Row-major source indices, within the volume, of one slice's pixels. */
  index(slice: number, row: number, column: number): number;
}

const NEAR_RIGHT_ANGLE = 1e-3;

/**
 * How a volume's slices go into DICOM: slices stay as they are stored, rows and columns are turned over where that hangs
 * the picture as readers expect (left of the patient on the right, head or front up).
 * @throws OverreadError `input/geometry` for a volume without a place in the patient, or whose axes are no right angles
 */
export function volumePlanes(image: Image, file: string): VolumePlanes {
  const m = image.indexToPatient;
  if (!m) {
    throw new OverreadError('input/geometry', `Expected a NIfTI with a qform or an sform, but ${file} does not say where it lies in the patient. Set one first.`,
      { expected: 'qform or sform', got: 'neither', file });
  }
  const [columns, rows, slices] = image.shape;
  const axis = (k: number): Vector => [m[k]!, m[4 + k]!, m[8 + k]!];
  let across = axis(0);
  let down = axis(1);
  const through = axis(2);
  const lengths = [across, down, through].map((v) => Math.hypot(...v));
  const pairs = [[across, down, 0, 1], [across, through, 0, 2], [down, through, 1, 2]] as const;
  for (const [a, b, i, j] of pairs) {
    const cosine = dot(a, b) / (lengths[i]! * lengths[j]!);
    if (!(Math.abs(cosine) < NEAR_RIGHT_ANGLE)) {
      throw new OverreadError('input/geometry', `Expected axes at right angles, but the affine of ${file} is sheared or flat (cosine ${cosine.toFixed(4)}). Resample the volume first.`,
        { expected: 0, got: cosine, file });
    }
  }
  let origin: Vector = [m[3]!, m[7]!, m[11]!];
  const flipColumns = wantsFlip(across, [1, 1, -1]);
  if (flipColumns) {
    origin = plus(origin, across, columns - 1);
    across = [-across[0], -across[1], -across[2]];
  }
  const flipRows = wantsFlip(down, [1, 1, -1]);
  if (flipRows) {
    origin = plus(origin, down, rows - 1);
    down = [-down[0], -down[1], -down[2]];
  }
  const unit = (v: Vector, length: number): Vector => [v[0] / length + 0, v[1] / length + 0, v[2] / length + 0];
  return {
    columns,
    rows,
    slices,
    imageOrientation: [...unit(across, lengths[0]!), ...unit(down, lengths[1]!)] as unknown as VolumePlanes['imageOrientation'],
    spacingMm: [lengths[1]!, lengths[0]!],
    sliceSpacingMm: lengths[2]!,
    position: (slice) => plus(origin, through, slice),
    index: (slice, row, column) =>
      (slice * rows + (flipRows ? rows - 1 - row : row)) * columns + (flipColumns ? columns - 1 - column : column),
  };
}

const dot = (a: Vector, b: Vector): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];

const plus = (a: Vector, step: Vector, n: number): Vector => [a[0] + n * step[0], a[1] + n * step[1], a[2] + n * step[2]];

/** Whether the axis runs against the wanted sign of its largest component: left, back and down are forward on a screen. */
function wantsFlip(axis: Vector, wanted: Vector): boolean {
  const sizes = axis.map(Math.abs);
  const main = sizes.indexOf(Math.max(...sizes));
  return axis[main]! * wanted[main]! < 0;
}
