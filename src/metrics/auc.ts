import { OverreadError } from '../errors.ts';

/** The area for these items, each counted as often as `weights` says; undefined where one of the two classes is absent. */
export type WeightedAuc = (weights?: ArrayLike<number>) => number | undefined;

/**
 * Area under the ROC curve: the chance that a positive scores above a negative, ties counting half. The items are
 * sorted once; each call is then linear, so that a bootstrap may weigh them thousands of times.
 *
 * J. A. Hanley and B. J. McNeil, "The meaning and use of the area under a receiver operating characteristic (ROC)
 * curve", Radiology 143(1), 1982.
 *
 * @param scores any scale, one an item; larger is more positive
 * @param truths of the same length
 * @throws OverreadError `internal` when the lengths differ or a score is no number
 */
export function aucOver(scores: ArrayLike<number>, truths: ArrayLike<boolean>): WeightedAuc {
  checkPairs(scores, truths);
  const order = Uint32Array.from({ length: scores.length }, (_, i) => i).sort((a, b) => scores[a]! - scores[b]!);
  return weights => {
    let [positives, negatives, area] = [0, 0, 0];
    for (let i = 0; i < order.length; ) {
      let [tiedPositives, tiedNegatives] = [0, 0];
      const score = scores[order[i]!];
      for (; i < order.length && scores[order[i]!] === score; i++) {
        const weight = weights ? weights[order[i]!]! : 1;
        if (truths[order[i]!]) tiedPositives += weight;
        else tiedNegatives += weight;
      }
      area += tiedPositives * (negatives + tiedNegatives / 2);
      positives += tiedPositives;
      negatives += tiedNegatives;
    }
    return positives > 0 && negatives > 0 ? area / (positives * negatives) : undefined;
  };
}

/** {@link aucOver} of all items, each counted once. */
export function auc(scores: ArrayLike<number>, truths: ArrayLike<boolean>): number | undefined {
  return aucOver(scores, truths)();
}

function checkPairs(scores: ArrayLike<number>, truths: ArrayLike<boolean>): void {
  if (scores.length !== truths.length) {
    throw new OverreadError('internal', `Expected a truth for each score, got ${scores.length} scores and ${truths.length} truths.`, { expected: scores.length, got: truths.length });
  }
  for (let i = 0; i < scores.length; i++) {
    if (Number.isNaN(scores[i])) throw new OverreadError('internal', `Expected scores that are numbers, got NaN at ${i}.`, { got: 'NaN' });
  }
}
