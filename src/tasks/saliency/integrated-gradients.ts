import type { SaliencyMethod } from './method.ts';
import { integerWithin, numberWithin } from './parameters.ts';

export type IntegratedGradientsParameters = {
  /** The image without evidence has this value everywhere; the lowest of the manifest's `valueRange` when left out. */
  readonly baseline: number;
  /** Intervals of the trapezoidal rule, 1..4096; doubled until the attributions add up, or `maxSteps` is reached. */
  readonly steps: number;
  readonly maxSteps: number;
};

/** Attributions that miss the difference of the scores by more are computed with twice the steps. */
const COMPLETE = 0.01;

/**
 * Integrated gradients (Sundararajan, Taly, Yan 2017, "Axiomatic Attribution for Deep Networks", arXiv 1703.01365):
 * (image − baseline) times the mean of the score's derivative on the straight way from baseline to image, added over
 * the channels. Signed; the sum is the difference of the two scores ("completeness"), and by how much it misses that
 * is in the result. The trapezoidal rule is refined between the points that it has, so none is computed twice.
 */
export const integratedGradients: SaliencyMethod<IntegratedGradientsParameters> = {
  id: 'integrated-gradients',

  parameters: ({ baseline, steps = 16, maxSteps = Math.max(steps, 256) }, { valueRange: [min, max] }) => ({
    // A baseline somewhat outside of the range is strange, not wrong; one far off is a mistake.
    baseline: numberWithin('baseline', baseline ?? min, min - (max - min), max + (max - min)),
    steps: integerWithin('steps', steps, 1, 4096),
    maxSteps: integerWithin('maxSteps', maxSteps, steps, 4096),
  }),

  async map({ model, input, shape, target, signal, topWeights, onStep }, { baseline, steps, maxSteps }) {
    const options = { signal, topWeights };
    const from = await model.inputGradient(new Float32Array(input.length).fill(baseline), target, options);
    const to = await model.inputGradient(input, target, options);
    const difference = to.score - from.score;
    // Ends count half.
    const sum = Float64Array.from(from.gradient, (g, i) => (g + to.gradient[i]!) / 2);
    const add = async (fraction: number) => {
      const point = input.map(v => baseline + fraction * (v - baseline));
      const { gradient } = await model.inputGradient(point, target, options);
      for (let i = 0; i < sum.length; i++) sum[i]! += gradient[i]!;
    };

    let used = steps;
    for (let step = 1; step < used; step++) {
      await add(step / used);
      onStep?.(step / used);
    }
    for (;;) {
      const attributions = sum.map((s, i) => (s / used) * (input[i]! - baseline));
      const total = attributions.reduce((a, b) => a + b, 0);
      const missed = Math.abs(total - difference);
      const error = missed === 0 ? 0 : missed / Math.abs(difference);
      if (error <= COMPLETE || used * 2 > maxSteps) {
        onStep?.(1);
        return {
          values: sumOverChannels(attributions, shape[2]), rows: shape[0], columns: shape[1], signed: true, score: to.score,
          parameters: { baseline, steps: used, maxSteps: used }, completeness: { sum: total, difference, error },
        };
      }
      used *= 2;
      for (let step = 1; step < used; step += 2) await add(step / used);
    }
  },
};

function sumOverChannels(values: Float64Array, channels: number): Float32Array {
  const sums = new Float64Array(values.length / channels);
  values.forEach((value, i) => (sums[Math.floor(i / channels)]! += value));
  return Float32Array.from(sums);
}
