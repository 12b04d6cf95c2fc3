import type { OverlayStyle } from '../configuration.ts';
import { colorOf } from '../overlays/colors.ts';
import type { Cornerstone, Services } from '../types/ohif.ts';
import { SlideCanvases } from './canvases.ts';
import { MaskCanvas, type SlideLayer } from './mask-canvas.ts';
import type { KeptSlide } from './slide-results.ts';
import { baseMatrix, isOfSlide, scaleOn, type SlideDisplaySet } from './target.ts';

export interface SlidePresentation {
  readonly shown: boolean;
  readonly style: OverlayStyle;
}

/** Keeps what is drawn over slides equal to what is kept: every mask on every viewport that shows its own slide, and on no other. */
export class SlideOverlay {
  readonly #canvases: SlideCanvases<MaskCanvas, SlideLayer>;

  /** @param onReady hears when a slide that was still to come is on screen: then it is time to draw again */
  constructor(services: Services, cornerstone: Cornerstone, onReady: () => void) {
    this.#canvases = new SlideCanvases({
      services, cornerstone, onReady,
      make: (map, displaySet) => new MaskCanvas(map, baseMatrix(displaySet)),
      show: (canvas, layers) => canvas.show(layers),
    });
  }

  draw(slides: readonly KeptSlide[], { shown, style }: SlidePresentation): void {
    this.#canvases.draw(displaySet => (shown ? slides.flatMap(slide => layerOn(slide, displaySet, style) ?? []) : []));
  }

  forget(): void {
    this.#canvases.forget();
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
