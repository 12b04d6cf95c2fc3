import { OverreadError } from '../../src/errors.ts';
import type { HeatmapResult } from '../../src/results/result.ts';
import type { Cornerstone, Services } from '../types/ohif.ts';
import { fits, HeatmapCanvas, type MapSlice } from './heatmap-canvas.ts';
import { imageOnScreen } from './heatmap-placement.ts';
import { DEFAULT_HEATMAP_STYLE, type HeatmapStyle } from './heatmap-raster.ts';
import type { Layer, Overlay } from './overlay.ts';
import { shownSlices, StackCanvases } from './stack-canvases.ts';

/**
 * Heat maps as canvases of our own over the stack viewports: a segmentation of the viewer's would be banded, and would
 * stand in its segmentation panel. One map an image; of several, the newest.
 */
export class HeatmapOverlay implements Overlay<HeatmapResult> {
  readonly #cornerstone: Cornerstone;
  readonly #style: () => HeatmapStyle;
  readonly #canvases: StackCanvases<HeatmapCanvas>;

  constructor(services: Services, cornerstone: Cornerstone, style: () => HeatmapStyle = () => DEFAULT_HEATMAP_STYLE) {
    this.#cornerstone = cornerstone;
    this.#style = style;
    this.#canvases = new StackCanvases(services, (viewport, isCurrent) => new HeatmapCanvas({ viewport, isCurrent, renderedEvent: cornerstone.Enums.Events.IMAGE_RENDERED }));
  }

  /** @throws OverreadError `input/inconsistent` when an image that is on screen has another size than its map; all others are drawn */
  async draw(layers: readonly Layer<HeatmapResult>[]): Promise<void> {
    const wanted = this.#wanted(layers);
    this.#canvases.keepOnly(new Set(wanted.keys()));
    const style = this.#style();
    for (const [viewportId, maps] of wanted) this.#canvases.over(viewportId)?.show(maps, style);
    for (const [viewportId, maps] of wanted) this.#refuseOtherSize(viewportId, maps);
  }

  forget(): void {
    this.#canvases.clear();
  }

  /** What each viewport may show, by imageId. */
  #wanted(layers: readonly Layer<HeatmapResult>[]): Map<string, Map<string, MapSlice>> {
    const wanted = new Map<string, Map<string, MapSlice>>();
    for (const { viewportIds, imageId, kept: { result }, slice } of shownSlices(this.#cornerstone, layers)) {
      for (const viewportId of viewportIds) {
        const maps = wanted.get(viewportId) ?? new Map<string, MapSlice>();
        wanted.set(viewportId, maps.set(imageId, { result, slice }));
      }
    }
    return wanted;
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
