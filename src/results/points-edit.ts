import type { ImageReference } from '../image/image.ts';
import type { Target } from '../manifest.ts';
import type { Count, PointsResult } from './points.ts';

/** What a reader does to one marker. Places are index coordinates: a pixel's centre is a whole number. */
export type PointsEdit =
  | { readonly kind: 'add'; readonly x: number; readonly y: number; readonly classIndex: number }
  | { readonly kind: 'remove'; readonly marker: number }
  | { readonly kind: 'class'; readonly marker: number; readonly classIndex: number };

/**
 * A count after an edit, with its numbers counted anew from its markers: it has no interval, which was the model's, and no
 * density, which knows nothing of the edit. What a reader set has the confidence 1.
 * @param at ISO 8601, UTC
 * @returns the same result where the edit changes nothing: outside of the picture, no such marker or class, the class that it has
 */
export function editPoints(result: PointsResult, edit: PointsEdit, at: string): PointsResult {
  const { coordinates, classOf, confidences, classes, source: { shape: [columns, rows] } } = result;
  if (edit.kind !== 'remove' && !classes[edit.classIndex]) return result;
  if (edit.kind === 'add') {
    const { x, y, classIndex } = edit;
    const inside = x >= -0.5 && y >= -0.5 && x < columns - 0.5 && y < rows - 0.5;
    if (!inside) return result;
    return recounted(result, {
      coordinates: appended(coordinates, x, y), classOf: appended(classOf, classIndex), confidences: appended(confidences, 1),
    }, at);
  }
  const { marker } = edit;
  if (!(marker in classOf)) return result;
  if (edit.kind === 'remove') {
    return recounted(result, {
      coordinates: without(coordinates, 2 * marker, 2), classOf: without(classOf, marker, 1), confidences: without(confidences, marker, 1),
    }, at);
  }
  if (classOf[marker] === edit.classIndex) return result;
  return recounted(result, {
    coordinates, classOf: classOf.with(marker, edit.classIndex), confidences: confidences.with(marker, 1),
  }, at);
}

/** Another palette: more classes, or others' names. Markers keep their class's place in it. */
export function withTargets(result: PointsResult, targets: readonly Target[], at: string): PointsResult {
  const { coordinates, classOf, confidences } = result;
  return recounted(result, { coordinates, classOf, confidences }, at, targets);
}

type Marks = Pick<PointsResult, 'coordinates' | 'classOf' | 'confidences'>;

function recounted(result: PointsResult, marks: Marks, at: string, targets: readonly Target[] = result.classes.map(({ target }) => target)): PointsResult {
  const { density: _, ...rest } = result;
  const counted = countMarkers(marks.classOf, targets.length, result.source);
  return { ...rest, ...marks, editedAt: at, classes: targets.map((target, i) => ({ target, ...counted.classes[i]! })), total: counted.total };
}

/** Counts of markers by class and in all, with their density where the source states its spacing. */
export function countMarkers(classOf: Uint8Array, classes: number, source: Pick<ImageReference, 'shape' | 'spacingMm'>): { readonly classes: readonly Count[]; readonly total: Count } {
  const { shape: [columns, rows], spacingMm } = source;
  const areaMm2 = spacingMm && columns * rows * spacingMm[0] * spacingMm[1];
  const of = (markers: number): Count => ({ count: markers, markers, ...(areaMm2 !== undefined && { cellsPerMm2: markers / areaMm2 }) });
  const byClass = new Array<number>(classes).fill(0);
  for (const classIndex of classOf) byClass[classIndex]!++;
  return { classes: byClass.map(of), total: of(classOf.length) };
}

function appended<A extends Float32Array | Uint8Array>(values: A, ...more: readonly number[]): A {
  const out = new (values.constructor as new (length: number) => A)(values.length + more.length);
  out.set(values);
  out.set(more, values.length);
  return out;
}

function without<A extends Float32Array | Uint8Array>(values: A, from: number, count: number): A {
  const out = new (values.constructor as new (length: number) => A)(values.length - count);
  out.set(values.subarray(0, from));
  out.set(values.subarray(from + count), from);
  return out;
}
