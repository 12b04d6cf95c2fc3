import { middleOf, stopsOf } from './probability-planes.ts';
import type { Result } from './result.ts';

/** A pixel below it is no candidate: a picture is not less doubtful for having more background. */
const LEAST = 0.05;

/**
 * How unsure a model is of a picture, 0 to 1 bit, for what to label next (uncertainty sampling: D. D. Lewis and W. A. Gale, SIGIR
 * 1994): of scores the mean entropy over the labels; of a mask the entropy of its pixels, over those that may be of a target.
 * @returns undefined where a result keeps no probabilities, or the model saw nothing that may be a target
 */
export function uncertaintyOf(result: Result): number | undefined {
  if (result.kind === 'scores') return mean(result.scores.map(({ probability }) => entropy(probability)));
  if (result.kind !== 'labelmap' || !result.probabilities) return undefined;
  const { values, operatingPoints } = result.probabilities;
  const pixels = values.length / operatingPoints.length;
  let [sum, candidates] = [0, 0];
  operatingPoints.forEach((point, target) => {
    const stops = stopsOf(point);
    const of = Float64Array.from({ length: stops.length + 1 }, (_, code) => middleOf(stops, code));
    const bits = of.map(entropy);
    for (let i = target * pixels; i < (target + 1) * pixels; i++) {
      const code = values[i]!;
      if (of[code]! < LEAST) continue;
      sum += bits[code]!;
      candidates++;
    }
  });
  return candidates > 0 ? sum / candidates : undefined;
}

function entropy(p: number): number {
  return p <= 0 || p >= 1 ? 0 : -p * Math.log2(p) - (1 - p) * Math.log2(1 - p);
}

function mean(values: readonly number[]): number | undefined {
  return values.length > 0 ? values.reduce((sum, value) => sum + value, 0) / values.length : undefined;
}
