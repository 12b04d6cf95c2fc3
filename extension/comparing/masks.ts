import { dice } from '../../src/metrics/dice.ts';
import type { Grid } from '../../src/metrics/distance-transform.ts';
import { hausdorff, hausdorff95 } from '../../src/metrics/hausdorff.ts';
import { iou } from '../../src/metrics/iou.ts';
import { overlap } from '../../src/metrics/overlap.ts';
import { precision } from '../../src/metrics/precision.ts';
import { recall } from '../../src/metrics/recall.ts';
import { averageSurfaceDistance, surfaceDistances } from '../../src/metrics/surface-distance.ts';
import { relativeVolumeDifference } from '../../src/metrics/volume-difference.ts';
import type { ImageReference } from '../../src/image/image.ts';

/** One number about two masks; distances are absent where one of the two is empty. */
export interface Agreement {
  readonly dice: number;
  readonly iou: number;
  /** Of what A has, the share that B has too; and the other way round. */
  readonly precision: number;
  readonly recall: number;
  readonly hausdorff?: number;
  readonly hausdorff95?: number;
  readonly surfaceDistance?: number;
  /** By how much A is larger than B, as a share of B; absent where B is empty and A is not. */
  readonly relativeDifference?: number;
}

export interface MaskComparison extends Agreement {
  /** Of the distances: 'px' where the image states no spacing. */
  readonly unit: 'mm' | 'px';
  /** Each class by itself, where there are several. */
  readonly classes: readonly ({ readonly label: string } & Agreement)[];
}

/**
 * How well two masks of one grid agree: all classes of each together, and each by itself.
 * @param a labels on the grid of `source`; class i has the value i + 1
 * @param b the same
 * @param classes names of the classes that both speak of
 */
export function compareMasks(a: Uint8Array, b: Uint8Array, classes: readonly string[], source: ImageReference): MaskComparison {
  const { spacingMm, sliceSpacingMm, shape } = source;
  const known = spacingMm !== undefined && (shape[2] === 1 || sliceSpacingMm !== undefined);
  const grid: Grid = { shape, spacing: known ? [...spacingMm, sliceSpacingMm ?? 1] : [1, 1, 1] };
  return {
    ...agreement(a, b, grid),
    unit: known ? 'mm' : 'px',
    classes: classes.length < 2 ? [] : classes.map((label, i) => ({ label, ...agreement(only(a, i + 1), only(b, i + 1), grid) })),
  };
}

/** B is set as the truth, which matters to precision, recall and the difference of sizes alone. */
function agreement(a: Uint8Array, b: Uint8Array, grid: Grid): Agreement {
  const counts = overlap(b, a);
  const distances = surfaceDistances(b, a, grid);
  const finite = { hausdorff: hausdorff(distances), hausdorff95: hausdorff95(distances), surfaceDistance: averageSurfaceDistance(distances), relativeDifference: relativeVolumeDifference(counts) };
  return {
    dice: dice(counts), iou: iou(counts), precision: precision(counts), recall: recall(counts),
    ...Object.fromEntries(Object.entries(finite).filter(([, value]) => Number.isFinite(value))),
  };
}

function only(labels: Uint8Array, label: number): Uint8Array {
  return labels.map(value => (value === label ? 1 : 0));
}
