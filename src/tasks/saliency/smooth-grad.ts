import { largestMagnitude } from './input-gradient.ts';
import type { SaliencyMethod } from './method.ts';
import { integerWithin, numberWithin } from './parameters.ts';
import { gaussians } from './random.ts';

export type SmoothGradParameters = {
  /** Noisy copies of the image, 1..1000. */
  readonly samples: number;
  /** The noise's standard deviation, in parts of the range of values that the encoded image has (the paper's "noise level"), 0..1. */
  readonly noise: number;
  readonly seed: number;
};

/**
 * SmoothGrad (Smilkov et al. 2017, "SmoothGrad: removing noise by adding noise", arXiv 1706.03825): the mean of the
 * score's derivatives at `samples` copies of the image with seeded normal noise, then as the input gradient the
 * largest magnitude over the channels. The paper's suggestions are the defaults.
 */
export const smoothGrad: SaliencyMethod<SmoothGradParameters> = {
  id: 'smooth-grad',

  parameters: ({ samples = 25, noise = 0.15, seed = 0 }) => ({
    samples: integerWithin('samples', samples, 1, 1000),
    noise: numberWithin('noise', noise, 0, 1),
    seed: integerWithin('seed', seed, 0, 2 ** 31),
  }),

  async map({ model, input, shape, target, signal, topWeights, onStep }, parameters) {
    const { samples, noise, seed } = parameters;
    const [score] = await model.scores(input, target, { signal, topWeights });
    const deviation = noise * rangeOf(input);
    const next = gaussians(seed);
    const sum = new Float64Array(input.length);
    for (let sample = 0; sample < samples; sample++) {
      const { gradient } = await model.inputGradient(input.map(v => v + deviation * next()), target, { signal, topWeights });
      for (let i = 0; i < sum.length; i++) sum[i]! += gradient[i]!;
      onStep?.((sample + 1) / samples);
    }
    const values = largestMagnitude(sum.map(v => v / samples), shape[2]);
    return { values, rows: shape[0], columns: shape[1], signed: false, score: score!, parameters };
  },
};

function rangeOf(values: Float32Array): number {
  let min = Infinity;
  let max = -Infinity;
  for (const value of values) {
    min = Math.min(min, value);
    max = Math.max(max, value);
  }
  return max - min;
}
