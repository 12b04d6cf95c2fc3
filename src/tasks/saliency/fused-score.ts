import type { View } from '../../image/view.ts';
import type { FusionKind } from '../../manifest.ts';
import type { AskedInput } from '../../runtime/types.ts';
import { VIEWS } from '../fusion.ts';

/**
 * The fused score of a study as a function of one view's picture: the other one stays as it is, and where there is none
 * the network is fed as `fusionInputs` feeds it, and the head is the one that `fusionAnswer` reads.
 * @param planes the encoded pictures that are there, the asked one among them
 */
export function fusedScoreBy(view: View, kind: FusionKind, planes: { readonly [V in View]?: Float32Array }): AskedInput {
  const none = planes[view]!.map(() => 0);
  const others: Record<string, Float32Array> = Object.fromEntries(VIEWS.filter(v => v !== view).map(v => [v, planes[v] ?? none]));
  if (kind === 'hemis') others['present'] = Float32Array.from(VIEWS, v => Number(planes[v] !== undefined));
  const together = VIEWS.every(v => planes[v]);
  // AuxLoss has three heads (joint, PA, L), and the joint one was never given a single view.
  return { name: view, others, output: kind === 'auxloss' && !together ? 1 + VIEWS.indexOf(view) : 0 };
}
