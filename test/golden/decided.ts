import { abs, add, cast, conv2d, getGradient, greater, max, maxPool, mul, sub, tensor, tidy, type GradConfig, type Tensor, type Tensor4D } from '@tensorflow/tfjs-core';

/** Of a layer's largest value: what two devices' float32 sums of one and the same were seen to differ by at most. */
const MARGIN = 1.5e-6;

let side: -1 | 0 | 1 = 0;
let installed = false;

/**
 * A derivative as often as is needed to see what in it is decided: a ReLU so near to its edge that another order of a sum turns it, or a pool of two
 * values that are as good as equal, falls to one side the first time and to the other the second. What of it differs is no answer to hold a device to.
 * @param derivative by tfjs's tape
 * @returns by tfjs's own rules, and how far apart the two are at most
 */
export function decided(derivative: () => Float32Array): { readonly values: Float32Array; readonly apart: number } {
  install();
  const at = (of: typeof side) => {
    side = of;
    try {
      return derivative().slice();
    } finally {
      side = 0;
    }
  };
  const [below, above] = [at(-1), at(1)];
  return { values: at(0), apart: below.reduce((most, value, i) => Math.max(most, Math.abs(value - above[i]!)), 0) };
}

function install(): void {
  if (installed) return;
  installed = true;
  around('Relu', (own, dy, saved, attributes) => (side === 0 ? own(dy, saved, attributes) : {
    x: () => tidy(() => mul(dy as Tensor, cast(greater(saved[0]!, mul(marginOf(saved[0]!), side)), 'float32'))),
  }));
  // Which sums were below zero is not to be seen in what the fused kernel gave.
  around('FusedConv2D', (own, dy, saved, attributes) => {
    const { activation, strides, pad, dilations } = attributes as unknown as { activation: string; strides: [number, number]; pad: 'same' | 'valid' | number; dilations: [number, number] };
    if (side === 0 || activation !== 'relu') return own(dy, saved, attributes);
    const [x, kernel, bias] = saved as [Tensor4D, Tensor4D, Tensor];
    const sums = add(conv2d(x, kernel, strides, pad, 'NHWC', dilations), bias);
    return own(dy, [x, kernel, bias, sub(sums, mul(marginOf(sums), side))], attributes);
  });
  around('MaxPool', (own, dy, saved, attributes) => {
    if (side === 0) return own(dy, saved, attributes);
    const { filterSize, strides, pad } = attributes as unknown as { filterSize: [number, number]; strides: [number, number]; pad: number };
    const [x] = saved as [Tensor4D];
    // Neighbours differ by up to the margin, and the other way round the second time.
    const tilt = tensor(Float32Array.from({ length: x.size }, (_, i) => Math.sin(i * 78.233) / 2), x.shape);
    const tilted = sub(x, mul(mul(marginOf(x), side), tilt)) as Tensor4D;
    return own(dy, [tilted, maxPool(tilted, filterSize, strides, pad)], attributes);
  });
}

const marginOf = (x: Tensor) => mul(max(abs(x)), MARGIN);

function around(kernelName: string, gradFunc: (own: GradConfig['gradFunc'], ...given: Parameters<GradConfig['gradFunc']>) => ReturnType<GradConfig['gradFunc']>): void {
  const rule = getGradient(kernelName)!;
  const own = rule.gradFunc;
  // In place, since registering a second time is warned of.
  rule.gradFunc = (...given) => gradFunc(own, ...given);
}
