import type { Overlap } from './overlap.ts';

/**
 * Of what is true, the share that was predicted (sensitivity), 0..1.
 * Nothing there to find: 1, for nothing was missed; {@link precision} then shows what was invented.
 *
 * C. J. van Rijsbergen, "Information Retrieval", 2nd ed., 1979, chapter 7.
 */
export function recall({ truePositives, falseNegatives }: Overlap): number {
  const present = truePositives + falseNegatives;
  return present === 0 ? 1 : truePositives / present;
}
