import type { Result } from '../../src/results/result.ts';
import { instanceReference, sameSource } from '../identity.ts';
import type { KeptResult } from '../results-store.ts';
import type { Cornerstone, DicomInstance, Services } from '../types/ohif.ts';
import { isStackViewport, type StackViewport } from './heatmap-placement.ts';
import type { Layer } from './overlay.ts';

/** What is drawn over one stack viewport. */
export interface StackCanvas {
  readonly viewport: StackViewport;
  readonly isConnected: boolean;
  remove(): void;
}

/** One canvas a stack viewport, for as long as the viewer has that viewport. */
export class StackCanvases<C extends StackCanvas> {
  readonly #services: Services;
  readonly #make: (viewport: StackViewport, isCurrent: () => boolean) => C;
  /** By viewportId. */
  readonly #canvases = new Map<string, C>();

  /** @param make its `isCurrent` says whether the viewer still has this viewport: another one may take over its element */
  constructor(services: Services, make: (viewport: StackViewport, isCurrent: () => boolean) => C) {
    this.#services = services;
    this.#make = make;
  }

  /** Takes away what is over other viewports, and over ones that the viewer has replaced. */
  keepOnly(viewportIds: ReadonlySet<string>): void {
    for (const [viewportId, { isConnected, viewport }] of this.#canvases) {
      if (!viewportIds.has(viewportId) || !isConnected || this.#viewport(viewportId) !== viewport) this.#remove(viewportId);
    }
  }

  get(viewportId: string): C | undefined {
    return this.#canvases.get(viewportId);
  }

  all(): readonly C[] {
    return [...this.#canvases.values()];
  }

  /** Makes one where there is none; undefined over a viewport that shows no stack. */
  over(viewportId: string): C | undefined {
    const there = this.#canvases.get(viewportId);
    if (there) return there;
    const viewport = this.#viewport(viewportId);
    if (!isStackViewport(viewport)) return undefined;
    const canvas = this.#make(viewport, () => this.#viewport(viewportId) === viewport);
    this.#canvases.set(viewportId, canvas);
    return canvas;
  }

  clear(): void {
    for (const viewportId of [...this.#canvases.keys()]) this.#remove(viewportId);
  }

  #viewport(viewportId: string) {
    return this.#services.cornerstoneViewportService.getCornerstoneViewport(viewportId);
  }

  #remove(viewportId: string): void {
    this.#canvases.get(viewportId)?.remove();
    this.#canvases.delete(viewportId);
  }
}

/** A slice of a result that is to be seen on an image. */
export interface ShownSlice<R extends Result> {
  readonly viewportIds: readonly string[];
  readonly imageId: string;
  readonly kept: KeptResult & { readonly result: R };
  readonly slice: number;
}

/**
 * All that is to be seen of the layers. They are placed by their frames already; something drawn on another picture would be worse
 * than nothing, so each image is asked once more which instance it is.
 */
export function* shownSlices<R extends Result>(cornerstone: Cornerstone, layers: readonly Layer<R>[]): Generator<ShownSlice<R>> {
  for (const { placed, viewportIds, visible } of layers) {
    if (!visible) continue;
    for (const { kept, imageIds } of placed) {
      if (!kept.visible) continue;
      for (const [slice, imageId] of imageIds.entries()) {
        const instance = cornerstone.metaData.get('instance', imageId) as DicomInstance | undefined;
        if (sameSource(instanceReference(instance), kept.result.source.sources[slice])) yield { viewportIds, imageId, kept, slice };
      }
    }
  }
}
