import type { Types } from '@cornerstonejs/core';
import { OverreadError } from '../../src/errors.ts';
import type { PointsResult } from '../../src/results/points.ts';
import type { Cornerstone, Services } from '../types/ohif.ts';
import { compose, scaling } from './affine.ts';
import { colorOf } from './colors.ts';
import { imageOnScreen, imageToCanvas, type CanvasTransform, type StackViewport } from './heatmap-placement.ts';
import { MarkerCanvas, type MarkerLabel } from './marker-canvas.ts';
import type { MarkerSet } from './marker-drawing.ts';
import { markerIndexOf } from './marker-index.ts';
import type { Layer, Overlay } from './overlay.ts';
import { shownSlices, StackCanvases } from './stack-canvases.ts';

/** A count that is to be seen on an image. */
export interface ShownPoints {
  readonly key: string;
  readonly result: PointsResult;
}

/** An image with markers on it, as it is on screen now: where a user points, and what of a region lies where. */
export interface MarkerSurface {
  readonly viewportId: string;
  /** The image and nothing else of the page. */
  readonly element: HTMLElement;
  /** Of annotations that lie on it; of a slide, which has no image of its own, its frame of reference. */
  readonly imageId?: string;
  readonly frameOfReferenceUID?: string;
  readonly shown: readonly (ShownPoints & { readonly scale: MarkerSet['scale'] })[];
  /** From the image, (0, 0) the outer corner of its first pixel, to pixels of the page within `element`. */
  readonly toPage: CanvasTransform;
  /** Of the viewer's annotations, to the same pixels of the page. */
  readonly worldToPage: (world: Types.Point3) => readonly [x: number, y: number];
}

/** What is asked of whoever counts inside of regions. */
export interface MarkerGuide {
  /** Words beside regions, in pixels of the image; the same array while they are the same. */
  labelsOf(viewportId: string, imageId?: string): readonly MarkerLabel[];
  /** Another image has come to a viewport. */
  imageChanged(): void;
}

/** Markers of counts over stack viewports: one layer of our own a viewport, drawn between its image and the viewer's annotations. */
export class PointsOverlay implements Overlay<PointsResult> {
  readonly #cornerstone: Cornerstone;
  readonly #canvases: StackCanvases<PointsCanvas>;

  constructor(services: Services, cornerstone: Cornerstone, guide: MarkerGuide = NO_GUIDE) {
    this.#cornerstone = cornerstone;
    this.#canvases = new StackCanvases(services, (viewport, isCurrent) => new PointsCanvas({ viewport, isCurrent, guide, renderedEvent: cornerstone.Enums.Events.IMAGE_RENDERED }));
  }

  /** @throws OverreadError `input/inconsistent` when an image that is on screen has another size than its count; all others are drawn */
  async draw(layers: readonly Layer<PointsResult>[]): Promise<void> {
    const wanted = new Map<string, Map<string, ShownPoints[]>>();
    for (const { viewportIds, imageId, kept: { key, result } } of shownSlices(this.#cornerstone, layers)) {
      for (const viewportId of viewportIds) {
        const on = wanted.get(viewportId) ?? new Map<string, ShownPoints[]>();
        wanted.set(viewportId, on.set(imageId, [...(on.get(imageId) ?? []), { key, result }]));
      }
    }
    this.#canvases.keepOnly(new Set(wanted.keys()));
    for (const [viewportId, on] of wanted) this.#canvases.over(viewportId)?.show(on);
    for (const canvas of this.#canvases.all()) canvas.refuseOtherSize();
  }

  forget(): void {
    this.#canvases.clear();
  }

  surfaces(): readonly MarkerSurface[] {
    return this.#canvases.all().flatMap(canvas => canvas.surface() ?? []);
  }

  /** Labels have changed. */
  repaint(): void {
    for (const canvas of this.#canvases.all()) canvas.paint();
  }
}

const NO_LABELS: readonly MarkerLabel[] = [];
const NO_GUIDE: MarkerGuide = { labelsOf: () => NO_LABELS, imageChanged: () => undefined };
const SAME_PLANE = [1, 1] as const;

class PointsCanvas {
  readonly viewport: StackViewport;
  readonly #isCurrent: () => boolean;
  readonly #renderedEvent: string;
  readonly #markers: MarkerCanvas;
  readonly #guide: MarkerGuide;
  /** By imageId. */
  #on: ReadonlyMap<string, readonly ShownPoints[]> = new Map();
  #imageId: string | undefined;
  #sets = new Map<string, { readonly of: readonly ShownPoints[]; readonly sets: readonly MarkerSet[] }>();

  constructor({ viewport, isCurrent, guide, renderedEvent }: { viewport: StackViewport; isCurrent: () => boolean; guide: MarkerGuide; renderedEvent: string }) {
    this.viewport = viewport;
    this.#isCurrent = isCurrent;
    this.#guide = guide;
    this.#renderedEvent = renderedEvent;
    const insert = (root: HTMLElement) => {
      const { canvas } = viewport;
      const next = canvas.nextElementSibling as HTMLElement | null;
      // Over a heat map.
      (next?.dataset['overread'] === 'heatmap' ? next : canvas).after(root);
    };
    this.#markers = new MarkerCanvas(viewport.element.ownerDocument, insert, () => {
      const shown = this.#shown();
      if (!shown) return undefined;
      const { clientWidth, clientHeight } = viewport.canvas;
      return { toPage: shown.toPage, size: [clientWidth, clientHeight], sets: this.#setsOf(shown.imageId, shown.points), labels: guide.labelsOf(viewport.id, shown.imageId) };
    });
    viewport.element.addEventListener(renderedEvent, this.paint);
  }

  get isConnected(): boolean {
    return this.#markers.isConnected;
  }

  show(on: ReadonlyMap<string, readonly ShownPoints[]>): void {
    this.#on = on;
    for (const imageId of this.#sets.keys()) if (!on.has(imageId)) this.#sets.delete(imageId);
    this.paint();
  }

  readonly paint = (): void => {
    this.#markers.paint();
    const imageId = this.#onScreen()?.imageId;
    if (imageId === this.#imageId) return;
    this.#imageId = imageId;
    this.#guide.imageChanged();
  };

  remove(): void {
    this.viewport.element.removeEventListener(this.#renderedEvent, this.paint);
    this.#markers.remove();
    this.#sets.clear();
  }

  surface(): MarkerSurface | undefined {
    const shown = this.#shown();
    if (!shown) return undefined;
    const { imageId, toPage, points } = shown;
    const { id: viewportId, canvas: element } = this.viewport;
    // On the CPU, Cornerstone counts in pixels of its canvas.
    const ratio = this.viewport.useCPURendering === true ? this.#ratio : 1;
    const worldToPage = (world: Types.Point3) => {
      const [x, y] = this.viewport.worldToCanvas(world);
      return [x / ratio, y / ratio] as const;
    };
    return { viewportId, element, imageId, toPage, worldToPage, shown: points.map(of => ({ ...of, scale: SAME_PLANE })) };
  }

  refuseOtherSize(): void {
    const dimensions = this.viewport.getImageData()?.dimensions;
    for (const { result: { source: { shape: [columns, rows] } } } of this.#onScreen()?.points ?? []) {
      if (!dimensions || (dimensions[0] === columns && dimensions[1] === rows)) continue;
      throw new OverreadError(
        'input/inconsistent',
        `Expected an image of ${columns} × ${rows} pixels under the markers, got ${dimensions[0]} × ${dimensions[1]}. They are not drawn: open the study again.`,
        { expected: [columns, rows], got: dimensions.slice(0, 2) },
      );
    }
  }

  #onScreen(): { readonly imageId: string; readonly points: readonly ShownPoints[] } | undefined {
    const imageId = this.#isCurrent() ? imageOnScreen(this.viewport) : undefined;
    const points = imageId === undefined ? undefined : this.#on.get(imageId);
    return imageId !== undefined && points ? { imageId, points } : undefined;
  }

  #shown() {
    const on = this.#onScreen();
    const dimensions = on && this.viewport.getImageData()?.dimensions;
    if (!on || !dimensions || on.points.some(({ result: { source: { shape } } }) => shape[0] !== dimensions[0] || shape[1] !== dimensions[1])) return undefined;
    const ratio = this.#ratio;
    const toCanvas = imageToCanvas(this.viewport, ratio);
    return toCanvas && { ...on, toPage: compose(scaling(1 / ratio, 1 / ratio), toCanvas) };
  }

  get #ratio(): number {
    return this.viewport.canvas.ownerDocument.defaultView?.devicePixelRatio || 1;
  }

  #setsOf(imageId: string, points: readonly ShownPoints[]): readonly MarkerSet[] {
    const known = this.#sets.get(imageId);
    if (known && known.of.length === points.length && known.of.every(({ result }, i) => result === points[i]!.result)) return known.sets;
    const sets = points.map(of => markerSet(of, SAME_PLANE));
    this.#sets.set(imageId, { of: points, sets });
    return sets;
  }
}

export function markerSet({ key, result }: ShownPoints, scale: MarkerSet['scale']): MarkerSet {
  return { key, scale, index: markerIndexOf(result), colors: result.classes.map(({ target }, i) => colorOf(target, i + 1)) };
}
