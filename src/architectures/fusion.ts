import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { DenseNetOptions } from './densenet.ts';
import { buildAuxLoss } from './fusion-auxloss.ts';
import { buildDualNet } from './fusion-dualnet.ts';
import { buildHemis } from './fusion-hemis.ts';
import { buildStacked } from './fusion-stacked.ts';

/** The DenseNet of each branch; left out options are those of DenseNet-121. */
export interface FusionOptions extends DenseNetOptions {
  /** HeMIS only: dense blocks that each view has for itself before the moments are taken. */
  readonly mergeAfter?: number;
  /** HeMIS only: take the mean alone. */
  readonly variance?: boolean;
}

/**
 * Four ways to read a PA and a lateral view together (Hashir et al. 2020, "Quantifying the Value of Lateral Views in
 * Deep Learning for Chest X-rays", arXiv 2002.02582).
 */
const FUSIONS = {
  stacked: buildStacked,
  hemis: buildHemis,
  dualnet: buildDualNet,
  auxloss: buildAuxLoss,
} as const;

export type FusionKind = keyof typeof FUSIONS;

export const FUSION_KINDS = Object.keys(FUSIONS) as readonly FusionKind[];

/**
 * A fusion network with random weights, for training or for weights that come by `assignStateDict`. How it is fed and
 * read when a view is missing stands in `tasks/fusion.ts`.
 */
export function buildFusion(kind: FusionKind, options: FusionOptions = {}): LayersModel {
  return FUSIONS[kind](options);
}
