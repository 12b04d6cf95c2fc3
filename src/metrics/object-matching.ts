import { OverreadError } from '../errors.ts';
import type { Labels } from './overlap.ts';

/** A true and a predicted object that share pixels. */
export interface ObjectPair {
  /** Index into `truthSizes`. */
  readonly truth: number;
  /** Index into `predictionSizes`. */
  readonly prediction: number;
  /** Pixels that both hold. */
  readonly intersection: number;
  /** Intersection over union, above 0 and up to 1. */
  readonly iou: number;
}

/** How the objects of two label images lie over each other; all that object metrics need of the pixels. */
export interface ObjectOverlaps {
  /** Pixels of each true object, in the order in which they first appear. */
  readonly truthSizes: readonly number[];
  readonly predictionSizes: readonly number[];
  /** Every pair with a common pixel, sorted by `truth`, then `prediction`. */
  readonly pairs: readonly ObjectPair[];
}

/** True and predicted objects set against each other, one to one. */
export interface ObjectMatches {
  readonly matched: readonly ObjectPair[];
  readonly truePositives: number;
  /** Predicted objects without a true one. */
  readonly falsePositives: number;
  /** True objects without a predicted one. */
  readonly falseNegatives: number;
}

/**
 * Counts how objects overlap. An object is all pixels of one label, whatever its number and whether or not they touch;
 * 0 is background.
 * @param truth object labels of any shape, 2D or 3D, flattened
 * @param prediction object labels of the same length
 * @throws OverreadError `internal` when the lengths differ
 */
export function objectOverlaps(truth: Labels, prediction: Labels): ObjectOverlaps {
  if (truth.length !== prediction.length) {
    throw new OverreadError(
      'internal',
      `Expected true and predicted objects on one grid, got ${truth.length} and ${prediction.length} pixels. Bring both to one grid first.`,
      { expected: truth.length, got: prediction.length },
    );
  }
  const truths = new Sizes();
  const predictions = new Sizes();
  // By true object: how many pixels it shares with each predicted one.
  const shared: Map<number, number>[] = [];
  for (let i = 0; i < truth.length; i++) {
    const t = truths.count(truth[i]!);
    const p = predictions.count(prediction[i]!);
    if (t < 0 || p < 0) continue;
    const row = (shared[t] ??= new Map());
    row.set(p, (row.get(p) ?? 0) + 1);
  }
  const pairs = shared.flatMap((row, t) =>
    [...row]
      .sort(([a], [b]) => a - b)
      .map(([p, intersection]) => ({ truth: t, prediction: p, intersection, iou: intersection / (truths.sizes[t]! + predictions.sizes[p]! - intersection) })),
  );
  return { truthSizes: truths.sizes, predictionSizes: predictions.sizes, pairs };
}

/**
 * Matches objects one to one where their IoU reaches a threshold. From 0.5 on an object has at most one partner, or,
 * at exactly 0.5, two that split it in halves: then the first is taken, and no other choice would match more.
 *
 * The criterion of J. C. Caicedo et al., "Nucleus segmentation across imaging experiments: the 2018 Data Science
 * Bowl", Nature Methods 16, 2019.
 * @param minimumIou 0.5..1, reached or passed
 * @throws OverreadError `internal` for a threshold under 0.5, where one object could have several partners
 */
export function matchObjects({ truthSizes, predictionSizes, pairs }: ObjectOverlaps, minimumIou = 0.5): ObjectMatches {
  if (!(minimumIou >= 0.5 && minimumIou <= 1)) {
    throw new OverreadError('internal', `Expected an IoU from 0.5 to 1 to match objects at, got ${minimumIou}. Below 0.5 an object may have several partners.`, { expected: [0.5, 1], got: minimumIou });
  }
  const takenTruths = new Set<number>();
  const takenPredictions = new Set<number>();
  const matched = pairs.filter(({ truth, prediction, iou }) => {
    if (iou < minimumIou || takenTruths.has(truth) || takenPredictions.has(prediction)) return false;
    takenTruths.add(truth);
    takenPredictions.add(prediction);
    return true;
  });
  return {
    matched,
    truePositives: matched.length,
    falsePositives: predictionSizes.length - matched.length,
    falseNegatives: truthSizes.length - matched.length,
  };
}

/** Sizes of objects by the order in which their labels appear. */
class Sizes {
  readonly sizes: number[] = [];
  readonly #indices = new Map<number, number>();
  // Neighbouring pixels mostly share their label: the map is asked at borders only.
  #label = 0;
  #index = -1;

  /** @returns the object's index, −1 for background */
  count(label: number): number {
    if (label === 0) return -1;
    if (label !== this.#label) {
      this.#label = label;
      this.#index = this.#indices.get(label) ?? this.sizes.push(0) - 1;
      this.#indices.set(label, this.#index);
    }
    this.sizes[this.#index]!++;
    return this.#index;
  }
}
