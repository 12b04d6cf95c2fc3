import { OverreadError } from '../errors.ts';

/** What a threshold does: a score at or above it counts as positive. */
export interface RocPoint {
  readonly threshold: number;
  readonly sensitivity: number;
  readonly specificity: number;
  /** Undefined where nothing is called positive. */
  readonly ppv: number | undefined;
}

/**
 * Every threshold that tells the items apart in another way, from the highest down. Thresholds lie halfway between two
 * scores, so that none of them hangs on the last digit of one.
 *
 * T. Fawcett, "An introduction to ROC analysis", Pattern Recognition Letters 27, 2006.
 * @param scores probabilities
 * @throws OverreadError `dataset/invalid` without positives or without negatives
 */
export function rocPoints(scores: ArrayLike<number>, truths: ArrayLike<boolean>): readonly RocPoint[] {
  const order = Array.from({ length: scores.length }, (_, i) => i).sort((a, b) => scores[b]! - scores[a]!);
  const positives = order.filter(i => truths[i]).length;
  const negatives = order.length - positives;
  if (positives === 0 || negatives === 0) {
    throw new OverreadError('dataset/invalid', `Expected items with and without the finding, got ${positives} with and ${negatives} without. Collect both.`, { got: [positives, negatives] });
  }
  const points: RocPoint[] = [];
  let [right, wrong] = [0, 0];
  for (let i = 0; i < order.length; ) {
    const score = scores[order[i]!]!;
    for (; i < order.length && scores[order[i]!] === score; i++) {
      if (truths[order[i]!]) right++;
      else wrong++;
    }
    const below = i < order.length ? scores[order[i]!]! : 0;
    points.push({ threshold: (score + below) / 2, sensitivity: right / positives, specificity: 1 - wrong / negatives, ppv: right / (right + wrong) });
  }
  return points;
}

/** What an operating point is to reach at least. */
export interface OperatingGoal {
  readonly by: 'sensitivity' | 'specificity' | 'ppv';
  readonly least: number;
}

/** Of the points that reach the goal, the one that gives away least: by specificity for a sensitivity, else by sensitivity. */
export function chooseOperatingPoint(points: readonly RocPoint[], { by, least }: OperatingGoal): RocPoint | undefined {
  const other = by === 'sensitivity' ? 'specificity' : 'sensitivity';
  return points.filter(point => (point[by] ?? 0) >= least).reduce<RocPoint | undefined>((best, point) => (!best || point[other] > best[other] ? point : best), undefined);
}
