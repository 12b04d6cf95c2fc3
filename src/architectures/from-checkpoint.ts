import { enableProdMode, setBackend } from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { OverreadError } from '../errors.ts';
import type { StateDict } from '../runtime/checkpoints/state-dict.ts';
import { assignStateDict, torchNames } from './assign.ts';
import { buildDenseNet, DENSENET121, type DenseNetOptions } from './densenet.ts';
import { buildResNet, RESNET50, type ResNetOptions } from './resnet.ts';

/** What a state dict can be read as. The two without a number take every size from the tensors' shapes. */
export const ARCHITECTURES = {
  densenet121: { size: 224, head: 'classifier', build: (size: number, state: StateDict) => buildDenseNet({ ...DENSENET121, ...denseNetEnds(state), ...square(size), weights: 'zeros' }) },
  resnet50: { size: 512, head: 'fc', build: (size: number, state: StateDict) => buildResNet({ ...RESNET50, ...resNetEnds(state), ...square(size), weights: 'zeros' }) },
  densenet: { size: 224, head: 'classifier', build: (size: number, state: StateDict) => buildDenseNet({ ...denseNetSizes(state), ...square(size), weights: 'zeros' }) },
  resnet: { size: 224, head: 'fc', build: (size: number, state: StateDict) => buildResNet({ ...resNetSizes(state), ...square(size), weights: 'zeros' }) },
} as const;

export type Architecture = keyof typeof ARCHITECTURES;

/** The number of outputs of a state dict that is read as `architecture`. */
export function outputsOf(architecture: Architecture, state: StateDict): number {
  return sizeOf(torchNames(state), `${ARCHITECTURES[architecture].head}.weight`, 0);
}

/**
 * A network with the checkpoint's weights, on tfjs' plain JavaScript backend: made to be saved, not to be run.
 * @param size rows and columns of the input; the architecture's own when left out
 * @throws OverreadError `model/checkpoint` when the tensors are not this architecture's
 */
export async function networkFromCheckpoint(architecture: Architecture, given: StateDict, size?: number): Promise<LayersModel> {
  // Without tfjs' advice to install another backend: nothing is computed here.
  enableProdMode();
  await setBackend('cpu');
  const state = torchNames(given);
  const model = ARCHITECTURES[architecture].build(size ?? ARCHITECTURES[architecture].size, state);
  try {
    assignStateDict(model, state);
    return model;
  } catch (error) {
    model.dispose();
    throw error;
  }
}

function square(size: number): { inputShape: [number, number] } {
  return { inputShape: [size, size] };
}

function denseNetEnds(state: StateDict): DenseNetOptions {
  return { inChannels: sizeOf(state, 'features.conv0.weight', 1), classes: sizeOf(state, 'classifier.weight', 0) };
}

function resNetEnds(state: StateDict): ResNetOptions {
  return { inChannels: sizeOf(state, 'conv1.weight', 1), classes: sizeOf(state, 'fc.weight', 0) };
}

function denseNetSizes(state: StateDict): DenseNetOptions {
  const growth = sizeOf(state, 'features.denseblock1.denselayer1.conv2.weight', 0);
  return {
    ...denseNetEnds(state), growth,
    initFeatures: sizeOf(state, 'features.conv0.weight', 0),
    bnSize: sizeOf(state, 'features.denseblock1.denselayer1.conv1.weight', 0) / growth,
    blockConfig: counts(state, /^features\.denseblock(\d+)\.denselayer(\d+)\.conv1\.weight$/, 1),
  };
}

function resNetSizes(state: StateDict): ResNetOptions {
  return { ...resNetEnds(state), width: sizeOf(state, 'conv1.weight', 0), layers: counts(state, /^layer(\d+)\.(\d+)\.conv3\.weight$/, 0) };
}

/** How many parts each block has, by the highest number in the names. `first` is the number of a block's first part. */
function counts(state: StateDict, pattern: RegExp, first: number): number[] {
  const most: number[] = [];
  for (const name of state.keys()) {
    const [, block, part] = pattern.exec(name) ?? [];
    // A number past any real network's is not counted: the tensor is then named as unexpected.
    if (!block || Number(block) < 1 || Number(block) > 16 || Number(part) > 512) continue;
    most[Number(block) - 1] = Math.max(most[Number(block) - 1] ?? 0, Number(part) - first + 1);
  }
  return Array.from(most, count => count ?? 0);
}

function sizeOf(state: StateDict, name: string, axis: number): number {
  const size = state.get(name)?.shape[axis];
  if (size === undefined || size < 1) {
    const names = [...state.keys()].slice(0, 3);
    throw new OverreadError('model/checkpoint',
      `The checkpoint has no tensor ${name}; expected one, got ${state.size} tensors that begin with ${names.join(', ')}. Choose the architecture that it was trained with.`,
      { expected: name, got: names });
  }
  return size;
}
