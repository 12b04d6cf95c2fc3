import { gridViewports } from '../sources/target.ts';
import type { Cornerstone, Services, Subscription } from '../types/ohif.ts';
import { isSlideViewport, type SlideMap, type SlideViewport } from './map.ts';
import { shownSlide, type SlideDisplaySet } from './target.ts';

/** What is drawn over the map of one slide viewport. */
export interface SlideCanvas {
  readonly map: SlideMap;
  readonly isConnected: boolean;
  remove(): void;
}

interface Parts<C extends SlideCanvas, L> {
  readonly services: Services;
  readonly cornerstone: Cornerstone;
  readonly make: (map: SlideMap, displaySet: SlideDisplaySet, viewport: SlideViewport) => C;
  readonly show: (canvas: C, layers: readonly L[], displaySet: SlideDisplaySet) => void;
  /** Hears when a slide that was still to come is on screen: then it is time to draw again. */
  readonly onReady: () => void;
}

/** One canvas a viewport that shows a slide on which something lies. It works from what is, as the presenter of the other overlays does. */
export class SlideCanvases<C extends SlideCanvas, L> {
  readonly #parts: Parts<C, L>;
  readonly #renderedEvent: string;
  /** By viewportId. */
  readonly #canvases = new Map<string, C>();
  /** Viewports whose slide is still to come. */
  readonly #waiting = new Map<string, Subscription>();

  constructor(parts: Parts<C, L>) {
    this.#parts = parts;
    this.#renderedEvent = parts.cornerstone.Enums.Events.IMAGE_RENDERED;
  }

  /** @param layersOn what lies on a slide */
  draw(layersOn: (displaySet: SlideDisplaySet) => readonly L[]): void {
    const { services, show } = this.#parts;
    const there = new Set<string>();
    for (const { viewportId } of gridViewports(services)) {
      const viewport = services.cornerstoneViewportService.getCornerstoneViewport(viewportId);
      if (!isSlideViewport(viewport)) continue;
      const displaySet = shownSlide(services, viewportId);
      const layers = displaySet ? layersOn(displaySet) : [];
      if (!displaySet || layers.length === 0) continue;
      const { map } = viewport;
      if (!map?.getViewport().isConnected) {
        this.#wait(viewportId, viewport);
        continue;
      }
      there.add(viewportId);
      show(this.#canvasOver(viewportId, map, displaySet, viewport), layers, displaySet);
    }
    for (const viewportId of [...this.#canvases.keys()]) if (!there.has(viewportId)) this.#remove(viewportId);
  }

  all(): readonly C[] {
    return [...this.#canvases.values()];
  }

  forget(): void {
    for (const viewportId of [...this.#canvases.keys()]) this.#remove(viewportId);
    for (const waiting of this.#waiting.values()) waiting.unsubscribe();
    this.#waiting.clear();
  }

  #canvasOver(viewportId: string, map: SlideMap, displaySet: SlideDisplaySet, viewport: SlideViewport): C {
    const known = this.#canvases.get(viewportId);
    // Another slide has another map.
    if (known?.map === map && known.isConnected) return known;
    known?.remove();
    const canvas = this.#parts.make(map, displaySet, viewport);
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
      this.#parts.onReady();
    };
    element.addEventListener(this.#renderedEvent, onRendered);
    this.#waiting.set(viewportId, { unsubscribe: () => element.removeEventListener(this.#renderedEvent, onRendered) });
  }
}
