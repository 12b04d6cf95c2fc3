import type { Overlap } from './overlap.ts';

/**
 * Intersection over union |A∩B| / |A∪B|, 0..1. Both empty: 1, since they agree; one empty: 0.
 *
 * P. Jaccard, "The distribution of the flora in the alpine zone", New Phytologist 11(2), 1912.
 */
export function iou({ truePositives, falsePositives, falseNegatives }: Overlap): number {
  const union = truePositives + falsePositives + falseNegatives;
  return union === 0 ? 1 : truePositives / union;
}
