import type { Overlap } from './overlap.ts';

/**
 * Of what was predicted, the share that is true (positive predictive value), 0..1.
 * Nothing predicted: 1, for nothing that was said is wrong; {@link recall} then shows what was missed.
 *
 * C. J. van Rijsbergen, "Information Retrieval", 2nd ed., 1979, chapter 7.
 */
export function precision({ truePositives, falsePositives }: Overlap): number {
  const predicted = truePositives + falsePositives;
  return predicted === 0 ? 1 : truePositives / predicted;
}
