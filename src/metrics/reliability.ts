/** The items whose probability fell into one bin. */
export interface ReliabilityBin {
  readonly low: number;
  readonly high: number;
  readonly n: number;
  readonly meanProbability: number;
  readonly positives: number;
}

/**
 * A reliability diagram: how often what was given a probability was so. Bins of one width; empty ones are left out.
 *
 * M. H. DeGroot, S. E. Fienberg, "The comparison and evaluation of forecasters", The Statistician 32, 1983.
 */
export function reliability(probabilities: ArrayLike<number>, truths: ArrayLike<boolean>, bins = 10): readonly ReliabilityBin[] {
  const made = Array.from({ length: bins }, (_, b) => ({ low: b / bins, high: (b + 1) / bins, n: 0, sum: 0, positives: 0 }));
  for (let i = 0; i < probabilities.length; i++) {
    const bin = made[Math.min(bins - 1, Math.floor(probabilities[i]! * bins))]!;
    bin.n++;
    bin.sum += probabilities[i]!;
    bin.positives += Number(truths[i]);
  }
  return made.filter(({ n }) => n > 0).map(({ low, high, n, sum, positives }) => ({ low, high, n, meanProbability: sum / n, positives }));
}
