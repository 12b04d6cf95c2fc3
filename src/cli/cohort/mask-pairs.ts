import type { LabelmapResult, Result } from '../../results/result.ts';
import { isInstanceReference } from '../../image/image.ts';
import { dice } from '../../metrics/dice.ts';
import { iou } from '../../metrics/iou.ts';
import { overlap } from '../../metrics/overlap.ts';

/** Masks of one label by two models on one picture. */
export interface MaskPair {
  readonly label: string;
  readonly picture: string;
  /** Ids of the models, in the order of the command line. */
  readonly models: readonly [a: string, b: string];
  readonly dice?: number;
  readonly iou?: number;
  /** Why there is no number. */
  readonly refused?: string;
}

/** Compares each model's masks with those of each model after it. */
export function maskPairs(results: readonly (readonly Result[])[]): MaskPair[] {
  const masks = results.map(of => of.filter(result => result.kind === 'labelmap'));
  return masks.flatMap((of, i) => masks.slice(i + 1).flatMap(others => of.flatMap(a => others.flatMap(b => (pictureOf(a) === pictureOf(b) ? compare(a, b) : [])))));
}

function compare(a: LabelmapResult, b: LabelmapResult): MaskPair[] {
  return a.segments.flatMap(segment => {
    const { label } = segment.target;
    const other = b.segments.find(({ target }) => target.label === label);
    if (!other) return [];
    const pair = { label, picture: pictureOf(a), models: [a.model.id, b.model.id] as const };
    const [own, theirs] = [a.source.shape.join(' × '), b.source.shape.join(' × ')];
    if (own !== theirs) return { ...pair, refused: `masks on different grids: ${own} and ${theirs}` };
    const counts = overlap(one(a, segment.segmentNumber), one(b, other.segmentNumber), 1);
    return { ...pair, dice: dice(counts), iou: iou(counts) };
  });
}

function one({ labels }: LabelmapResult, segmentNumber: number): Uint8Array {
  return labels.map(label => Number(label === segmentNumber));
}

/** The first instance and frame of a result, or its file: what tells two models' results of one picture. */
export function pictureOf({ source: { sources: [first] } }: Pick<Result, 'source'>): string {
  if (!first) return '';
  return isInstanceReference(first) ? `${first.sopInstanceUID}#${first.frame}` : first.file;
}
