import { add, mean, mul, tensor, tidy, type Scalar, type Tensor } from '@tensorflow/tfjs-core';
import { activationDifference } from '../losses/activation-difference.ts';
import { binaryCrossEntropy } from '../losses/binary-cross-entropy.ts';
import { categoricalCrossEntropy } from '../losses/categorical-cross-entropy.ts';
import { diceCrossEntropy } from '../losses/dice-cross-entropy.ts';
import { diceLoss } from '../losses/dice-loss.ts';
import { focalLoss } from '../losses/focal-loss.ts';
import { gradientMask } from '../losses/gradient-mask.ts';
import type { Activation } from '../losses/loss.ts';
import { reversalWeight } from '../losses/reverse-gradient.ts';
import { rightReasons } from '../losses/right-reasons.ts';
import type { ModelManifest } from '../manifest.ts';
import type { Batch } from './batches.ts';
import { outputChannels } from './examples.ts';
import type { LossRecipe, Recipe } from './recipe.ts';
import type { SiteHead } from './site-head.ts';
import type { TrainableNetwork } from './trainable.ts';

/** A part of a batch on the device. */
interface Given {
  readonly pictures: Tensor;
  readonly truth: Tensor;
  readonly weights?: Tensor;
  readonly outside?: Tensor;
  readonly masked?: Tensor;
  readonly sites?: Tensor;
}

/** What a recipe needs beside the network and the batch. */
export interface Beside {
  readonly recipe: Recipe;
  readonly manifest: ModelManifest;
  /** Of gradient reversal. */
  readonly siteHead?: SiteHead | undefined;
  /** 0 to 1, how far training is. */
  readonly progress: number;
}

/** The loss of a part of a batch, and the logits behind it. Runs under tfjs's tape; the caller tidies. */
export function objective(network: TrainableNetwork, batch: Batch, [from, to]: readonly [number, number], { recipe, manifest, siteHead, progress }: Beside): { readonly loss: Scalar; readonly logits: Tensor; readonly truth: Tensor } {
  const { pictures, truth, weights, outside, masked, sites } = onDevice(batch, from, to, manifest);
  const activation = manifest.output.activation as Activation;
  const guided = recipe.guidance;
  const map = guided?.kind === 'activdiff' || guided?.kind === 'reversal' ? [network.representation()] : [];
  const { outputs, also } = network.compute([pictures], map);
  const logits = outputs.at(-1)!;
  const base = lossOf(recipe.loss, activation, truth, logits, weights);
  if (!guided) return { loss: base, logits, truth };
  const guidance = { network: (x: Tensor) => network.compute([x]).outputs.at(-1)!, pictures, outside: outside!, activation };
  const added = {
    rrr: () => rightReasons(guidance),
    gradmask: () => gradientMask(guidance),
    activdiff: () => activationDifference(pooled(also[0]!), pooled(network.compute([masked!], map).also[0]!)),
    reversal: () => siteHead!.loss(also[0]!, sites!, reversalWeight(progress)),
  }[guided.kind]();
  return { loss: add(base, mul(added, guided.weight)), logits, truth };
}

/** Of a representation that is a feature map, the mean over rows and columns. */
function pooled(features: Tensor): Tensor {
  return features.rank === 4 ? mean(features, [1, 2]) : features;
}

function lossOf(loss: LossRecipe, activation: Activation, truth: Tensor, logits: Tensor, weights?: Tensor): Scalar {
  const options = { activation, ...(weights && { weights }) };
  switch (loss.kind) {
    case 'cross-entropy':
      return activation === 'softmax' ? categoricalCrossEntropy(truth, logits, logits.rank > 2 ? weights : undefined) : binaryCrossEntropy(truth, logits, weights);
    case 'dice':
      return diceLoss(truth, logits, options);
    case 'dice-cross-entropy':
      return diceCrossEntropy(truth, logits, { ...options, diceShare: loss.diceShare });
    case 'focal':
      return focalLoss(truth, logits, { ...options, gamma: loss.gamma });
  }
}

function onDevice({ rows, columns, ...batch }: Batch, from: number, to: number, manifest: ModelManifest): Given {
  const n = to - from;
  const area = rows * columns;
  const channels = manifest.input.shape.at(-1)!;
  const outputs = outputChannels(manifest);
  const part = (values: Float32Array, each: number, shape: number[]) => tensor(values.subarray(from * each, to * each), [n, ...shape]);
  const ofMasks = manifest.task === 'segment';
  return tidy(() => ({
    pictures: part(batch.pictures, area * channels, [rows, columns, channels]),
    truth: ofMasks ? part(batch.truth, area * outputs, [rows, columns, outputs]) : part(batch.truth, outputs, [outputs]),
    ...(batch.weights && { weights: ofMasks ? part(batch.weights, area, [rows, columns, 1]) : part(batch.weights, outputs, [outputs]) }),
    ...(batch.outside && { outside: part(batch.outside, area, [rows, columns, 1]) }),
    ...(batch.sites && { sites: part(batch.sites, batch.sites.length / batch.size, [batch.sites.length / batch.size]) }),
    ...(batch.masked && { masked: part(batch.masked, area * channels, [rows, columns, channels]) }),
  }));
}
