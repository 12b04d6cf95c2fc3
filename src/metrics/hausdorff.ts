import type { SurfaceDistances } from './surface-distance.ts';

/**
 * Hausdorff distance of two surfaces: the farthest that an element of either lies from the other, in the unit of the
 * grid's spacing. Both masks empty: 0, since they agree; one empty: Infinity.
 *
 * F. Hausdorff, "Grundzüge der Mengenlehre", 1914; of masks: D. P. Huttenlocher et al., IEEE PAMI 15(9), 1993.
 * @param distances of `surfaceDistances`
 */
export function hausdorff({ fromTruth, fromPrediction }: SurfaceDistances): number {
  let farthest = 0;
  for (const distance of fromTruth) if (distance > farthest) farthest = distance;
  for (const distance of fromPrediction) if (distance > farthest) farthest = distance;
  return farthest;
}

/**
 * As {@link hausdorff} without the farthest 5 %: the larger of the two directions' 95th percentiles, each linear between
 * order statistics. Implementations differ here: some take the percentile of both directions' distances together.
 *
 * L. Maier-Hein, A. Reinke et al., "Metrics reloaded: recommendations for image analysis validation", Nature Methods 21,
 * 2024, supplement, "Hausdorff distance 95 percentile".
 */
export function hausdorff95({ fromTruth, fromPrediction }: SurfaceDistances): number {
  return Math.max(percentile95(fromTruth), percentile95(fromPrediction));
}

function percentile95(distances: Float64Array): number {
  if (distances.length === 0) return 0;
  const sorted = Float64Array.from(distances).sort();
  const position = 0.95 * (sorted.length - 1);
  const below = Math.floor(position);
  const low = sorted[below]!;
  const high = sorted[Math.min(below + 1, sorted.length - 1)]!;
  // Infinity less itself is not a number.
  return low === high ? low : low + (position - below) * (high - low);
}
