/**
 * What lets a viewer write the numbers of a measurement group over the picture. OHIF shows a group only where one of its
 * numbers has coordinates (and loads none of the report where one group has none), reads a polyline's label from them, and
 * names the group by its comment. So each group says in a comment what it is of, and one number has coordinates whose
 * concept says that they are no region of the finding.
 */
import type { LabelmapResult } from '../results/result.ts';
import { imageItem, polylineInImage, textItem, type Content } from './content.ts';
import { referencedImage, sourceOf, type ExportContext } from './derived.ts';
import { Concept, Own } from './report.ts';
import type { SourceInstance } from './source.ts';

type Pictured = SourceInstance & { readonly frame: number };

/** The name of a group as a viewer writes it. */
export const groupName = (label: string, more?: string): Content => textItem('CONTAINS', Concept.comment, `${label} (AI${more ? `, ${more}` : ''})`);

/** A short line at the left edge of the picture, the `index`-th of `count`. Frames of slides are no place for it. */
export function labelPlace(index: number, count: number, picture: Pictured): Content[] {
  if (picture.slide !== undefined) return [];
  const y = (picture.rows * (index + 0.5)) / count;
  return [polylineInImage(Own.labelPlace, [0, y, picture.columns / 50, y], imageItem('SELECTED FROM', undefined, referencedImage(picture)))];
}

/** The box around a segment on the slice that has most of it; the place of a label where it is empty. */
export function segmentPlace({ labels, source }: Pick<LabelmapResult, 'labels' | 'source'>, segmentNumber: number, place: readonly [index: number, count: number], context: ExportContext): Content[] {
  const [columns, rows, slices] = source.shape;
  const plane = columns * rows;
  let most = 0, at = 0;
  for (let slice = 0; slice < slices; slice++) {
    let pixels = 0;
    for (let i = slice * plane; i < (slice + 1) * plane; i++) pixels += Number(labels[i] === segmentNumber);
    if (pixels > most) [most, at] = [pixels, slice];
  }
  const picture = sourceOf(source.sources[at]!, context);
  if (most === 0 || picture.slide !== undefined) return labelPlace(...place, picture);
  let [left, top, right, bottom] = [columns, rows, 0, 0];
  for (let i = 0; i < plane; i++) {
    if (labels[at * plane + i] !== segmentNumber) continue;
    const [x, y] = [i % columns, Math.floor(i / columns)];
    [left, top, right, bottom] = [Math.min(left, x), Math.min(top, y), Math.max(right, x + 1), Math.max(bottom, y + 1)];
  }
  return [polylineInImage(Own.box, [left, top, right, top, right, bottom, left, bottom, left, top], imageItem('SELECTED FROM', undefined, referencedImage(picture)))];
}
