import { initializers, input, layers as tfl, model, type LayersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import fc from 'fast-check';

/** One step of a random network; the sizes make networks small enough to be run whole. */
export type Step =
  | { kind: 'conv' | 'separable'; size: number; stride: number; rate: number; padding: 'same' | 'valid' }
  | { kind: 'max' | 'average'; size: number; stride: number; padding: 'same' | 'valid' }
  | { kind: 'spread'; size: number; stride: number; padding: 'same' | 'valid' }
  | { kind: 'up'; factor: number; interpolation: 'nearest' | 'bilinear' }
  | { kind: 'pad' | 'crop'; before: number; after: number }
  | { kind: 'normalise' }
  | { kind: 'branch'; size: number; rate: number; join: 'concatenate' | 'add' }
  | { kind: 'unet'; join: boolean; up: 'up' | 'spread'; size: number };

const padding = fc.constantFrom<'same' | 'valid'>('same', 'valid');
const size = fc.integer({ min: 1, max: 4 });

export const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constantFrom<'conv' | 'separable'>('conv', 'separable'), size, stride: fc.integer({ min: 1, max: 3 }), rate: fc.constant(1), padding }),
    fc.record({ kind: fc.constant<'conv'>('conv'), size: fc.integer({ min: 2, max: 3 }), stride: fc.constant(1), rate: fc.integer({ min: 1, max: 3 }), padding }),
    fc.record({ kind: fc.constantFrom<'max' | 'average'>('max', 'average'), size: fc.integer({ min: 1, max: 3 }), stride: fc.integer({ min: 1, max: 3 }), padding }),
    fc.record({ kind: fc.constant<'spread'>('spread'), size: fc.integer({ min: 2, max: 4 }), stride: fc.constant(2), padding }),
    fc.record({ kind: fc.constant<'spread'>('spread'), size: fc.constant(3), stride: fc.constant(1), padding }),
    fc.record({ kind: fc.constant<'up'>('up'), factor: fc.constant(2), interpolation: fc.constantFrom<'nearest' | 'bilinear'>('nearest', 'bilinear') }),
    fc.record({ kind: fc.constantFrom<'pad' | 'crop'>('pad', 'crop'), before: fc.integer({ min: 0, max: 2 }), after: fc.integer({ min: 0, max: 2 }) }),
    fc.constant<Step>({ kind: 'normalise' }),
    fc.record({ kind: fc.constant<'branch'>('branch'), size: fc.integer({ min: 2, max: 3 }), rate: fc.integer({ min: 1, max: 2 }), join: fc.constantFrom<'concatenate' | 'add'>('concatenate', 'add') }),
    fc.record({ kind: fc.constant<'unet'>('unet'), join: fc.boolean(), up: fc.constantFrom<'up' | 'spread'>('up', 'spread'), size: fc.integer({ min: 2, max: 4 }) }),
  ) as fc.Arbitrary<Step>,
  { minLength: 1, maxLength: 4 },
);

/**
 * The network of some steps for an input of any size, with two channels within. The same seed gives the same weights;
 * without one, all are positive, so that a brighter pixel can only make its outputs larger.
 */
export function networkOf(list: readonly Step[], [rows, columns]: readonly [number | null, number | null], seed?: number, channels = 1): LayersModel {
  let made = 0;
  const initializer = () => (seed === undefined ? initializers.constant({ value: 0.5 }) : initializers.randomUniform({ minval: -1, maxval: 1, seed: seed + made++ }));
  const bias = () => (seed === undefined ? initializers.zeros() : initializer());
  const image = input({ shape: [rows, columns, channels], name: 'image' });
  const apply = (layer: { apply(x: SymbolicTensor | SymbolicTensor[]): unknown }, x: SymbolicTensor | SymbolicTensor[]) => layer.apply(x) as SymbolicTensor;
  const conv = (x: SymbolicTensor, kernelSize: number, more: { strides?: number; dilationRate?: number; padding: 'same' | 'valid' }) =>
    apply(tfl.conv2d({ filters: 2, kernelSize, kernelInitializer: initializer(), biasInitializer: bias(), ...(seed !== undefined && { activation: 'elu' as const }), ...more }), x);
  const spread = (x: SymbolicTensor, kernelSize: number, strides: number, pad: 'same' | 'valid') =>
    apply(tfl.conv2dTranspose({ filters: 2, kernelSize, strides, padding: pad, kernelInitializer: initializer(), biasInitializer: bias() }), x);

  let x: SymbolicTensor = image;
  for (const step of list) {
    switch (step.kind) {
      case 'conv': x = conv(x, step.size, { strides: step.stride, dilationRate: step.rate, padding: step.padding }); break;
      case 'separable':
        x = apply(tfl.separableConv2d({ filters: 2, kernelSize: step.size, strides: step.stride, padding: step.padding, depthwiseInitializer: initializer(), pointwiseInitializer: initializer(), biasInitializer: bias() }), x);
        break;
      case 'max': x = apply(tfl.maxPooling2d({ poolSize: step.size, strides: step.stride, padding: step.padding }), x); break;
      case 'average': x = apply(tfl.averagePooling2d({ poolSize: step.size, strides: step.stride, padding: step.padding }), x); break;
      case 'spread': x = spread(x, step.size, step.stride, step.padding); break;
      case 'up': x = apply(tfl.upSampling2d({ size: [step.factor, step.factor], interpolation: step.interpolation }), x); break;
      case 'pad': x = apply(tfl.zeroPadding2d({ padding: [[step.before, step.after], [step.before, step.after]] }), x); break;
      case 'crop': x = apply(tfl.cropping2D({ cropping: [[step.before, step.after], [step.before, step.after]] }), x); break;
      case 'normalise':
        x = apply(tfl.batchNormalization({ gammaInitializer: 'ones', movingVarianceInitializer: 'ones', betaInitializer: bias(), movingMeanInitializer: bias() }), x);
        break;
      case 'branch': {
        const [a, b] = [conv(x, step.size, { dilationRate: step.rate, padding: 'same' }), conv(x, 1, { padding: 'same' })];
        x = apply(step.join === 'add' ? tfl.add() : tfl.concatenate({ axis: -1 }), [a, b]);
        break;
      }
      case 'unet': {
        const level = conv(x, 3, { padding: 'same' });
        const deep = conv(apply(tfl.maxPooling2d({ poolSize: 2 }), level), 3, { padding: 'same' });
        const back = step.up === 'up' ? apply(tfl.upSampling2d({ size: [2, 2] }), deep) : spread(deep, step.size, 2, 'same');
        x = step.join ? apply(tfl.concatenate({ axis: -1 }), [back, level]) : back;
        break;
      }
    }
  }
  return model({ inputs: image, outputs: conv(x, 1, { padding: 'valid' }) });
}
