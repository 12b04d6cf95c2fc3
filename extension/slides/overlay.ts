import type { OverlayStyle } from '../configuration.ts';
import { colorOf } from '../overlays/colors.ts';
import { gridViewports } from '../sources/target.ts';
import type { Cornerstone, Services, Subscription } from '../types/ohif.ts';
import { isSlideViewport, type SlideMap, type SlideViewport } from './map.ts';
import { MaskCanvas, type SlideLayer } from './mask-canvas.ts';
import type { KeptSlide } from './slide-results.ts';
import { baseMatrix, isOfSlide, scaleOn, shownSlide, type SlideDisplaySet } from './target.ts';

export interface SlidePresentation {
  readonly shown: boolean;
  readonly style: OverlayStyle;
}

/**
 * Keeps what is drawn over slides equal to what is kept: every mask on every viewport that shows its own slide, and on no
 * other. It works from what is, as the presenter of the other overlays does.
 */
export class SlideOverlay {
  readonly #services: Services;
  readonly #renderedEvent: string;
  readonly #onReady: () => void;
  /** By viewportId. */
  readonly #canvases = new Map<string, MaskCanvas>();
  /** Viewports whose slide is still to come. */
  readonly #waiting = new Map<string, Subscription>();

  /** @param onReady hears when a slide that was still to come is on screen: then it is time to draw again */
  constructor(services: Services, cornerstone: Cornerstone, onReady: () => void) {
    this.#services = services;
    this.#renderedEvent = cornerstone.Enums.Events.IMAGE_RENDERED;
    this.#onReady = onReady;
  }

  draw(slides: readonly KeptSlide[], { shown, style }: SlidePresentation): void {
    const there = new Set<string>();
    for (const { viewportId } of gridViewports(this.#services)) {
      const viewport = this.#services.cornerstoneViewportService.getCornerstoneViewport(viewportId);
      if (!isSlideViewport(viewport)) continue;
      const displaySet = shownSlide(this.#services, viewportId);
      const layers = displaySet && shown ? slides.flatMap(slide => layerOn(slide, displaySet, style) ?? []) : [];
      if (!displaySet || layers.length === 0) continue;
      const { map } = viewport;
      if (!map?.getViewport().isConnected) {
        this.#wait(viewportId, viewport);
        continue;
      }
      there.add(viewportId);
      this.#canvasOver(viewportId, map, displaySet).show(layers);
    }
    for (const viewportId of [...this.#canvases.keys()]) if (!there.has(viewportId)) this.#remove(viewportId);
  }

  forget(): void {
    for (const viewportId of [...this.#canvases.keys()]) this.#remove(viewportId);
    for (const waiting of this.#waiting.values()) waiting.unsubscribe();
    this.#waiting.clear();
  }

  #canvasOver(viewportId: string, map: SlideMap, displaySet: SlideDisplaySet): MaskCanvas {
    const known = this.#canvases.get(viewportId);
    // Another slide has another map.
    if (known?.map === map && known.isConnected) return known;
    known?.remove();
    const canvas = new MaskCanvas(map, baseMatrix(displaySet));
    this.#canvases.set(viewportId, canvas);
    return canvas;
  }

  #remove(viewportId: string): void {
    this.#canvases.get(viewportId)?.remove();
    this.#canvases.delete(viewportId);
  }

  #wait(viewportId: string, { element }: SlideViewport): void {
    if (this.#waiting.has(viewportId)) return;
    const onRendered = () => {
      this.#waiting.get(viewportId)?.unsubscribe();
      this.#waiting.delete(viewportId);
      this.#onReady();
    };
    element.addEventListener(this.#renderedEvent, onRendered);
    this.#waiting.set(viewportId, { unsubscribe: () => element.removeEventListener(this.#renderedEvent, onRendered) });
  }
}

/** The layer of a result on a slide; undefined where it is not this slide's, or hidden. */
function layerOn(slide: KeptSlide, displaySet: SlideDisplaySet, style: OverlayStyle): SlideLayer | undefined {
  if (!slide.visible || !isOfSlide(slide.source, displaySet)) return undefined;
  return {
    mask: slide.mask,
    scale: scaleOn(displaySet, slide.source),
    colors: new Map(slide.targets.map((target, i) => [i + 1, colorOf(target, i + 1)])),
    style,
  };
}
