import { OverreadError } from '../../src/errors.ts';
import type { LabelmapResult } from '../../src/results/result.ts';
import { breathe } from '../../src/breathe.ts';
import type { OverlayStyle } from '../configuration.ts';
import type { DrawnMask } from '../mask-edits.ts';
import type { Cornerstone, CornerstoneTools, Services } from '../types/ohif.ts';
import type { LabelmapStyle, RepresentationSpecifier } from '../types/segmentation.ts';
import { colorOf } from './colors.ts';
import { isDifference } from '../comparing/difference.ts';
import { holdsLabels, labelmapImages, writeLabels, type LabelmapImage } from './labelmap-images.ts';
import type { Layer, Overlay, Placed } from './overlay.ts';

/** What is drawn for one layer. */
interface Drawn {
  readonly segmentationId: string;
  /** The result that each labelmap image carries, by the image that it lies on; undefined where a reader's edit was taken over. */
  readonly written: Map<string, LabelmapResult | undefined>;
  /** What each viewport was last told. What has not changed is not told again: the user may have changed it since. */
  readonly told: Map<string, { readonly visible: boolean; readonly style: OverlayStyle; readonly viewport: unknown }>;
}

/**
 * Labelmaps as segmentations of OHIF's own service, so that its segmentation panel and tools know them. One a layer: a
 * model on a display set.
 */
export class LabelmapOverlay implements Overlay<LabelmapResult> {
  readonly #services: Services;
  readonly #cornerstone: Cornerstone;
  readonly #tools: CornerstoneTools;
  readonly #onDeleted: (resultKeys: readonly string[]) => void;
  readonly #drawn = new Map<string, Drawn>();
  #layers: readonly Layer<LabelmapResult>[] = [];

  /** @param onDeleted hears of results whose segmentation the user deleted in the viewer */
  constructor(services: Services, cornerstone: Cornerstone, tools: CornerstoneTools, onDeleted: (resultKeys: readonly string[]) => void) {
    this.#services = services;
    this.#cornerstone = cornerstone;
    this.#tools = tools;
    this.#onDeleted = onDeleted;
  }

  async draw(layers: readonly Layer<LabelmapResult>[]): Promise<void> {
    this.#layers = layers;
    const { segmentationService } = this.#services;
    for (const [key, drawn] of this.#drawn) {
      const layer = layers.find(l => l.key === key);
      const there = segmentationService.getSegmentation(drawn.segmentationId) !== undefined;
      if (layer && there) continue;
      this.#drawn.delete(key);
      if (there) segmentationService.remove(drawn.segmentationId);
      // Its images are on screen and it is not: the user deleted it in OHIF's own panel.
      else if (layer && layer.viewportIds.length > 0) return this.#onDeleted(layer.placed.map(p => p.kept.key));
    }
    for (const layer of layers) {
      // Nothing is made for a layer that nobody sees.
      if (!this.#drawn.has(layer.key) && (layer.viewportIds.length === 0 || !layer.visible)) continue;
      const drawn = this.#drawn.get(layer.key) ?? (await this.#create(layer));
      const gone = () => this.#drawn.get(layer.key) !== drawn; // the mode was left meanwhile
      if (gone()) return;
      if (this.#write(layer, drawn)) await breathe();
      if (gone()) return;
      await this.#represent(layer, drawn);
    }
  }

  forget(): void {
    this.#drawn.clear();
    this.#layers = [];
  }

  /** Whether a segmentation of the viewer is one that was made here. */
  owns(segmentationId: string): boolean {
    return [...this.#drawn.values()].some(drawn => drawn.segmentationId === segmentationId);
  }

  /** The viewer's segmentation that a result is drawn in. */
  segmentationIdOf(resultKey: string): string | undefined {
    const layer = this.#layers.find(({ placed }) => placed.some(({ kept }) => kept.key === resultKey));
    return layer && this.#drawn.get(layer.key)?.segmentationId;
  }

  /** Masks that are no longer what was drawn: a reader edited them. */
  changed(): readonly DrawnMask[] {
    return this.#layers.flatMap(({ key, placed }) => {
      // A difference is no mask of anyone's.
      if (placed.some(({ kept }) => isDifference(kept.result))) return [];
      const drawn = this.#drawn.get(key);
      const segmentation = drawn && this.#services.segmentationService.getSegmentation(drawn.segmentationId);
      if (!drawn || !segmentation) return [];
      const images = labelmapImages(this.#services, this.#cornerstone, drawn.segmentationId);
      return placed.flatMap(({ kept, imageIds }) => {
        const { result } = kept;
        // One that another result lies over, or that is not drawn yet, says nothing of this one.
        if (!imageIds.every(imageId => drawn.written.get(imageId) === result)) return [];
        const labels = edited(result, imageIds.map(imageId => images.get(imageId)));
        const nameOf = (segmentNumber: number) => segmentation.segments?.[segmentNumber]?.label;
        const taken = () => imageIds.forEach(imageId => drawn.written.set(imageId, undefined));
        return labels ? [{ key: kept.key, result, labels, nameOf, taken }] : [];
      });
    });
  }

  async #create(layer: Layer<LabelmapResult>): Promise<Drawn> {
    const first = layer.placed[0]!.kept.result;
    const segments = Object.fromEntries(first.segments.map(({ target, segmentNumber }) => [
      segmentNumber,
      { segmentIndex: segmentNumber, label: target.label, active: segmentNumber === 1, ...(isDifference(first) && { locked: true }) },
    ]));
    const segmentationId = await this.#services.segmentationService.createLabelmapForDisplaySet(layer.displaySet, { label: labelOf(first), segments });
    const drawn: Drawn = { segmentationId, written: new Map(), told: new Map() };
    this.#drawn.set(layer.key, drawn);
    await breathe();
    return drawn;
  }

  /**
   * Copies results into the labelmap's images; those that hold them already are left alone.
   * @returns whether anything was written
   */
  #write(layer: Layer<LabelmapResult>, { segmentationId, written }: Drawn): boolean {
    const wanted = [...planes(layer.placed)];
    const wantedOn = new Set(wanted.map(plane => plane.imageId));
    const changed = wanted.filter(({ imageId, result }) => written.get(imageId) !== result);
    const emptied = [...written.keys()].filter(imageId => !wantedOn.has(imageId));
    if (changed.length + emptied.length === 0) return false;
    const labelmapOf = labelmapImages(this.#services, this.#cornerstone, segmentationId);
    let wrote = emptied.length > 0;
    for (const { imageId, result, slice } of changed) {
      const image = labelmapOf.get(imageId);
      const [columns, rows] = result.source.shape;
      if (!image || image.columns !== columns || image.rows !== rows) {
        throw new OverreadError(
          'input/inconsistent',
          `Expected an image of ${columns} × ${rows} pixels under the result, got ${image ? `${image.columns} × ${image.rows}` : 'none'}. The result is not drawn: open the study again.`,
          { expected: [columns, rows], got: image && [image.columns, image.rows] },
        );
      }
      const labels = result.labels.subarray(slice * columns * rows, (slice + 1) * columns * rows);
      // What a reader drew is there already.
      if (!holdsLabels(image, labels)) {
        writeLabels(image, labels);
        wrote = true;
      }
      written.set(imageId, result);
    }
    for (const imageId of emptied) {
      const image = labelmapOf.get(imageId);
      if (image) writeLabels(image, 0);
      written.delete(imageId);
    }
    if (wrote) this.#tools.segmentation.triggerSegmentationEvents.triggerSegmentationDataModified(segmentationId);
    return wrote;
  }

  /** Shows the segmentation in the layer's viewports, in its colours and style, and in no other. */
  async #represent(layer: Layer<LabelmapResult>, { segmentationId, told }: Drawn): Promise<void> {
    const { segmentationService } = this.#services;
    const { config, triggerSegmentationEvents } = this.#tools.segmentation;
    const specifier: RepresentationSpecifier = { segmentationId, type: 'Labelmap' };
    const result = layer.placed.at(-1)!.kept.result;
    for (const viewportId of layer.viewportIds) {
      const has = () => segmentationService.getSegmentationRepresentations(viewportId, specifier).some(r => r.segmentationId === segmentationId);
      if (!has()) {
        await segmentationService.addSegmentationRepresentation(viewportId, specifier);
        if (!has()) continue; // the viewport went away meanwhile; its next event comes back here
        told.delete(viewportId);
        for (const { target, segmentNumber } of result.segments) {
          segmentationService.setSegmentColor(viewportId, segmentationId, segmentNumber, colorOf(target, segmentNumber));
        }
      }
      // A viewport that was closed and opened again knows nothing of before: the viewer gives it what it had at first.
      const viewport = this.#services.cornerstoneViewportService.getCornerstoneViewport(viewportId);
      const last = told.get(viewportId);
      const before = last?.viewport === viewport ? last : undefined;
      told.set(viewportId, { visible: layer.visible, style: layer.style, viewport });
      if (before?.style !== layer.style) segmentationService.setStyle({ viewportId, ...specifier }, styleOf(isDifference(result) ? { ...layer.style, style: 'fill' } : layer.style));
      if (before?.visible !== layer.visible) config.visibility.setSegmentationRepresentationVisibility(viewportId, specifier, layer.visible);
      if (before?.style !== layer.style) triggerSegmentationEvents.triggerSegmentationRepresentationModified(viewportId, segmentationId, 'Labelmap');
    }
    for (const viewportId of segmentationService.getViewportIdsWithSegmentation(segmentationId)) {
      if (layer.viewportIds.includes(viewportId)) continue;
      if (segmentationService.removeRepresentationsFromViewport) segmentationService.removeRepresentationsFromViewport(viewportId, specifier);
      else segmentationService.removeSegmentationRepresentations?.(viewportId, specifier);
      told.delete(viewportId);
    }
  }
}

/** What the images hold, where that is not the result's mask; undefined where it is, or an image is gone. */
function edited({ labels }: LabelmapResult, images: readonly (LabelmapImage | undefined)[]): Uint8Array | undefined {
  const size = labels.length / images.length;
  if (images.every((image, slice) => image && holdsLabels(image, labels.subarray(slice * size, (slice + 1) * size)))) return undefined;
  const out = new Uint8Array(labels.length);
  for (const [slice, image] of images.entries()) {
    if (!image) return undefined;
    out.set(image.voxelManager.getScalarData(), slice * size);
  }
  return out;
}

/** Every slice of every result with the image that it lies on; of two on one image the later comes last. */
function* planes(placed: readonly Placed<LabelmapResult>[]) {
  for (const { kept, imageIds } of placed) {
    for (const [slice, imageId] of imageIds.entries()) yield { imageId, result: kept.result, slice };
  }
}

/** 'Lung · Lung U-Net 1.0.0 · AI', or 'Left lung, right lung · …'. */
export function labelOf(result: LabelmapResult): string {
  const { segments, model } = result;
  if (isDifference(result)) return model.name;
  const [first = '', ...others] = segments.map(segment => segment.target.label);
  const named = [first, ...others.map(label => label.charAt(0).toLowerCase() + label.slice(1))].join(', ');
  return `${named} · ${model.name} ${model.version} · AI`;
}

/** A fill gets half of the opacity: at its fullest the anatomy under it can still be seen. */
function styleOf({ opacity, style }: OverlayStyle): LabelmapStyle {
  const fill = style === 'fill';
  const outlineWidth = fill ? 1.5 : 2.5;
  return {
    renderOutline: true, renderOutlineInactive: true,
    renderFill: fill, renderFillInactive: fill,
    outlineWidth, outlineWidthInactive: outlineWidth,
    outlineOpacity: opacity, outlineOpacityInactive: opacity,
    fillAlpha: opacity / 2, fillAlphaInactive: opacity / 2,
  };
}
