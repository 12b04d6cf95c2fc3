/** Ways to ask a classifier where a score came from; each has its file, with its paper, in src/tasks/saliency. */
export type SaliencyMethodId = 'input-gradient' | 'smooth-grad' | 'integrated-gradients' | 'grad-cam' | 'occlusion';

/** Integrated gradients: how well the attributions add up to what they share out. */
export interface Completeness {
  /** The sum of all attributions. */
  readonly sum: number;
  /** The score of the image less that of the baseline. */
  readonly difference: number;
  /** |sum − difference| / |difference|; 0 when both are 0. */
  readonly error: number;
}

/**
 * The same map with the model's top layer replaced by seeded random weights (Adebayo et al. 2018, "Sanity Checks for
 * Saliency Maps", arXiv 1810.03292). A map that hardly changes shows the picture's edges and not what was learnt.
 */
export type RandomisationCheck =
  | {
      /** Spearman's rank correlation of the two maps' magnitudes, −1..1. */
      readonly similarity: number;
      /** Above it the map deserves a warning. A convention of ours; the paper states none. */
      readonly threshold: number;
      readonly suspicious: boolean;
      readonly layer: string;
      readonly seed: number;
      readonly ms: number;
    }
  /** The model's layers cannot be reached (a graph model): why there was no check. */
  | { readonly unavailable: string };

/** How a heat map was made. It is a hint where to look, never a proof of why. */
export interface SaliencyDetails {
  readonly method: SaliencyMethodId;
  /** All parameters as they were used, the defaults among them. */
  readonly parameters: Readonly<Record<string, number | string>>;
  /** What the network gave for the target, before any calibration, and what kind of number that is. */
  readonly score: number;
  readonly scoreIs: 'logit' | 'probability';
  /** True: negative values speak against the target. False: values are 0 and more, the largest matter most. */
  readonly signed: boolean;
  /** The map's own [rows, columns], before it was brought to the source's grid. */
  readonly mapSize: readonly [rows: number, columns: number];
  readonly completeness?: Completeness;
  readonly randomisation: RandomisationCheck;
}
