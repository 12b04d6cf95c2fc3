import type { SaliencyMethod } from './method.ts';

/**
 * Input gradient (Simonyan, Vedaldi, Zisserman 2013, "Deep Inside Convolutional Networks", arXiv 1312.6034): at each
 * pixel the largest magnitude, over the channels, of the score's derivative. One forward and one backward pass.
 */
export const inputGradient: SaliencyMethod<Record<string, never>> = {
  id: 'input-gradient',
  parameters: () => ({}),
  async map({ model, input, shape, target, signal, topWeights, onStep }, parameters) {
    const { score, gradient } = await model.inputGradient(input, target, { signal, topWeights });
    onStep?.(1);
    return { values: largestMagnitude(gradient, shape[2]), rows: shape[0], columns: shape[1], signed: false, score, parameters };
  },
};

/** max over channels of |v|: [rows, columns, channels] → [rows, columns] */
export function largestMagnitude(values: ArrayLike<number>, channels: number): Float32Array {
  const out = new Float32Array(values.length / channels);
  for (let i = 0; i < values.length; i++) {
    const pixel = Math.floor(i / channels);
    out[pixel] = Math.max(out[pixel]!, Math.abs(values[i]!));
  }
  return out;
}
