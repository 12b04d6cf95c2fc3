import type { Overlap } from './overlap.ts';

/**
 * Dice's coefficient 2|A∩B| / (|A| + |B|), 0..1. Both empty: 1, since they agree; one empty: 0.
 *
 * L. R. Dice, "Measures of the amount of ecologic association between species", Ecology 26(3), 1945.
 */
export function dice({ truePositives, falsePositives, falseNegatives }: Overlap): number {
  const sum = 2 * truePositives + falsePositives + falseNegatives;
  return sum === 0 ? 1 : (2 * truePositives) / sum;
}
