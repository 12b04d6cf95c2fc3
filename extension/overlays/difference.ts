import { DIFFERENCE, differenceOf } from '../../src/results/difference.ts';
import { measureSegments } from '../../src/results/measure.ts';
import type { LabelmapResult } from '../../src/results/result.ts';

const MODEL_ID = 'overread-difference';

/**
 * Colours that stay apart from each other with red, green and blue blindness (by M. Machado, M. Oliveira and L. Fernandes,
 * IEEE TVCG 15(6), 2009), of M. Okabe and K. Ito's set: sky blue and vermilion for either alone, yellow for both.
 */
export const DIFFERENCE_COLORS = {
  both: [240, 228, 66],
  onlyA: [86, 180, 233],
  onlyB: [213, 94, 0],
} as const satisfies Record<keyof typeof DIFFERENCE, readonly [number, number, number]>;

const CONCEPT = { codingSchemeDesignator: '99OVERREAD' } as const;

/**
 * Two masks as one that says where they agree and where only one of them has something, to be drawn like any mask.
 * @param a whose image, device and time it takes over
 * @param masks not 0 where each has something, on the grid of `a`
 */
export function differenceResult(a: LabelmapResult, names: { readonly a: string; readonly b: string }, masks: { readonly a: ArrayLike<number>; readonly b: ArrayLike<number> }): LabelmapResult {
  const { device, source, timingMs, createdAt, model } = a;
  const labels = differenceOf(masks.a, masks.b);
  const target = (region: keyof typeof DIFFERENCE, label: string) => ({
    label, color: [...DIFFERENCE_COLORS[region]] as [number, number, number], concept: { ...CONCEPT, codeValue: `difference-${region}`, codeMeaning: label },
  });
  const targets = [target('both', 'Both'), target('onlyA', `Only ${names.a}`), target('onlyB', `Only ${names.b}`)];
  return {
    kind: 'labelmap', device, source, timingMs, createdAt, labels,
    model: { id: MODEL_ID, version: '1.0.0', name: `Difference: ${names.a} and ${names.b}`, sha256: `${names.a}\n${names.b}`, notice: model.notice },
    segments: measureSegments(labels, targets, source),
  };
}

export function isDifference({ model }: Pick<LabelmapResult, 'model'>): boolean {
  return model.id === MODEL_ID;
}
