import { tidy, type Tensor, type Tensor4D } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { OverreadError } from '../errors.ts';
import type { DenseNetOptions } from './densenet.ts';
import { answerAuxLoss, buildAuxLoss } from './fusion-auxloss.ts';
import { answerDualNet, buildDualNet } from './fusion-dualnet.ts';
import { answerHemis, buildHemis } from './fusion-hemis.ts';
import { answerStacked, buildStacked } from './fusion-stacked.ts';

export type ChestView = 'PA' | 'L';
const VIEWS: readonly ChestView[] = ['PA', 'L'];

/** Each view [n, rows, columns, channels], scaled as the model's manifest says; a view that is not there is left out. */
export type ViewTensors = Readonly<Partial<Record<ChestView, Tensor4D>>>;

/** What one way of fusing answers for the views that are there. */
export interface FusionAnswer {
  /** Logits [n, classes] from all the views that are there. */
  readonly fused: Tensor;
  /** Logits [n, classes] of each given view's own head, where the network has such heads. */
  readonly perView: Readonly<Partial<Record<ChestView, Tensor>>>;
}

/** The caller disposes the tensors. */
export interface FusedLogits extends FusionAnswer {
  readonly viewsUsed: readonly ChestView[];
  readonly viewsMissing: readonly ChestView[];
  /** What stood in for the missing view, in words for the user; absent when none was missing. */
  readonly substitute?: string;
}

interface Fusion {
  build(options: FusionOptions): LayersModel;
  answer(model: LayersModel, views: ViewTensors): FusionAnswer;
  /** What is done about a missing view. */
  readonly whenMissing: (missing: ChestView) => string;
}

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
  stacked: {
    build: buildStacked,
    answer: answerStacked,
    whenMissing: missing => `A plane of zeros (mid-grey) stood in for the missing ${missing} view.`,
  },
  hemis: {
    build: buildHemis,
    answer: answerHemis,
    whenMissing: missing => `No substitute: the moments were taken over the views that are there, without ${missing}.`,
  },
  dualnet: {
    build: buildDualNet,
    answer: answerDualNet,
    whenMissing: missing => `A picture of zeros (mid-grey) stood in for the missing ${missing} view.`,
  },
  auxloss: {
    build: buildAuxLoss,
    answer: answerAuxLoss,
    whenMissing: missing => `No substitute: the other view's own head answered, without ${missing}.`,
  },
} satisfies Record<string, Fusion>;

export type FusionKind = keyof typeof FUSIONS;
export const FUSION_KINDS = Object.keys(FUSIONS) as readonly FusionKind[];

/** A fusion network with random weights, for training or for weights that come by `assignStateDict`. */
export function buildFusion(kind: FusionKind, options: FusionOptions = {}): LayersModel {
  return FUSIONS[kind].build(options);
}

/**
 * Reads the views that are there, each of one patient and one study (the caller has checked).
 * @param model made by {@link buildFusion} with the same `kind`, or loaded from such a one's files
 * @throws OverreadError `input/refused` when there is no view, or the two are of different sizes
 */
export function readViews(kind: FusionKind, model: LayersModel, views: ViewTensors): FusedLogits {
  const viewsUsed = VIEWS.filter(view => views[view]);
  const viewsMissing = VIEWS.filter(view => !views[view]);
  if (viewsUsed.length === 0) throw new OverreadError('input/refused', 'A fusion network wants a PA view, a lateral view, or both; got none. Choose a study with a chest radiograph.', { expected: VIEWS, got: [] });
  if (views.PA && views.L && views.PA.shape.join() !== views.L.shape.join()) {
    throw new OverreadError('input/refused', `The PA and the lateral view must have one shape; got [${views.PA.shape.join(', ')}] and [${views.L.shape.join(', ')}]. Prepare both for the same model.`, { expected: views.PA.shape, got: views.L.shape });
  }
  const fusion: Fusion = FUSIONS[kind];
  const answer = tidy(() => fusion.answer(model, views) as unknown as Record<string, Tensor>) as unknown as FusionAnswer;
  return {
    ...answer, viewsUsed, viewsMissing,
    ...(viewsMissing.length > 0 && { substitute: fusion.whenMissing(viewsMissing[0]!) }),
  };
}
