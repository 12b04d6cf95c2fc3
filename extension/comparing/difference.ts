import { DIFFERENCE, differenceOf } from '../../src/results/difference.ts';
import { measureSegments } from '../../src/results/measure.ts';
import type { PointsResult } from '../../src/results/points.ts';
import { countMarkers } from '../../src/results/points-edit.ts';
import type { HeatmapResult, LabelmapResult, ResultBase } from '../../src/results/result.ts';

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

export interface PairNames {
  readonly a: string;
  readonly b: string;
}

const target = (region: keyof typeof DIFFERENCE, label: string) => ({
  label, color: [...DIFFERENCE_COLORS[region]] as [number, number, number], concept: { ...CONCEPT, codeValue: `difference-${region}`, codeMeaning: label },
});

/** Of what a difference takes over: image, device and time of A. */
function base({ device, source, timingMs, createdAt, model }: ResultBase, names: PairNames): ResultBase {
  return {
    device, source, timingMs, createdAt,
    model: { id: MODEL_ID, version: '1.0.0', name: `Difference: ${names.a} and ${names.b}`, sha256: `${names.a}\n${names.b}`, notice: model.notice },
  };
}

/**
 * Two masks as one that says where they agree and where only one of them has something, to be drawn like any mask.
 * @param masks not 0 where each has something, on the grid of `a`
 */
export function differenceResult(a: LabelmapResult, names: PairNames, masks: { readonly a: ArrayLike<number>; readonly b: ArrayLike<number> }): LabelmapResult {
  const labels = differenceOf(masks.a, masks.b);
  const targets = [target('both', 'Both'), target('onlyA', `Only ${names.a}`), target('onlyB', `Only ${names.b}`)];
  return { kind: 'labelmap', ...base(a, names), labels, segments: measureSegments(labels, targets, a.source) };
}

/** A place and what it is: a value of {@link DIFFERENCE}. */
export interface DifferentPoint {
  readonly x: number;
  readonly y: number;
  readonly is: (typeof DIFFERENCE)[keyof typeof DIFFERENCE];
}

/** Two counts as one whose markers say which are matched, and which only one of the two has. */
export function pointsDifference(a: PointsResult, names: PairNames, points: readonly DifferentPoint[]): PointsResult {
  const classOf = Uint8Array.from(points, ({ is }) => is - 1);
  const { classes, total } = countMarkers(classOf, 3, a.source);
  const targets = [target('both', 'Matched'), target('onlyA', `Only ${names.a}`), target('onlyB', `Only ${names.b}`)];
  return {
    kind: 'points', ...base(a, names), total, classOf,
    coordinates: Float32Array.from(points.flatMap(({ x, y }) => [x, y])),
    confidences: new Float32Array(points.length).fill(1),
    classes: targets.map((of, i) => ({ target: of, ...classes[i]! })),
  };
}

/** How much stronger a map is than another at each pixel. @param values a − b, each as a share of its own largest magnitude */
export function mapDifference(a: HeatmapResult, names: PairNames, values: Float32Array): HeatmapResult {
  const label = `${names.a} less ${names.b}`;
  return { kind: 'heatmap', ...base(a, names), values, range: [-1, 1], target: { label, concept: { ...CONCEPT, codeValue: 'difference-maps', codeMeaning: label } } };
}

export function isDifference({ model }: Pick<LabelmapResult, 'model'>): boolean {
  return model.id === MODEL_ID;
}
