import type { Instances } from './instances.ts';

/**
 * What is kept of the network's probabilities, so that a threshold can be moved without running again: a byte a target and
 * pixel, beside the byte of the label.
 */
export interface ProbabilityPlanes {
  /**
   * A plane after the other, in the order of the segments, each laid out as `labels`. A value says how many of the
   * target's {@link stopsOf} the probability reaches; 0 also where the network did not see the pixel.
   */
  readonly values: Uint8Array;
  /** What `labels` was decided at, one a target. */
  readonly operatingPoints: readonly number[];
  /** The mask at the operating points, as the network's own numbers decided it; shared with the result as it was made. */
  readonly labels: Uint8Array;
  /** The manifest's rule, which every threshold obeys. */
  readonly keepLargestComponents?: number;
  /** The objects of the mask at the operating points, where the manifest asks for them. */
  readonly instances?: Instances;
}

/** A result keeps no more of them: 4096 × 4096 pixels of four targets, 256³ voxels of four, and so on. */
export const MAX_PROBABILITY_BYTES = 64 * 2 ** 20;

const STEPS = 200;

/** The thresholds that can be chosen, ascending: every half percent, and the operating point wherever it lies. */
export function stopsOf(operatingPoint: number): readonly number[] {
  const stops = Array.from({ length: STEPS - 1 }, (_, i) => (i + 1) / STEPS);
  return stops.includes(operatingPoint) ? stops : [...stops, operatingPoint].sort((a, b) => a - b);
}

/** The stop that is nearest to a probability. */
export function nearestStop(stops: readonly number[], probability: number): number {
  return stops.reduce((best, stop) => (Math.abs(stop - probability) < Math.abs(best - probability) ? stop : best));
}

/** The middle of the probabilities that have a code. */
export function middleOf(stops: readonly number[], code: number): number {
  return ((stops[code - 1] ?? 0) + (stops[code] ?? 1)) / 2;
}
