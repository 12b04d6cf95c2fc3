import type { Result, ResultKind, ResultOf } from '../../src/results/result.ts';
import type { Cornerstone, Services } from '../types/ohif.ts';
import type { Layer, Overlay, Overlays } from './overlay.ts';
import { SplitCanvas, type Side, type Sides, type Split } from './split-canvas.ts';
import { shownSlices, StackCanvases } from './stack-canvases.ts';

/** What is compared, as it is to be drawn. */
export interface SplitView {
  /** Which side a drawn result is, by its key. */
  sideOf(key: string): Side | undefined;
  /** How a viewport is divided; undefined for one that shows nothing of it. */
  of(viewportId: string): Split | undefined;
}

interface Parts {
  readonly services: Services;
  readonly cornerstone: Cornerstone;
  readonly view: () => SplitView;
  readonly onDivider: (share: number) => void;
}

/**
 * Two results over one image, each on its part of the viewport. Canvases of our own over stack viewports: what the viewer draws
 * cannot be cut. In MPR planes nothing is drawn.
 */
export class SplitOverlay {
  readonly #cornerstone: Cornerstone;
  readonly #view: () => SplitView;
  readonly #canvases: StackCanvases<SplitCanvas>;
  readonly #layers = new Map<ResultKind, readonly Layer<Result>[]>();

  constructor({ services, cornerstone, view, onDivider }: Parts) {
    this.#cornerstone = cornerstone;
    this.#view = view;
    this.#canvases = new StackCanvases(services, (viewport, isCurrent) => new SplitCanvas({ viewport, isCurrent, renderedEvent: cornerstone.Enums.Events.IMAGE_RENDERED, onDivider }));
  }

  /** For a presenter whose results are the two sides. */
  overlays(): Overlays {
    const of = <K extends ResultKind>(kind: K): Overlay<ResultOf<K>> => ({
      draw: async layers => this.#draw(kind, layers as readonly Layer<Result>[]),
      forget: () => this.forget(),
    });
    return { labelmap: of('labelmap'), heatmap: of('heatmap'), points: of('points'), scores: undefined };
  }

  forget(): void {
    this.#layers.clear();
    this.#canvases.clear();
  }

  /** Whether the two can be seen in any viewport. */
  get isSeen(): boolean {
    return this.#canvases.all().length > 0;
  }

  #draw(kind: ResultKind, layers: readonly Layer<Result>[]): void {
    this.#layers.set(kind, layers);
    const view = this.#view();
    const wanted = new Map<string, Map<string, Sides>>();
    for (const { viewportIds, imageId, kept, slice } of shownSlices(this.#cornerstone, [...this.#layers.values()].flat())) {
      const side = view.sideOf(kept.key);
      if (!side) continue;
      for (const viewportId of viewportIds) {
        if (!view.of(viewportId)) continue;
        const on = wanted.get(viewportId) ?? new Map<string, Sides>();
        wanted.set(viewportId, on.set(imageId, { ...on.get(imageId), [side]: { result: kept.result, slice } }));
      }
    }
    this.#canvases.keepOnly(new Set(wanted.keys()));
    for (const [viewportId, on] of wanted) this.#canvases.over(viewportId)?.show(on, view.of(viewportId)!);
    for (const canvas of this.#canvases.all()) canvas.refuseOtherSize();
  }
}
