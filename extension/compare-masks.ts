import { dice } from '../src/metrics/dice.ts';
import type { Grid } from '../src/metrics/distance-transform.ts';
import { hausdorff, hausdorff95 } from '../src/metrics/hausdorff.ts';
import { iou } from '../src/metrics/iou.ts';
import { overlap } from '../src/metrics/overlap.ts';
import { precision } from '../src/metrics/precision.ts';
import { recall } from '../src/metrics/recall.ts';
import { averageSurfaceDistance, surfaceDistances } from '../src/metrics/surface-distance.ts';
import { relativeVolumeDifference } from '../src/metrics/volume-difference.ts';
import { OverreadError } from '../src/errors.ts';
import { isInstanceReference, type ImageReference } from '../src/image/image.ts';
import type { LabelmapResult } from '../src/results/result.ts';
import { frameKey } from './identity.ts';

/** A mask that is at hand: a result, or a segmentation of the viewer. */
export interface Mask {
  readonly name: string;
  readonly labels: Uint8Array;
  readonly segments: readonly { readonly segmentNumber: number; readonly label: string }[];
}

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
  /** Segments of one name in both masks, where either has several. */
  readonly classes: readonly ({ readonly label: string } & Agreement)[];
}

/**
 * How well two masks of one grid agree: all segments of each together, and those of the same name.
 * @param a on the grid of `source`
 */
export function compareMasks(a: Mask, b: Mask, source: ImageReference): MaskComparison {
  const { spacingMm, sliceSpacingMm, shape } = source;
  const known = spacingMm !== undefined && (shape[2] === 1 || sliceSpacingMm !== undefined);
  const grid: Grid = { shape, spacing: known ? [...spacingMm, sliceSpacingMm ?? 1] : [1, 1, 1] };
  const several = a.segments.length > 1 || b.segments.length > 1;
  const pairs = several ? a.segments.flatMap(one => b.segments.filter(other => other.label.toLowerCase() === one.label.toLowerCase()).map(other => [one, other] as const)) : [];
  return {
    ...agreement(a.labels, b.labels, grid),
    unit: known ? 'mm' : 'px',
    classes: pairs.map(([one, other]) => ({ label: one.label, ...agreement(only(a.labels, one.segmentNumber), only(b.labels, other.segmentNumber), grid) })),
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

/**
 * A mask of a result, if it lies on the grid of another: the same frames, in the same order, of the same size.
 * @throws OverreadError `input/inconsistent` where it does not
 */
export function maskOnGrid(result: LabelmapResult, name: string, of: LabelmapResult, ofName: string): Mask {
  const keys = ({ source: { sources } }: LabelmapResult) => sources.map(s => (isInstanceReference(s) ? frameKey(s) : s.file)).join();
  if (keys(result) !== keys(of) || result.source.shape.join() !== of.source.shape.join()) throw otherGrid(ofName, of.source, name, describeGrid(result.source));
  return maskOf(result, name);
}

export function maskOf({ labels, segments }: LabelmapResult, name: string): Mask {
  return { name, labels, segments: segments.map(({ segmentNumber, target }) => ({ segmentNumber, label: target.label })) };
}

export function otherGrid(name: string, source: ImageReference, other: string, where: string): OverreadError {
  return new OverreadError(
    'input/inconsistent',
    `Expected two masks on the same images, got ${name} on ${describeGrid(source)} and ${other} on ${where}. Compare masks of one image or of one series.`,
    { expected: source.shape, got: where },
  );
}

/** 'CR PA Chest, 1024 × 1024' */
export function describeGrid({ modality, attributes: { viewPosition, seriesDescription }, shape: [columns, rows, slices] }: ImageReference): string {
  const what = [modality, viewPosition, seriesDescription].filter(Boolean).join(' ');
  return `${what}, ${columns} × ${rows}${slices > 1 ? ` × ${slices}` : ''}`;
}
