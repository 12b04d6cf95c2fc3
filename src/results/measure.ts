import type { ImageReference } from '../image/image.ts';
import type { Target } from '../manifest.ts';
import type { Segment } from './result.ts';

/**
 * Counts each target's pixels on the source grid and measures them: area in mm² on a single plane, volume in mm³ on a
 * volume, neither where the spacing is unknown.
 * @param labels laid out as the image; target i has the value i + 1
 */
export function measureSegments(labels: Uint8Array, targets: readonly Target[], source: ImageReference): Segment[] {
  const counts = new Float64Array(256);
  for (let i = 0; i < labels.length; i++) counts[labels[i]!]!++;
  return segmentsOf(counts, targets, source);
}

/** Segments of counted pixels. @param counts index: the value in the labelmap */
export function segmentsOf(counts: ArrayLike<number>, targets: readonly Target[], source: ImageReference): Segment[] {
  return targets.map((target, index) => {
    const segmentNumber = index + 1;
    const pixels = counts[segmentNumber]!;
    return { target, segmentNumber, pixels, ...extentOf(pixels, source) };
  });
}

function extentOf(pixels: number, { spacingMm, sliceSpacingMm, shape }: ImageReference): Pick<Segment, 'areaMm2' | 'volumeMm3'> {
  if (!spacingMm) return {};
  const area = pixels * spacingMm[0] * spacingMm[1];
  if (shape[2] === 1) return { areaMm2: area };
  return sliceSpacingMm === undefined ? {} : { volumeMm3: area * sliceSpacingMm };
}
