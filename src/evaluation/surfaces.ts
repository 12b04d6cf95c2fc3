import type { Grid } from '../metrics/distance-transform.ts';
import { hausdorff, hausdorff95 } from '../metrics/hausdorff.ts';
import { overlap } from '../metrics/overlap.ts';
import { averageSurfaceDistance, surfaceDistances } from '../metrics/surface-distance.ts';
import { relativeVolumeDifference, volumeDifference } from '../metrics/volume-difference.ts';
import type { ImageReference } from '../image/image.ts';

/** Metrics of one pair of masks. The name of each ends in its unit: `Mm`, or `Px` where the picture states no spacing. */
export type SurfaceScores = Readonly<Record<string, number>>;

/**
 * Distances of the surfaces of two masks, and the difference of their sizes. What is not finite, since one of the masks
 * is empty, is in there as Infinity.
 * @param truth ones and zeros on the image's grid
 */
export function scoreSurfaces(truth: Uint8Array, prediction: Uint8Array, image: ImageReference): SurfaceScores {
  const { grid, unit } = gridOf(image);
  const distances = surfaceDistances(truth, prediction, grid);
  const counts = overlap(truth, prediction);
  const size = grid.spacing[0] * grid.spacing[1] * grid.spacing[2];
  return {
    [`hausdorff${unit}`]: hausdorff(distances),
    [`hausdorff95${unit}`]: hausdorff95(distances),
    [`surfaceDistance${unit}`]: averageSurfaceDistance(distances),
    [sizeName(image, unit)]: volumeDifference(counts, size),
    relativeVolumeDifference: relativeVolumeDifference(counts),
  };
}

/** Millimetres where all axes are known, else pixels. */
function gridOf({ shape, spacingMm, sliceSpacingMm }: ImageReference): { grid: Grid; unit: 'Mm' | 'Px' } {
  const known = spacingMm && (shape[2] === 1 || sliceSpacingMm !== undefined);
  return known ? { grid: { shape, spacing: [...spacingMm, sliceSpacingMm ?? 1] }, unit: 'Mm' } : { grid: { shape, spacing: [1, 1, 1] }, unit: 'Px' };
}

function sizeName({ shape }: ImageReference, unit: 'Mm' | 'Px'): string {
  if (unit === 'Px') return 'volumeDifferencePx';
  return shape[2] === 1 ? 'areaDifferenceMm2' : 'volumeDifferenceMm3';
}
