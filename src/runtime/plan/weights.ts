import { weightQuads } from '../kernels/convolution.ts';
import { lanesOfChannels, type Lanes } from './lanes.ts';

/** Lanes of an input that are multiplied: of a single quad those up to its last channel, of more all. */
export function multipliedLanes(lanes: Lanes): number {
  return lanes.length > 4 ? 4 : 1 + lanes.reduce((last, channel, lane) => (channel >= 0 ? lane : last), 0);
}

/**
 * A kernel [taps][in][out] as the kernels of convolutions read it: [taps][input lanes][weightQuads · 4], zeros where a quad is
 * filled up.
 */
export function convolutionWeights(kernel: Float32Array, taps: number, input: Lanes, output: Lanes): Float32Array {
  const inLanes = input.length > 4 ? input.length : multipliedLanes(input);
  return spread(kernel, taps, input.slice(0, inLanes), output, weightQuads(output.length / 4) * 4);
}

/** A kernel [in][out] as the kernel of dense layers reads it: [input lanes][outQuads · 4]. */
export function denseWeights(kernel: Float32Array, input: Lanes, output: Lanes): Float32Array {
  return spread(kernel, 1, input, output, output.length);
}

/** A kernel [taps][in][out] as that of transposed convolutions reads it for an output of few channels: [taps][outLanes][input lanes]. */
export function narrowWeights(kernel: Float32Array, taps: number, input: Lanes, output: Lanes, outLanes: number): Float32Array {
  const wide = spread(kernel, taps, input, output, output.length);
  const made = new Float32Array(taps * outLanes * input.length);
  for (let tap = 0; tap < taps; tap++) for (let k = 0; k < outLanes; k++) for (let lane = 0; lane < input.length; lane++) {
    made[(tap * outLanes + k) * input.length + lane] = wide[(tap * input.length + lane) * output.length + k]!;
  }
  return made;
}

/** A kernel [taps][in][out] as that of transposed convolutions reads it: all lanes, [taps][input lanes][weightQuads · 4]. */
export function transposedWeights(kernel: Float32Array, taps: number, input: Lanes, output: Lanes): Float32Array {
  return spread(kernel, taps, input, output, weightQuads(output.length / 4) * 4);
}

function spread(kernel: Float32Array, taps: number, input: Lanes, output: Lanes, width: number): Float32Array {
  const channels = input.filter(channel => channel >= 0).length;
  const at = lanesOfChannels(output);
  const made = new Float32Array(taps * input.length * width);
  for (let tap = 0; tap < taps; tap++) {
    input.forEach((channel, lane) => {
      if (channel < 0) return;
      const to = (tap * input.length + lane) * width;
      const from = (tap * channels + channel) * at.length;
      for (let out = 0; out < at.length; out++) made[to + at[out]!] = kernel[from + out]!;
    });
  }
  return made;
}

/** Rows of values a channel, one after the other, at their lanes: biases, scales, kernels of depthwise convolutions. */
export function byLanes(values: Float32Array | undefined, lanes: Lanes, width = lanes.length): Float32Array {
  const at = lanesOfChannels(lanes);
  const rows = values ? values.length / at.length : 1;
  const made = new Float32Array(rows * width);
  for (let row = 0; values && row < rows; row++) for (let channel = 0; channel < at.length; channel++) made[row * width + at[channel]!] = values[row * at.length + channel]!;
  return made;
}

/** 1 where a channel is, 0 where a quad is filled up. */
export function maskOf(lanes: Lanes): Float32Array {
  return Float32Array.from(lanes, channel => (channel >= 0 ? 1 : 0));
}
