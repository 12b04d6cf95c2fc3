import type { Types } from '@cornerstonejs/core';
import type { Region } from '../../src/image/tiles.ts';
import { apply, determinant, invert } from '../overlays/affine.ts';
import type { CanvasTransform } from '../overlays/heatmap-placement.ts';
import type { CornerstoneViewport } from '../types/ohif.ts';

/** What is called of the OpenLayers map that dicom-microscopy-viewer draws a slide on. Its pixels are those of CSS. */
export interface SlideMap {
  on(event: 'postrender', listener: () => void): unknown;
  un(event: 'postrender', listener: () => void): void;
  getViewport(): HTMLElement;
  getSize(): readonly number[] | undefined;
  /** Null before the first frame was drawn. */
  getPixelFromCoordinate(coordinate: readonly [number, number]): readonly number[] | null;
}

/** Cornerstone's whole slide viewport. */
export interface SlideViewport extends CornerstoneViewport {
  /** Absent until the slide's first level is there; another one once another slide is shown. */
  readonly map?: SlideMap;
  getCurrentImageId(): string | undefined;
  /** To pixels of the page within the map. */
  worldToCanvas(world: Types.Point3): Types.Point2;
}

export function isSlideViewport(viewport: CornerstoneViewport | null | undefined): viewport is SlideViewport {
  return (viewport as { readonly type?: string } | null | undefined)?.type === 'wholeSlide';
}

/** The total pixel matrix of the level that has most pixels: the map counts in these. */
export interface MatrixSize {
  readonly columns: number;
  readonly rows: number;
}

/**
 * From coordinates on the base level's matrix, in its pixels, (0, 0) the outer corner of the first one, to CSS pixels of
 * the map. Three corners through the map's own camera say all: pan, zoom, rotation.
 * The map has x along a row and y against a column, and begins at (0, −1).
 * @returns undefined while the map has drawn nothing
 */
export function matrixToMap(map: SlideMap, { columns, rows }: MatrixSize): CanvasTransform | undefined {
  const at = (column: number, row: number) => map.getPixelFromCoordinate([column, -1 - row]);
  const [corner, right, bottom] = [at(0, 0), at(columns, 0), at(0, rows)];
  if (!corner || !right || !bottom) return undefined;
  const transform = [
    (right[0]! - corner[0]!) / columns, (right[1]! - corner[1]!) / columns,
    (bottom[0]! - corner[0]!) / rows, (bottom[1]! - corner[1]!) / rows,
    corner[0]!, corner[1]!,
  ] as const;
  return transform.every(Number.isFinite) && determinant(transform) !== 0 ? transform : undefined;
}

/**
 * The whole pixels of a plane that can be seen through a window; undefined where none can.
 * @param planeToWindow as {@link matrixToMap}, from the plane's pixels
 * @param window its width and height, in what the transform maps to
 */
export function visibleRegion(planeToWindow: CanvasTransform, window: readonly [width: number, height: number], plane: MatrixSize): Region | undefined {
  const toPlane = invert(planeToWindow);
  const back = (x: number, y: number) => apply(toPlane, x, y);
  const [width, height] = window;
  const corners = [back(0, 0), back(width, 0), back(0, height), back(width, height)];
  const span = (axis: 0 | 1, size: number) => {
    const along = corners.map(corner => corner[axis]);
    // A rounding error must not take in one more pixel.
    const from = Math.max(0, Math.floor(Math.min(...along) + 1e-6));
    return [from, Math.min(size, Math.ceil(Math.max(...along) - 1e-6)) - from] as const;
  };
  const [x, columns] = span(0, plane.columns);
  const [y, rows] = span(1, plane.rows);
  return columns > 0 && rows > 0 ? { x, y, columns, rows } : undefined;
}
