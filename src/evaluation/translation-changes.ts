import { OverreadError } from '../errors.ts';
import { apply, type Point } from '../image/affine.ts';
import type { ImageReference, SourceReference } from '../image/image.ts';
import { squaredDistances } from '../metrics/distance-transform.ts';
import { numberComponents } from '../results/components.ts';

/** Taken once: in the inner loops a global costs a look-up, and much in a test runner's sandbox. */
const { floor, hypot, min, sqrt } = Math;

/** Of squared distances. */
const ROUNDING = 1e-9;

/** When two lesions are the same one, and what is too small to count. */
export interface ChangeRule {
  /** Voxels of one mask that lie this near to the other are no change: the edge that two contrasts draw differently. The next voxel is always near, however thick the slices are. In pixels where the spacing is unknown. */
  readonly toleranceMm: number;
  /** A lesion of which at least this share lies within the tolerance of the other mask, or that holds this share of a lesion there, is there, too: 0..1. */
  readonly minimumShare: number;
  /** Lesions and parts that are smaller are not listed: mm³ in a volume, mm² on a plane, pixels where the spacing is unknown. */
  readonly minimumSize: number;
  /** What the model is nowhere as sure of as this is no lesion, of whatever size. Probability, 0..1. */
  readonly minimumPeak: number;
  /**
   * Where the pictures differ by less than so many standard deviations from how one goes over into the other elsewhere, it is the model
   * that sees the same thing differently: no change (`translation-evidence.ts`). Of grey images; 0 takes the model's word.
   */
  readonly minimumEvidence: number;
}

export const CHANGE_RULE: ChangeRule = { toleranceMm: 3, minimumShare: 0.2, minimumSize: 50, minimumPeak: 0.8, minimumEvidence: 2.5 };

/** A model's lesions on one image, laid out as the grid. */
export interface LesionMask {
  /** Not 0 in a lesion. */
  readonly lesions: Uint8Array;
  /** Not 0 where the model is as sure as the rule's `minimumPeak`; where it gives no probabilities, the lesions themselves. */
  readonly sure: Uint8Array;
}

/**
 * erased: a lesion of the real image that the translated one has not; invented: the other way round. shrunk and grown: a
 * part, beyond the tolerance, of a lesion that both have.
 */
export const CHANGES = ['erased', 'invented', 'shrunk', 'grown'] as const;
export type ChangeKind = (typeof CHANGES)[number];

export interface LesionChange {
  readonly kind: ChangeKind;
  readonly voxels: number;
  /** Volumes with known spacing. */
  readonly volumeMm3?: number;
  /** Planes with known spacing. */
  readonly areaMm2?: number;
  /** [column, row, slice] on the real image's grid: of its voxels the one nearest to its centre. */
  readonly index: Point;
  /** LPS mm of that voxel; absent where the image does not say where it lies. */
  readonly patientMm?: Point;
  /** The real image's slice through that voxel. */
  readonly source: SourceReference;
  /** Its voxels on the real image's grid. */
  readonly members: readonly number[];
}

export interface LesionChanges {
  /** The largest first. */
  readonly changes: readonly LesionChange[];
  /** Lesions of the minimum size and sureness in each mask, and how many of the real image's the translated one has. */
  readonly lesions: { readonly real: number; readonly translated: number; readonly kept: number };
  /** A value a voxel: 0, or of a change that is listed 1 + the place of its kind in {@link CHANGES}. */
  readonly labels: Uint8Array;
}

/**
 * What a translation did to the lesions of a patient, by the masks of one model on both images.
 * @param translated on the real image's grid
 * @throws OverreadError `internal` when the lengths are not the grid's
 */
export function lesionChanges(real: LesionMask, translated: LesionMask, grid: ImageReference, rule: ChangeRule = CHANGE_RULE): LesionChanges {
  const voxels = grid.shape[0] * grid.shape[1] * grid.shape[2];
  for (const { length } of [real.lesions, real.sure, translated.lesions, translated.sure]) {
    if (length !== voxels) throw new OverreadError('internal', `Expected masks of ${voxels} voxels, got ${length}. Bring both to one grid first.`, { expected: voxels, got: length });
  }
  const size = voxelSize(grid);
  const labels = new Uint8Array(voxels);
  const [surely, other] = [sureOnes(real, grid), sureOnes(translated, grid)];
  const one = compared(surely, other, ['erased', 'shrunk'], { grid, rule, size, labels });
  const two = compared(other, surely, ['invented', 'grown'], { grid, rule, size, labels });
  return {
    changes: [...one.changes, ...two.changes].sort((a, b) => b.voxels - a.voxels),
    lesions: { real: one.lesions, translated: two.lesions, kept: one.lesions - one.changes.filter(({ kind }) => kind === 'erased').length },
    labels,
  };
}

/** The lesions of which the model is sure somewhere: 1 in them. */
function sureOnes({ lesions, sure }: LesionMask, grid: ImageReference): Uint8Array {
  const out = new Uint8Array(lesions.length);
  for (const members of componentsOf(lesions, grid)) if (members.some(i => sure[i])) for (const i of members) out[i] = 1;
  return out;
}

interface Setting {
  readonly grid: ImageReference;
  readonly rule: ChangeRule;
  readonly size: VoxelSize;
  readonly labels: Uint8Array;
}

/** What the first mask has and the second has not. */
function compared(mask: Uint8Array, other: Uint8Array, [whole, part]: readonly [ChangeKind, ChangeKind], { grid, rule, size, labels }: Setting): { changes: LesionChange[]; lesions: number } {
  const [x, y, z] = size.spacing.map(mm => (rule.toleranceMm > 0 ? min(mm, rule.toleranceMm) : mm)) as [number, number, number];
  const distances = squaredDistances(other, { shape: grid.shape, spacing: [x, y, z] });
  const beyond = (i: number) => distances[i]! > rule.toleranceMm ** 2 * (1 + ROUNDING);
  const enough = ({ length }: readonly number[]) => length * size.each >= rule.minimumSize;
  const changes: LesionChange[] = [];
  const list = (kind: ChangeKind, members: readonly number[]) => {
    changes.push(changeOf(kind, members, grid, size));
    for (const i of members) labels[i] = 1 + CHANGES.indexOf(kind);
  };
  const lesions = componentsOf(mask, grid).filter(enough);
  const { numbers, sizes } = numbered(other, grid);
  const holdsOne = (members: readonly number[]) => {
    const held = new Map<number, number>();
    for (const i of members) if (numbers[i]) held.set(numbers[i]!, (held.get(numbers[i]!) ?? 0) + 1);
    return [...held].some(([number, voxels]) => voxels >= rule.minimumShare * sizes.get(number)!);
  };
  // Lesions do not touch each other, nor do their parts.
  const parts = new Uint8Array(mask.length);
  for (const members of lesions) {
    const outside = members.filter(beyond);
    if (members.length - outside.length < rule.minimumShare * members.length && !holdsOne(members)) list(whole, members);
    else for (const i of outside) parts[i] = 1;
  }
  for (const piece of componentsOf(parts, grid)) if (enough(piece)) list(part, piece);
  return { changes, lesions: lesions.length };
}

function numbered(mask: Uint8Array, { shape: [columns, rows] }: ImageReference) {
  const numbers = numberComponents(mask, columns, true, rows);
  const sizes = new Map<number, number>();
  for (const number of numbers) if (number) sizes.set(number, (sizes.get(number) ?? 0) + 1);
  return { numbers, sizes };
}

/** Indices of the voxels of each component; voxels touch over corners, too. */
function componentsOf(mask: Uint8Array, grid: ImageReference): number[][] {
  const { numbers } = numbered(mask, grid);
  const members: number[][] = [];
  numbers.forEach((number, i) => {
    if (number) (members[number - 1] ??= []).push(i);
  });
  return members;
}

interface VoxelSize {
  readonly spacing: readonly [x: number, y: number, z: number];
  /** Of one voxel, in the unit of the rule's minimum. */
  readonly each: number;
  readonly unit: 'volumeMm3' | 'areaMm2' | undefined;
}

function voxelSize({ shape, indexToPatient: m, spacingMm, sliceSpacingMm }: ImageReference): VoxelSize {
  const along = (axis: number) => (m ? hypot(m[axis]!, m[4 + axis]!, m[8 + axis]!) : undefined);
  const [x, y] = [spacingMm?.[0] ?? along(0), spacingMm?.[1] ?? along(1)];
  const z = sliceSpacingMm ?? along(2);
  if (x === undefined || y === undefined) return { spacing: [1, 1, 1], each: 1, unit: undefined };
  if (shape[2] === 1) return { spacing: [x, y, 1], each: x * y, unit: 'areaMm2' };
  return z === undefined ? { spacing: [1, 1, 1], each: 1, unit: undefined } : { spacing: [x, y, z], each: x * y * z, unit: 'volumeMm3' };
}

function changeOf(kind: ChangeKind, members: readonly number[], grid: ImageReference, { each, unit, spacing }: VoxelSize): LesionChange {
  const [columns, rows] = grid.shape;
  const placeOf = (i: number): Point => [i % columns, floor(i / columns) % rows, floor(i / (columns * rows))];
  const centre = [0, 0, 0];
  for (const i of members) placeOf(i).forEach((v, axis) => (centre[axis]! += v / members.length));
  const away = (p: Point) => sqrt(p.reduce((sum, v, axis) => sum + ((v - centre[axis]!) * spacing[axis]!) ** 2, 0));
  const index = members.map(placeOf).reduce((a, b) => (away(b) < away(a) ? b : a));
  return {
    kind, members, voxels: members.length, index, source: grid.sources[index[2]]!,
    ...(unit && { [unit]: members.length * each }),
    ...(grid.indexToPatient && { patientMm: apply(grid.indexToPatient, index) }),
  };
}
