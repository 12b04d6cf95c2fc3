import { domeHeight, type ChestAnatomy, type Point3 } from './chest-anatomy.ts';
import type { ChestAxis } from './chest-tube-projection.ts';
import type { Random } from './random.ts';

/**
 * Findings that can be planted, by where they show:
 * - `frontal`: a consolidation whose long side lies along the frontal rays. A frontal film sees it end-on, a lateral one
 *   face-on, where it is too thin to tell from what lies before and behind it.
 * - `lateral`: fluid in both oblique fissures, whose long side lies along the lateral rays: the other way round.
 * - `both`: a round mass in free lung.
 */
export const CHEST_FINDINGS = ['frontal', 'lateral', 'both'] as const;
export type ChestFindingKind = (typeof CHEST_FINDINGS)[number];

export const FINDING_LABELS: Readonly<Record<ChestFindingKind, string>> = {
  frontal: 'Finding seen on PA',
  lateral: 'Finding seen on lateral',
  both: 'Finding seen on both',
};

/** What was planted, in one view. */
export interface PlantedFinding {
  readonly kind: ChestFindingKind;
  readonly label: string;
  /** Whether this view shows it. */
  readonly visible: boolean;
  /** 1 over its shadow on this film, row-major, without its faintest rim; absent where the view does not show it. */
  readonly mask?: Uint8Array;
  /** Pixel indices of the middle of its shadow's box; beside `mask`. */
  readonly centre?: readonly [column: number, row: number];
  /** First and last column and row of its shadow, both inclusive; beside `mask`. */
  readonly box?: readonly [left: number, top: number, right: number, bottom: number];
}

/** An ellipsoid in which lung is filled. It displaces air only: what it covers of heart or wall stays as it is. */
export interface FindingShape {
  readonly kind: ChestFindingKind;
  readonly centre: Point3;
  /** Semi-axes along x, y, v in mm, before it is turned. */
  readonly axes: readonly [number, number, number];
  /** Rotations in radians: in the x–v plane, then in the y–v plane. */
  readonly tilt: number;
  readonly pitch: number;
  /** Share of the air that is gone: 1 is solid. */
  readonly filling: number;
}

/** Places findings in a chest. `random` is the findings' own, so that the chest is the one it would be without them. */
export function placeFinding(kind: ChestFindingKind, random: Random, anatomy: ChestAnatomy): FindingShape {
  const { cavity } = anatomy;
  const side = random.chance(0.5) ? 1 : -1;
  const depthAt = (v: number): [middle: number, half: number] => [(cavity.front(v) + cavity.back(v)) / 2, (cavity.back(v) - cavity.front(v)) / 2];
  const floorAt = (x: number): number => domeHeight(x < 0 ? cavity.domes.right : cavity.domes.left, Math.abs(x), cavity.halfWidthMm);
  if (kind === 'frontal') {
    const x = side * random.uniform(0.5, 0.68) * cavity.halfWidthMm;
    const v = random.uniform(0.36, 0.7) * floorAt(x);
    const [middle, half] = depthAt(v);
    return {
      kind, centre: { x, y: middle + random.uniform(-4, 4), v }, axes: [random.uniform(10, 13), half * 0.9, random.uniform(22, 32)],
      tilt: random.uniform(-0.5, 0.5), pitch: 0, filling: random.uniform(0.28, 0.42),
    };
  }
  if (kind === 'lateral') {
    const v = random.uniform(0.42, 0.78) * floorAt(side * cavity.domes.left.peak);
    const [middle, half] = depthAt(v);
    return {
      kind, centre: { x: 0, y: middle + random.uniform(-0.35, 0.3) * half, v }, axes: [cavity.halfWidth(v) * 0.96, random.uniform(10, 13), random.uniform(22, 32)],
      tilt: 0, pitch: random.uniform(-0.7, 0.7), filling: random.uniform(0.2, 0.32),
    };
  }
  const x = side * random.uniform(0.42, 0.7) * cavity.halfWidthMm;
  const v = random.uniform(0.34, 0.72) * floorAt(x);
  const [middle, half] = depthAt(v);
  const radius = random.uniform(17, 24);
  const stretched = (): number => radius * random.uniform(0.9, 1.1);
  return {
    kind, centre: { x, y: middle + random.uniform(-0.4, 0.4) * half, v }, axes: [stretched(), stretched(), stretched()],
    tilt: random.uniform(-1, 1), pitch: random.uniform(-1, 1), filling: random.uniform(0.75, 1),
  };
}

export interface ChordInterval { low: number; high: number }

/** Where a ray at (u, v) of the film enters and leaves the shape, written into `out`; false where it passes by. */
export function findingChord(shape: FindingShape, axis: ChestAxis): (u: number, v: number, out: ChordInterval) => boolean {
  const { centre } = shape;
  const along = axis === 'frontal' ? 1 : 0;
  const across = 1 - along;
  const [cu, ct] = axis === 'frontal' ? [centre.x, centre.y] : [centre.y, centre.x];
  const m = quadric(shape);
  const a = m[along]![along]!;
  return (u, v, out) => {
    const du = u - cu;
    const dv = v - centre.v;
    const b = m[along]![across]! * du + m[along]![2]! * dv;
    const c = m[across]![across]! * du * du + 2 * m[across]![2]! * du * dv + m[2]![2]! * dv * dv - 1;
    const discriminant = b * b - a * c;
    if (discriminant <= 0) return false;
    const root = Math.sqrt(discriminant);
    out.low = ct + (-b - root) / a;
    out.high = ct + (-b + root) / a;
    return true;
  };
}

/** M of (p − centre)ᵀ M (p − centre) = 1, axes x, y, v. */
function quadric({ axes, tilt, pitch }: FindingShape): number[][] {
  const [ct, st, cp, sp] = [Math.cos(tilt), Math.sin(tilt), Math.cos(pitch), Math.sin(pitch)];
  // The shape's own axes in the patient, one a row.
  const own = [[ct, -st * sp, st * cp], [0, cp, sp], [-st, -ct * sp, ct * cp]];
  return [0, 1, 2].map((i) => [0, 1, 2].map((j) => own.reduce((sum, direction, k) => sum + (direction[i]! * direction[j]!) / axes[k]! ** 2, 0)));
}

const SEEN_ON: Readonly<Record<ChestFindingKind, readonly ChestAxis[]>> = { frontal: ['frontal'], lateral: ['lateral'], both: ['frontal', 'lateral'] };
/** Of the densest path through a finding: below this the rim is too faint to be called seen. */
const RIM = 0.3;

/** @param filledMm path through the finding's filled air on each pixel */
export function plantedFinding(kind: ChestFindingKind, axis: ChestAxis, filledMm: Float32Array, columns: number): PlantedFinding {
  const label = FINDING_LABELS[kind];
  if (!SEEN_ON[kind].includes(axis)) return { kind, label, visible: false };
  const rim = filledMm.reduce((most, mm) => Math.max(most, mm), 0) * RIM;
  const mask = Uint8Array.from(filledMm, (mm) => (mm > rim ? 1 : 0));
  let [left, top, right, bottom] = [columns, Infinity, -1, -1];
  for (let i = 0; i < mask.length; i++) {
    if (!mask[i]) continue;
    const row = Math.floor(i / columns);
    [left, top] = [Math.min(left, i % columns), Math.min(top, row)];
    [right, bottom] = [Math.max(right, i % columns), Math.max(bottom, row)];
  }
  // Outside of the film, or where no lung is.
  if (right < 0) return { kind, label, visible: false };
  return { kind, label, visible: true, mask, centre: [(left + right) / 2, (top + bottom) / 2], box: [left, top, right, bottom] };
}
