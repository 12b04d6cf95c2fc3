import { OverreadError } from '../../src/errors.ts';
import type { HeatmapResult } from '../../src/results/result.ts';
import { instanceReference, sameSource } from '../identity.ts';
import type { Cornerstone, DicomInstance, Services } from '../types/ohif.ts';
import { fits, HeatmapCanvas, type MapSlice } from './heatmap-canvas.ts';
import { imageOnScreen, isStackViewport } from './heatmap-placement.ts';
import { DEFAULT_HEATMAP_STYLE, type HeatmapStyle } from './heatmap-raster.ts';
import type { Layer, Overlay } from './overlay.ts';

/**
 * Heat maps as canvases of our own over the stack viewports: a segmentation of the viewer's would be banded, and would
 * stand in its segmentation panel. One map an image; of several, the newest.
 */
export class HeatmapOverlay implements Overlay<HeatmapResult> {
  readonly #services: Services;
  readonly #cornerstone: Cornerstone;
  readonly #style: () => HeatmapStyle;
  /** By viewportId. */
  readonly #canvases = new Map<string, HeatmapCanvas>();

  constructor(services: Services, cornerstone: Cornerstone, style: () => HeatmapStyle = () => DEFAULT_HEATMAP_STYLE) {
    this.#services = services;
    this.#cornerstone = cornerstone;
    this.#style = style;
  }

  /** @throws OverreadError `input/inconsistent` when an image that is on screen has another size than its map; all others are drawn */
  async draw(layers: readonly Layer<HeatmapResult>[]): Promise<void> {
    const wanted = this.#wanted(layers);
    for (const viewportId of [...this.#canvases.keys()]) {
      if (!wanted.has(viewportId) || !this.#isCurrent(viewportId)) this.#remove(viewportId);
    }
    const style = this.#style();
    for (const [viewportId, maps] of wanted) this.#canvasOver(viewportId)?.show(maps, style);
    for (const [viewportId, maps] of wanted) this.#refuseOtherSize(viewportId, maps);
  }

  forget(): void {
    for (const viewportId of [...this.#canvases.keys()]) this.#remove(viewportId);
  }

  /** What each viewport may show, by imageId. */
  #wanted(layers: readonly Layer<HeatmapResult>[]): Map<string, Map<string, MapSlice>> {
    const wanted = new Map<string, Map<string, MapSlice>>();
    for (const { placed, viewportIds, visible } of layers) {
      if (!visible) continue;
      for (const { kept: { result, visible: shown }, imageIds } of placed) {
        if (!shown) continue;
        for (const [slice, imageId] of imageIds.entries()) {
          // Placed by its frames already; a map on another picture would be worse than none, so it is looked at again.
          const instance = this.#cornerstone.metaData.get('instance', imageId) as DicomInstance | undefined;
          if (!sameSource(instanceReference(instance), result.source.sources[slice])) continue;
          for (const viewportId of viewportIds) {
            const maps = wanted.get(viewportId) ?? new Map<string, MapSlice>();
            wanted.set(viewportId, maps.set(imageId, { result, slice }));
          }
        }
      }
    }
    return wanted;
  }

  #canvasOver(viewportId: string): HeatmapCanvas | undefined {
    const there = this.#canvases.get(viewportId);
    if (there) return there;
    const viewport = this.#viewport(viewportId);
    if (!isStackViewport(viewport)) return undefined;
    const { IMAGE_RENDERED: renderedEvent } = this.#cornerstone.Enums.Events;
    const canvas = new HeatmapCanvas({ viewport, renderedEvent, isCurrent: () => this.#viewport(viewportId) === viewport });
    this.#canvases.set(viewportId, canvas);
    return canvas;
  }

  #isCurrent(viewportId: string): boolean {
    const canvas = this.#canvases.get(viewportId)!;
    return canvas.isConnected && this.#viewport(viewportId) === canvas.viewport;
  }

  #viewport(viewportId: string) {
    return this.#services.cornerstoneViewportService.getCornerstoneViewport(viewportId);
  }

  #remove(viewportId: string): void {
    this.#canvases.get(viewportId)?.remove();
    this.#canvases.delete(viewportId);
  }

  #refuseOtherSize(viewportId: string, maps: ReadonlyMap<string, MapSlice>): void {
    const viewport = this.#canvases.get(viewportId)?.viewport;
    const imageId = viewport && imageOnScreen(viewport);
    const map = imageId === undefined ? undefined : maps.get(imageId);
    const dimensions = viewport?.getImageData()?.dimensions;
    if (!map || !viewport || !dimensions || fits(map, viewport)) return;
    const [columns, rows] = map.result.source.shape;
    throw new OverreadError(
      'input/inconsistent',
      `Expected an image of ${columns} × ${rows} pixels under the heat map, got ${dimensions[0]} × ${dimensions[1]}. The map is not drawn: open the study again.`,
      { expected: [columns, rows], got: dimensions.slice(0, 2) },
    );
  }
}
