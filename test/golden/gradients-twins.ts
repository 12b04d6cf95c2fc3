import { add, dispose, grads, mean, mul, ones, square, sub, sum, tensor, tidy, variableGrads, type Scalar, type Tensor } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { assignStateDict } from '../../src/architectures/assign.ts';
import { buildDenseNet } from '../../src/architectures/densenet.ts';
import { buildFusion } from '../../src/architectures/fusion.ts';
import { buildHemisUNet } from '../../src/architectures/hemis-unet.ts';
import { buildPatchClassifier } from '../../src/architectures/patch-classifier.ts';
import { buildResNet } from '../../src/architectures/resnet.ts';
import { buildUNet } from '../../src/architectures/unet.ts';
import type { FusionKind } from '../../src/manifest.ts';
import { readCheckpoint } from '../../src/runtime/checkpoints/read.ts';
import { TrainableNetwork } from '../../src/training/trainable.ts';
import { decode, goldenBytes, goldenJson, type Encoded } from './torch-golden.ts';

type Digest = readonly [norm: number, ...projections: number[]];
export type Order = 'first' | 'second' | 'training';
interface Derived {
  /** In place of the network's own. */
  readonly inputs?: Encoded[];
  readonly loss: number;
  readonly gradients: Readonly<Record<string, Digest>>;
}
const golden = goldenJson<{ networks: Record<string, { inputs: Encoded[] } & Partial<Record<Order, Derived>>> }>('gradients/golden.json');

export const TWINS = Object.keys(golden.networks);
export const ordersOf = (name: string) => (['first', 'second', 'training'] as const).filter(order => golden.networks[name]![order]);

const SMALL = { classes: 3, growth: 4, blockConfig: [2, 2, 1], initFeatures: 6, bnSize: 2, weights: 'zeros' } as const;

function build(name: string, [rows, columns]: [number, number]): { model: LayersModel; state: string } {
  const inputShape: [number, number] = [rows, columns];
  switch (name) {
    case 'densenet':
      return { model: buildDenseNet({ ...SMALL, inputShape }), state: 'densenet/state.pt' };
    case 'resnet':
      return { model: buildResNet({ inputShape, classes: 3, layers: [1, 2], width: 4, weights: 'zeros' }), state: 'resnet/state.pt' };
    case 'unet':
      return { model: buildUNet({ inputShape, inChannels: 2, classes: 2, depth: 1, width: 3, weights: 'zeros' }), state: 'gradients/unet.safetensors' };
    case 'patch-classifier':
      return { model: buildPatchClassifier({ patchSize: inputShape, inChannels: 2, classes: 2, widths: [3, 4], hidden: [6], weights: 'zeros' }), state: 'gradients/patch-classifier.safetensors' };
    case 'hemis-unet':
      return { model: buildHemisUNet({ inputShape, modalities: ['T1', 'T1c', 'T2', 'FLAIR'], classes: 2, widths: [3, 5, 4], weights: 'zeros' }), state: 'hemis/state.safetensors' };
    default:
      return { model: buildFusion(name as FusionKind, { ...SMALL, inputShape, mergeAfter: 2 }), state: `fusion/${name}.safetensors` };
  }
}

/** How far the derivatives by every weight are from PyTorch's: the farthest of loss, norms and projections, in parts of each. */
export async function farthest(name: string, order: Order): Promise<{ readonly difference: number; readonly at: string; readonly compared: number }> {
  const { inputs, ...orders } = golden.networks[name]!;
  const expected = orders[order]!;
  const encoded = expected.inputs ?? inputs;
  const { model, state } = build(name, encoded[0]!.shape.slice(1, 3) as [number, number]);
  assignStateDict(model, readCheckpoint(goldenBytes(state), state));
  const network = new TrainableNetwork(model, { layers: 'all', norms: order === 'training' ? 'trained' : 'scale' });
  const pictures = encoded.map(decode);
  const present = model.inputNames.includes('present') ? [ones([pictures[0]!.shape[0], model.inputs.at(-1)!.shape[1]!])] : [];
  const run = (of: readonly Tensor[]) => network.compute(name === 'stacked' ? of : [...of, ...present]).outputs;
  const { value, grads: derived } = variableGrads(() => tidy(() => lossOf(run, pictures, order === 'second')), [...network.variables]);

  const off = [Math.abs((await value.data())[0]! - expected.loss) / expected.loss];
  const at = ['loss'];
  const total = Math.hypot(...Object.values(expected.gradients).map(([norm]) => norm));
  for (const variable of network.variables) {
    const wanted = expected.gradients[torchName(variable.name)];
    const got = (await derived[variable.name]!.data()) as Float32Array;
    const [norm, ...projections] = wanted ?? [0, 0, 0, 0];
    // Of a derivative that is 0 but for rounding, rounding is compared with the whole.
    const scale = Math.max(norm!, 1e-3 * total);
    off.push(Math.abs(Math.hypot(...got) - norm!) / scale, ...projections.map((p, k) => Math.abs(got.reduce((s, g, i) => s + g * Math.cos((k + 1) * i + k), 0) - p) / scale));
    at.push(variable.name, ...projections.map(() => variable.name));
  }
  const difference = Math.max(...off);
  dispose([value, derived, pictures, present]);
  model.dispose();
  return { difference, at: at[off.indexOf(difference)]!, compared: Object.keys(expected.gradients).length };
}

function lossOf(run: (of: readonly Tensor[]) => Tensor[], pictures: readonly Tensor[], second: boolean): Scalar {
  const total = run(pictures).map(o => mean(square(sub(tensor(Float32Array.from({ length: o.size }, (_, i) => Math.sin(0.7 * i)), o.shape), o)))).reduce((a, b) => add(a, b)) as Scalar;
  if (!second) return total;
  const slopes = grads((...of: Tensor[]) => run(of).map(o => mean(o)).reduce((a, b) => add(a, b)))([...pictures]);
  return add(total, mul(slopes.map(s => sum(square(s))).reduce((a, b) => add(a, b)), 100));
}

const PARTS: Readonly<Record<string, string>> = { kernel: 'weight', bias: 'bias', gamma: 'weight', beta: 'bias' };

/** 'features.conv0/kernel' → 'features.conv0.weight'; tfjs adds '_1' where a name was given before. */
function torchName(name: string): string {
  const [layer, part] = name.split('/') as [string, string];
  return `${layer}.${PARTS[part.replace(/_\d+$/, '')]}`;
}
