import type { ObjectOverlaps, ObjectPair } from './object-matching.ts';

/**
 * Aggregated Jaccard index, 0..1. Each true object takes the predicted one of the largest IoU (several may take the
 * same, as in the paper's algorithm; of equal ones the first); the intersections are summed and divided by the sum of the
 * unions and of all predicted objects that none took. No objects in both: 1.
 *
 * N. Kumar et al., "A dataset and a technique for generalized nuclear segmentation for computational pathology", IEEE
 * TMI 36(7), 2017, algorithm 1.
 * @param overlaps of {@link objectOverlaps}
 */
export function aggregatedJaccard({ truthSizes, predictionSizes, pairs }: ObjectOverlaps): number {
  const best = new Map<number, ObjectPair>();
  for (const pair of pairs) {
    const before = best.get(pair.truth);
    if (!before || pair.iou > before.iou) best.set(pair.truth, pair);
  }
  const taken = new Set<number>();
  let intersections = 0;
  let unions = 0;
  truthSizes.forEach((size, truth) => {
    const pair = best.get(truth);
    if (pair) taken.add(pair.prediction);
    intersections += pair?.intersection ?? 0;
    unions += pair ? size + predictionSizes[pair.prediction]! - pair.intersection : size;
  });
  predictionSizes.forEach((size, prediction) => {
    if (!taken.has(prediction)) unions += size;
  });
  return unions === 0 ? 1 : intersections / unions;
}
