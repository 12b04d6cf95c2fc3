import { MarkerCanvas } from '../overlays/marker-canvas.ts';
import type { MarkerSet } from '../overlays/marker-drawing.ts';
import { markerSet, type MarkerGuide, type MarkerSurface, type ShownPoints } from '../overlays/points.ts';
import type { KeptResult } from '../results-store.ts';
import type { Cornerstone, Services } from '../types/ohif.ts';
import { SlideCanvases } from './canvases.ts';
import { matrixToMap, type MatrixSize, type SlideMap, type SlideViewport } from './map.ts';
import { baseMatrix, isOfSlide, scaleOn, type SlideDisplaySet } from './target.ts';

/** A count on a slide, and pixels of the slide's base level for one of the plane that was counted. */
interface SlidePoints extends ShownPoints {
  readonly scale: MarkerSet['scale'];
}

/** Markers of counts over slides, at every zoom and rotation of their map. */
export class SlidePointsOverlay {
  readonly #canvases: SlideCanvases<SlidePointsCanvas, SlidePoints>;

  /** @param onReady as of `SlideOverlay` */
  constructor(services: Services, cornerstone: Cornerstone, guide: MarkerGuide, onReady: () => void) {
    this.#canvases = new SlideCanvases({
      services, cornerstone, onReady,
      make: (map, displaySet, viewport) => new SlidePointsCanvas(map, displaySet, viewport, guide),
      show: (canvas, layers) => canvas.show(layers),
    });
  }

  /** Those that are visible, on the slides that they were counted on, by their instances' UIDs. */
  draw(results: readonly KeptResult[], shown: boolean): void {
    this.#canvases.draw(displaySet => results.flatMap(({ key, result, visible }) =>
      shown && visible && result.kind === 'points' && isOfSlide(result.source, displaySet) ? [{ key, result, scale: scaleOn(displaySet, result.source) }] : []));
  }

  surfaces(): readonly MarkerSurface[] {
    return this.#canvases.all().flatMap(canvas => canvas.surface() ?? []);
  }

  repaint(): void {
    for (const canvas of this.#canvases.all()) canvas.paint();
  }

  forget(): void {
    this.#canvases.forget();
  }
}

class SlidePointsCanvas {
  readonly map: SlideMap;
  readonly #matrix: MatrixSize;
  readonly #viewport: SlideViewport;
  readonly #displaySet: SlideDisplaySet;
  readonly #markers: MarkerCanvas;
  #shown: readonly SlidePoints[] = [];
  #sets: readonly MarkerSet[] = [];

  constructor(map: SlideMap, displaySet: SlideDisplaySet, viewport: SlideViewport, guide: MarkerGuide) {
    this.map = map;
    this.#displaySet = displaySet;
    this.#viewport = viewport;
    this.#matrix = baseMatrix(displaySet);
    const place = map.getViewport();
    const insert = (root: HTMLElement) => {
      // Over the slide and its mask, under the map's scale, overview and the viewer's annotations.
      const below = place.querySelector('[data-overread="slide-mask"]') ?? place.querySelector('.ol-layers');
      if (below) below.after(root);
      else place.append(root);
    };
    this.#markers = new MarkerCanvas(place.ownerDocument, insert, () => {
      const toPage = this.#toPage();
      const size = map.getSize();
      if (!toPage || !size || this.#shown.length === 0) return undefined;
      return { toPage, size: [size[0]!, size[1]!], sets: this.#sets, labels: guide.labelsOf(viewport.id) };
    });
    map.on('postrender', this.paint);
  }

  get isConnected(): boolean {
    return this.#markers.isConnected;
  }

  show(shown: readonly SlidePoints[]): void {
    const before = this.#shown;
    this.#shown = shown;
    if (before.length !== shown.length || !shown.every(({ result }, i) => result === before[i]!.result)) this.#sets = shown.map(of => markerSet(of, of.scale));
    this.paint();
  }

  readonly paint = (): void => this.#markers.paint();

  remove(): void {
    this.map.un('postrender', this.paint);
    this.#markers.remove();
  }

  surface(): MarkerSurface | undefined {
    const toPage = this.#toPage();
    if (!toPage || this.#shown.length === 0) return undefined;
    const viewport = this.#viewport;
    const frameOfReferenceUID = this.#displaySet.instances[0]?.FrameOfReferenceUID;
    return {
      viewportId: viewport.id, element: this.map.getViewport(), toPage, shown: this.#shown,
      ...(frameOfReferenceUID !== undefined && { frameOfReferenceUID }),
      worldToPage: world => viewport.worldToCanvas(world),
    };
  }

  #toPage() {
    return matrixToMap(this.map, this.#matrix);
  }
}
