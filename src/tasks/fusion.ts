import { concat, tensor2d, tidy, zeros, type Tensor } from '@tensorflow/tfjs-core';
import type { View } from '../image/view.ts';
import type { FusionKind } from '../manifest.ts';

export const VIEWS: readonly View[] = ['PA', 'L'];

/** What the network gave, [n, targets]: from all the views that are there, and from each of them alone. */
export interface FusionAnswer {
  readonly fused: Float32Array;
  readonly alone: { readonly [V in View]?: Float32Array };
}

/**
 * How the fusion networks (`architectures/fusion-*`; Hashir et al. 2020, "Quantifying the Value of Lateral Views in
 * Deep Learning for Chest X-rays", arXiv 2002.02582) are fed when a view is not there, in words for the user.
 */
export const WHEN_MISSING: { readonly [K in FusionKind]: (missing: View) => string } = {
  // The first convolution has no bias, so a plane of zeros adds nothing to it.
  stacked: missing => `A plane of zeros (mid-grey) stood in for the missing ${missing} view.`,
  dualnet: missing => `A picture of zeros (mid-grey) stood in for the missing ${missing} view.`,
  hemis: missing => `No substitute: the moments were taken over the views that are there, without ${missing}.`,
  auxloss: missing => `No substitute: the other view's own head answered, without ${missing}.`,
};

/**
 * The network's inputs for one study. AuxLoss answers each view by a head of its own, in one row; the others are asked
 * in a batch: all views, then, where there are two, each by itself, the other being as if it were not there.
 * @param views encoded, [n, rows, columns, channels] each, n being 1 for one study; one view at least
 * @returns [PA, L] or [PA, L, present], of n rows for each of {@link askedRows}; the caller disposes them
 */
export function fusionInputs(kind: FusionKind, views: { readonly [V in View]?: Tensor }): Tensor[] {
  const rows = askedRows(kind, VIEWS.filter(view => views[view]));
  const shape = (views.PA ?? views.L)!.shape;
  return tidy(() => {
    const none = zeros(shape);
    const planes = VIEWS.map(view => concat(rows.map(asked => (asked.includes(view) ? views[view]! : none)), 0));
    if (kind !== 'hemis') return planes;
    const present = rows.flatMap(asked => Array.from({ length: shape[0]! }, () => VIEWS.map(view => Number(asked.includes(view)))));
    return [...planes, tensor2d(present)];
  });
}

/** Which views the rows of the batch show. */
export function askedRows(kind: FusionKind, used: readonly View[]): readonly (readonly View[])[] {
  return kind === 'auxloss' || used.length === 1 ? [used] : [used, ...used.map(view => [view])];
}

/**
 * @param outputs values of the network's last tensors, in their order, each [rows, classes]: one, or of AuxLoss those of the joint
 *   head, of PA's and of L's
 */
export function fusionAnswer(kind: FusionKind, used: readonly View[], outputs: readonly Float32Array[]): FusionAnswer {
  if (kind === 'auxloss') {
    const [joint, pa, lateral] = outputs as [Float32Array, Float32Array, Float32Array];
    const heads = { PA: pa, L: lateral };
    // The joint head was never given a single view.
    if (used.length === 1) return { fused: heads[used[0]!], alone: { [used[0]!]: heads[used[0]!] } };
    return { fused: joint, alone: heads };
  }
  const rows = askedRows(kind, used);
  const [all] = outputs as [Float32Array];
  const classes = all.length / rows.length;
  const row = (i: number) => all.slice(i * classes, (i + 1) * classes);
  return { fused: row(0), alone: Object.fromEntries(used.map((view, i) => [view, row(used.length === 1 ? 0 : i + 1)])) };
}
