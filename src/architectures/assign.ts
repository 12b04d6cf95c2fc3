import { tensor, type Tensor } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { OverreadError } from '../errors.ts';
import type { CheckpointTensor, StateDict } from '../runtime/checkpoints/state-dict.ts';
import { transposedValues } from '../runtime/strided.ts';

type Layer = LayersModel['layers'][number];

/** A PyTorch tensor's place in a layer, and how its axes are laid out there. */
interface Slot {
  readonly part: 'weight' | 'bias' | 'running_mean' | 'running_var';
  /** `axes[i]` is the PyTorch axis that becomes axis i. */
  readonly axes?: readonly number[];
}

/** By tfjs class name: the PyTorch tensors in the order of the layer's weights. */
const SLOTS: Readonly<Record<string, readonly Slot[]>> = {
  Conv2D: [{ part: 'weight', axes: [2, 3, 1, 0] }, { part: 'bias' }], // OIHW → HWIO
  Dense: [{ part: 'weight', axes: [1, 0] }, { part: 'bias' }],
  BatchNormalization: [{ part: 'weight' }, { part: 'bias' }, { part: 'running_mean' }, { part: 'running_var' }],
};

/** Counters of training that no layer of ours keeps. */
const IGNORED = /(^|\.)num_batches_tracked$/;

/**
 * Gives a network whose layers are named by PyTorch module paths the weights of a state dict, transposed to tfjs'
 * layouts. All or nothing: on an error the network keeps the weights that it had.
 * @throws OverreadError `model/checkpoint`, with every tensor that is missing, unexpected, of another shape, or holds
 *   values that are not finite in its fields
 */
export function assignStateDict(model: LayersModel, state: StateDict): void {
  const given = torchNames(state);
  const missing: string[] = [];
  const misshapen: string[] = [];
  const notFinite: string[] = [];
  const used = new Set<string>();
  const plan: { layer: Layer; values: { found: CheckpointTensor; slot: Slot }[] }[] = [];
  for (const layer of model.layers) {
    if (layer.weights.length === 0) continue;
    const slots = SLOTS[layer.getClassName()];
    if (!slots) throw new OverreadError('internal', `No PyTorch layout is known for layers of the class ${layer.getClassName()}.`, { got: layer.name });
    const values: { found: CheckpointTensor; slot: Slot }[] = [];
    layer.weights.forEach((weight, i) => {
      const slot = slots[i]!;
      const name = `${layer.name}.${slot.part}`;
      const expected = torchShape(weight.shape as number[], slot);
      const found = given.get(name);
      if (!found) { missing.push(`${name} [${expected.join(', ')}]`); return; }
      used.add(name);
      if (found.shape.join() !== expected.join()) misshapen.push(`${name}: expected [${expected.join(', ')}], got [${found.shape.join(', ')}]`);
      else if (!found.values.every(Number.isFinite)) notFinite.push(name);
      else values.push({ found, slot });
    });
    plan.push({ layer, values });
  }
  const unexpected = [...given.keys()].filter(name => !used.has(name) && !IGNORED.test(name));
  if (missing.length + misshapen.length + unexpected.length + notFinite.length > 0) {
    throw mismatch(model.name, { missing, misshapen, unexpected, notFinite });
  }
  for (const { layer, values } of plan) {
    const tensors = values.map(({ found, slot }) => transposed(found, slot));
    layer.setWeights(tensors);
    tensors.forEach(t => t.dispose());
  }
}

/**
 * The state dict by today's names: without a wrapper's prefix ('module.' of DataParallel, 'model.' of torchxrayvision's
 * ResNet) where every tensor has it, and 'norm1' for the 'norm.1' of torchvision before 0.3.
 */
export function torchNames(state: StateDict): StateDict {
  let entries = [...state];
  for (const prefix of ['module.', 'model.']) {
    if (entries.every(([name]) => name.startsWith(prefix))) entries = entries.map(([name, t]) => [name.slice(prefix.length), t]);
  }
  return new Map(entries.map(([name, t]) => [name.replace(/(denselayer\d+\.(?:norm|conv))\.([12])\./, '$1$2.'), t]));
}

function torchShape(shape: readonly number[], { axes }: Slot): number[] {
  if (!axes) return [...shape];
  const out = new Array<number>(shape.length);
  axes.forEach((from, to) => { out[from] = shape[to]!; });
  return out;
}

function transposed(found: CheckpointTensor, { axes }: Slot): Tensor {
  const values = Float32Array.from(found.values);
  if (!axes) return tensor(values, [...found.shape]);
  return tensor(transposedValues(values, found.shape, axes), axes.map(a => found.shape[a]!));
}

function mismatch(network: string, problems: Record<'missing' | 'misshapen' | 'unexpected' | 'notFinite', readonly string[]>): OverreadError {
  const words = { missing: 'missing', misshapen: 'of another shape', unexpected: 'not of this network', notFinite: 'not finite' };
  const parts = Object.entries(problems).filter(([, names]) => names.length > 0)
    .map(([kind, names]) => `${names.length} ${words[kind as keyof typeof words]} (${shortened(names)})`);
  return new OverreadError('model/checkpoint',
    `The checkpoint does not fit the ${network}: tensors ${parts.join('; ')}. Choose the architecture that it was trained with.`, { network, ...problems });
}

function shortened(names: readonly string[], most = 8): string {
  return names.slice(0, most).join('; ') + (names.length > most ? `; and ${names.length - most} more` : '');
}
