/** What the benchmark runs: networks with seeded random weights, their sizes, and those for an adapter that is no GPU. */
import { initializers, input, layers as tfl, model as modelOf, type LayersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { buildCountCeption } from '../../src/architectures/count-ception.ts';
import { buildDenseNet } from '../../src/architectures/densenet.ts';
import { buildResNet } from '../../src/architectures/resnet.ts';
import { buildUNet } from '../../src/architectures/unet.ts';
import { mulberry32 } from '../../src/metrics/mulberry32.ts';

export interface BenchNetwork {
  /** Side of the input. */
  readonly size: number;
  /** The same on a software adapter, where the full one takes minutes. */
  readonly small: number;
  /** Inputs of a run that go in at once. */
  readonly batch?: number;
  /** Inputs of a run that go in one after the other, as a slide's tiles do. */
  readonly stream?: number;
  build(size: number): LayersModel;
}

const SEED = 42;
const weights = { seed: SEED };
const densenet = (size: number) => buildDenseNet({ inputShape: [size, size], weights });

export const NETWORKS: Readonly<Record<string, BenchNetwork>> = {
  'densenet121': { size: 224, small: 64, build: densenet },
  'densenet121-b8': { size: 224, small: 32, batch: 8, build: densenet },
  'resnet50': { size: 512, small: 64, build: size => buildResNet({ inputShape: [size, size], weights }) },
  'unet': { size: 512, small: 64, build: size => buildUNet({ inputShape: [size, size], width: 16, weights }) },
  'count-ception': { size: 600, small: 32, build: size => buildCountCeption({ inputShape: [size, size], weights }) },
  'meshnet': { size: 256, small: 16, build: meshnet },
  'tiles': { size: 256, small: 64, stream: 8, build: size => buildUNet({ inputShape: [size, size], inChannels: 3, width: 16, weights }) },
};

/** The layers of brainchop's MeshNet with five channels, for volumes of size³; the last is of three classes. */
function meshnet(size: number): LayersModel {
  const random = (seed: number) => initializers.randomUniform({ minval: -0.2, maxval: 0.2, seed });
  const image = input({ shape: [size, size, size, 1], name: 'volume' });
  const features = [1, 2, 4, 8, 16, 8, 4, 2, 1].reduce<SymbolicTensor>((x, dilationRate, i) => {
    const y = tfl.conv3d({ filters: 5, kernelSize: 3, dilationRate, padding: 'same', kernelInitializer: random(SEED + i), biasInitializer: random(SEED + 50 + i) }).apply(x) as SymbolicTensor;
    return tfl.activation({ activation: 'relu' }).apply(y) as SymbolicTensor;
  }, image);
  return modelOf({ inputs: image, outputs: tfl.conv3d({ filters: 3, kernelSize: 1, kernelInitializer: random(SEED + 99) }).apply(features) as SymbolicTensor });
}

/** Multiply-adds by the kernels of all layers for one input, padding counted: what a matrix product of that size would have. */
export function multiplicationsOf(model: LayersModel): number {
  return model.layers.reduce((sum, layer) => {
    const [kernel] = layer.weights.map(({ shape }) => shape as number[]).filter(shape => shape.length > 1);
    if (!kernel) return sum;
    const at = (layer.getClassName().endsWith('Transpose') ? layer.inboundNodes[0]!.inputShapes[0] : layer.outputShape) as (number | null)[];
    return sum + at.slice(1, -1).reduce<number>((product, side) => product * side!, 1) * kernel.reduce((product, side) => product * side, 1);
  }, 0);
}

/** Uniform in -1..1, from a fixed seed: the same numbers for every engine. */
export function benchInput(count: number): Float32Array {
  const next = mulberry32(7);
  return Float32Array.from({ length: count }, () => 2 * next() - 1);
}
