import { initializers, input, layers as tfl, model, type LayersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { serialization } from '@tensorflow/tfjs-core';
import fc from 'fast-check';

type Padding = 'same' | 'valid';
/** One step of a random network of volumes. */
export type VolumeStep =
  | { kind: 'conv'; size: number; stride: number; rate: number; padding: Padding; activation: 'relu' | 'elu' | 'linear' }
  | { kind: 'max' | 'average'; size: number; stride: number; padding: Padding }
  | { kind: 'spread'; size: number; stride: number; padding: Padding }
  | { kind: 'slope' | 'dropout' | 'softmax' }
  | { kind: 'branch'; rate: number; join: 'concatenate' | 'add' }
  | { kind: 'unet'; join: boolean };

const padding = fc.constantFrom<Padding>('same', 'valid');
const activation = fc.constantFrom<'relu' | 'elu' | 'linear'>('relu', 'elu', 'linear');
const size = fc.integer({ min: 1, max: 4 });
/** tfjs shifts the grid of volumes where 'same' padding has nothing to add (a stride above the kernel); Keras does not, and nor do we. */
const asKeras = ({ size, stride, padding }: { size: number; stride: number; padding: Padding }) => padding === 'valid' || stride <= size;

export const volumeSteps: fc.Arbitrary<VolumeStep[]> = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('conv'), size: fc.integer({ min: 2, max: 3 }), stride: fc.constant(1), rate: fc.integer({ min: 1, max: 4 }), padding, activation }),
    fc.record({ kind: fc.constant('conv'), size, stride: fc.integer({ min: 1, max: 3 }), rate: fc.constant(1), padding, activation }).filter(asKeras),
    fc.record({ kind: fc.constantFrom('max', 'average'), size: fc.integer({ min: 1, max: 3 }), stride: fc.integer({ min: 1, max: 2 }), padding }).filter(asKeras),
    fc.record({ kind: fc.constant('spread'), size: fc.integer({ min: 2, max: 4 }), stride: fc.integer({ min: 1, max: 2 }), padding }),
    fc.record({ kind: fc.constantFrom('slope', 'dropout', 'softmax') }),
    fc.record({ kind: fc.constant('branch'), rate: fc.integer({ min: 1, max: 3 }), join: fc.constantFrom('concatenate', 'add') }),
    fc.record({ kind: fc.constant('unet'), join: fc.boolean() }),
  ) as fc.Arbitrary<VolumeStep>,
  { minLength: 1, maxLength: 4 },
);

/** tfjs has the layer, but no function that makes it. */
function conv3dTranspose(config: object): { apply(x: SymbolicTensor): unknown } {
  const [Class] = serialization.SerializationMap.getMap().classNameMap['Conv3DTranspose']!;
  return new (Class as unknown as new (config: object) => { apply(x: SymbolicTensor): unknown })(config);
}

/**
 * The network of some steps for volumes of a size, with two channels within; the same seed gives the same weights.
 * @param even by the number of what is summed up, so that values stay about 1 however deep it is, and a bound on differences holds for all
 */
export function volumeNetworkOf(list: readonly VolumeStep[], shape: readonly [number, number, number], seed: number, channels = 1, even = false): LayersModel {
  let made = 0;
  const initializer = () => initializers.randomUniform({ minval: -0.5, maxval: 0.5, seed: seed + made++ });
  const kernelInitializer = () => (even ? initializers.varianceScaling({ scale: 1, mode: 'fanIn', distribution: 'uniform', seed: seed + made++ }) : initializer());
  const apply = (layer: { apply(x: SymbolicTensor | SymbolicTensor[]): unknown }, x: SymbolicTensor | SymbolicTensor[]) => layer.apply(x) as SymbolicTensor;
  const conv = (x: SymbolicTensor, kernelSize: number, more: object = {}) =>
    apply(tfl.conv3d({ filters: 2, kernelSize, kernelInitializer: kernelInitializer(), biasInitializer: initializer(), padding: 'same', ...more }), x);
  const spread = (x: SymbolicTensor, kernelSize: number, strides: number, pad: Padding) =>
    conv3dTranspose({ filters: 2, kernelSize, strides, padding: pad, kernelInitializer: kernelInitializer(), biasInitializer: initializer() }).apply(x) as SymbolicTensor;

  const image = input({ shape: [...shape, channels], name: 'volume' });
  let x: SymbolicTensor = image;
  for (const step of list) {
    switch (step.kind) {
      case 'conv': x = conv(x, step.size, { strides: step.stride, dilationRate: step.rate, padding: step.padding, activation: step.activation }); break;
      case 'max': x = apply(tfl.maxPooling3d({ poolSize: [step.size, step.size, step.size], strides: [step.stride, step.stride, step.stride], padding: step.padding }), x); break;
      case 'average': x = apply(tfl.averagePooling3d({ poolSize: [step.size, step.size, step.size], strides: [step.stride, step.stride, step.stride], padding: step.padding }), x); break;
      case 'spread': x = spread(x, step.size, step.stride, step.padding); break;
      case 'slope': x = apply(tfl.prelu({ alphaInitializer: initializer(), sharedAxes: [1, 2, 3] }), x); break;
      case 'dropout': x = apply(tfl.dropout({ rate: 0.5 }), x); break;
      case 'softmax': x = apply(tfl.softmax(), x); break;
      case 'branch': {
        const [a, b] = [conv(x, 3, { dilationRate: step.rate, activation: 'relu' }), conv(x, 1)];
        x = apply(step.join === 'add' ? tfl.add() : tfl.concatenate({ axis: -1 }), [a, b]);
        break;
      }
      case 'unet': {
        const level = conv(x, 3);
        const deep = conv(apply(tfl.maxPooling3d({ poolSize: [2, 2, 2], strides: [2, 2, 2] }), level), 3);
        const back = spread(deep, 2, 2, 'same');
        x = step.join ? apply(tfl.concatenate({ axis: -1 }), [back, level]) : back;
        break;
      }
    }
  }
  return model({ inputs: image, outputs: conv(x, 1) });
}
