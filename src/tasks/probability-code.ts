import type { ModelManifest } from '../manifest.ts';
import type { Instances } from '../results/instances.ts';
import { MAX_PROBABILITY_BYTES, stopsOf, type ProbabilityPlanes } from '../results/probability-planes.ts';
import { DEFAULT_OPERATING_POINT } from './pixel-rule.ts';

/** How a pixel's probability of one target is kept: how many of its stops it reaches. */
export interface ProbabilityCoder {
  /** One a target. */
  readonly operatingPoints: readonly number[];
  /** @param at where the pixel's channels begin; @param target from 0 */
  code(values: Float32Array, at: number, target: number): number;
}

/**
 * How a segmentation's probabilities are kept for another threshold. Stops are compared in the network's own numbers, as
 * `pixelRule` compares the operating point.
 * @param pixels of the source
 * @returns undefined where a threshold does not decide (a softmax over several targets: the likeliest one is taken), and
 *   where the planes would be larger than {@link MAX_PROBABILITY_BYTES}
 */
export function probabilityCoder({ output: { activation, gives, targets } }: ModelManifest, pixels: number): ProbabilityCoder | undefined {
  if (pixels * targets.length > MAX_PROBABILITY_BYTES) return undefined;
  const single = activation === 'softmax' && targets.length === 1;
  if (activation !== 'sigmoid' && !single) return undefined;
  const operatingPoints = targets.map(target => {
    const { operatingPoint = DEFAULT_OPERATING_POINT } = target;
    // The likelier of two has at least one half.
    return single ? Math.max(operatingPoint, DEFAULT_OPERATING_POINT) : operatingPoint;
  });
  const stops = operatingPoints.map(point => Float64Array.from(stopsOf(point), stop => (gives === 'logits' ? Math.log(stop / (1 - stop)) : stop)));
  // Of background and one target, the difference of the logits is the target's own.
  const value = single
    ? (values: Float32Array, at: number) => (gives === 'logits' ? values[at + 1]! - values[at]! : values[at + 1]!)
    : (values: Float32Array, at: number, target: number) => values[at + target]!;
  return { operatingPoints, code: (values, at, target) => reached(stops[target]!, value(values, at, target)) };
}

/** The planes of a finding whose labels have just been decided. */
export function planesOf(values: Uint8Array, labels: Uint8Array, { operatingPoints }: ProbabilityCoder, { output }: ModelManifest, instances?: Instances): ProbabilityPlanes {
  const { keepLargestComponents: kept } = output;
  return { values, labels, operatingPoints, ...(kept !== undefined && { keepLargestComponents: kept }), ...(instances && { instances }) };
}

/** How many of ascending stops are at or below a value. */
function reached(stops: Float64Array, value: number): number {
  let low = 0;
  let high = stops.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (value >= stops[middle]!) low = middle + 1;
    else high = middle;
  }
  return low;
}
