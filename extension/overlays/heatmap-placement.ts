import type { Types } from '@cornerstonejs/core';
import type { CornerstoneViewport } from '../types/ohif.ts';

/** What drawing over an image asks of a stack viewport of Cornerstone. */
export interface StackViewport extends CornerstoneViewport {
  /** Cornerstone's own canvas; what is drawn over it has its size. */
  readonly canvas: HTMLCanvasElement;
  /** Private in Cornerstone's types. */
  readonly useCPURendering?: boolean;
  getCurrentImageId(): string | undefined;
  /** The image that has arrived, which may still be the one before the current one. */
  getCornerstoneImage(): { readonly imageId: string } | undefined;
  getImageData(): Pick<Types.IImageData, 'dimensions' | 'origin' | 'spacing' | 'direction'> | undefined;
  worldToCanvas(world: Types.Point3): Types.Point2;
}

/** Only stack viewports show one image as it is; of the others there is no telling what lies where. */
export function isStackViewport(viewport: CornerstoneViewport | null | undefined): viewport is StackViewport {
  const { worldToCanvas, getImageData, getCornerstoneImage, canvas } = (viewport ?? {}) as Partial<StackViewport>;
  return typeof worldToCanvas === 'function' && typeof getImageData === 'function' && typeof getCornerstoneImage === 'function' && canvas !== undefined;
}

/** The image that can be seen in a viewport; undefined while another one is on its way. */
export function imageOnScreen(viewport: StackViewport): string | undefined {
  const imageId = viewport.getCurrentImageId();
  return imageId !== undefined && viewport.getCornerstoneImage()?.imageId === imageId ? imageId : undefined;
}

/** x = a·column + c·row + e, y = b·column + d·row + f, as a 2D canvas takes them. */
export type CanvasTransform = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

/**
 * From coordinates on the image, in pixels, (0, 0) the outer corner of its first pixel, to pixels of the viewport's
 * canvas. Three corners through the camera say all: pan, zoom, rotation, flips and pixels that are not square.
 * @param devicePixelRatio the page's
 * @returns undefined while the viewport has no image
 */
export function imageToCanvas(viewport: StackViewport, devicePixelRatio: number): CanvasTransform | undefined {
  const data = viewport.getImageData();
  if (!data) return undefined;
  const { dimensions: [columns, rows], origin, spacing, direction } = data;
  // On the GPU, Cornerstone draws the first pixel around the image's origin; on the CPU, from the origin on. There it
  // also counts in pixels of the canvas, where the GPU's way counts in pixels of the page.
  const cpu = viewport.useCPURendering === true;
  const first = cpu ? 0 : -0.5;
  const ratio = cpu ? 1 : devicePixelRatio;
  const at = (column: number, row: number): Types.Point2 => {
    const [x, y] = [(first + column) * spacing[0], (first + row) * spacing[1]];
    const along = (axis: 0 | 1 | 2) => origin[axis] + x * direction[axis]! + y * direction[axis + 3]!;
    const [left, top] = viewport.worldToCanvas([along(0), along(1), along(2)]);
    return [left * ratio, top * ratio];
  };
  const [corner, right, bottom] = [at(0, 0), at(columns, 0), at(0, rows)];
  const transform = [
    (right[0] - corner[0]) / columns, (right[1] - corner[1]) / columns,
    (bottom[0] - corner[0]) / rows, (bottom[1] - corner[1]) / rows,
    ...corner,
  ] as const;
  return transform.every(Number.isFinite) ? transform : undefined;
}
