import type { SaliencyMethod } from './method.ts';

export type GradCamParameters = {
  /** The layer whose feature map is weighed; the last one before rows and columns are given up when left out. */
  readonly layer: string;
};

/**
 * Grad-CAM (Selvaraju et al. 2017, "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
 * Localization", arXiv 1610.02391): the channels of a feature map, each weighed with the mean over all pixels of the
 * score's derivative by it, added up; negative sums are 0. As coarse as the feature map. One forward pass, and one
 * backward pass from the top to that layer only.
 */
export const gradCam: SaliencyMethod<GradCamParameters> = {
  id: 'grad-cam',

  // Which layer is the last one is known to the network only; the empty name asks for it.
  parameters: ({ layer = '' }) => ({ layer }),

  async map({ model, input, target, signal, topWeights, activations: known, onStep }, { layer: asked }) {
    const { layer, shape, score, activations, gradient } = await model.layerGradient(input, target, {
      signal, topWeights, activations: known, ...(asked !== '' && { layer: asked }),
    });
    const [rows, columns, channels] = shape;
    const pixels = rows * columns;
    const weights = new Float64Array(channels);
    for (let i = 0; i < gradient.length; i++) weights[i % channels]! += gradient[i]! / pixels;
    const values = new Float32Array(pixels);
    for (let pixel = 0; pixel < pixels; pixel++) {
      let sum = 0;
      for (let c = 0; c < channels; c++) sum += weights[c]! * activations[pixel * channels + c]!;
      values[pixel] = Math.max(0, sum);
    }
    onStep?.(1);
    return { values, rows, columns, signed: false, score, parameters: { layer }, activations };
  },
};
