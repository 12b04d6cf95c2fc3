import { OverreadError } from '../../src/errors.ts';
import type { LabelmapResult } from '../../src/results/result.ts';
import { instanceReference, isResultOf } from '../identity.ts';
import { labelmapImages } from '../overlays/labelmap-images.ts';
import type { KeptResult } from '../results-store.ts';
import { readFrame } from '../sources/cornerstone-image.ts';
import { activeViewportId, pickTarget, shownImage } from '../sources/target.ts';
import type { Cornerstone, DicomInstance, Services } from '../types/ohif.ts';
import { labelItem, type LabelItem, type Labels } from './label-item.ts';
import type { LabelStore } from './label-store.ts';
import { pseudonyms } from './pseudonym.ts';

/** A mask on the image that is chosen: of a model, perhaps edited by hand, or drawn and loaded in the viewer. */
export interface MaskChoice {
  readonly id: string;
  readonly name: string;
}

export interface CollectParts {
  readonly services: Services;
  readonly cornerstone: Cornerstone;
  readonly store: LabelStore;
  readonly results: () => readonly KeptResult[];
  /** Takes over what was drawn by hand since the last look. */
  readonly readEdits: () => void;
  /** Whether a segmentation of the viewer was made of a result. */
  readonly isOurs: (segmentationId: string) => boolean;
}

/** Turns what is on the image that is chosen into labelled pictures. */
export class LabelCollector {
  constructor(private readonly parts: CollectParts) {}

  /** The masks there are on the image that is chosen; those of models first. */
  choices(): readonly MaskChoice[] {
    const { services, cornerstone, isOurs } = this.parts;
    const viewportId = activeViewportId(services);
    const shown = viewportId === undefined ? undefined : shownImage(services, viewportId);
    if (!shown) return [];
    const models = this.#masksOn(shown.imageId).map(({ key, result }) => ({ id: key, name: `${result.model.name}${(result as LabelmapResult).editedAt === undefined ? '' : ', edited'}` }));
    const drawn = services.segmentationService.getSegmentations()
      .filter(({ segmentationId, representationData }) => representationData.Labelmap !== undefined && !isOurs(segmentationId) && labelmapImages(services, cornerstone, segmentationId).has(shown.imageId))
      .map(({ segmentationId, label }) => ({ id: segmentationId, name: label || 'Segmentation' }));
    return [...models, ...drawn];
  }

  /**
   * Keeps the image that is chosen with a mask on it.
   * @throws OverreadError `dataset/invalid`, `input/*`, `store/invalid`
   */
  mask(id: string): Promise<LabelItem> {
    return this.#collect(imageId => {
      this.parts.readEdits();
      const kept = this.#masksOn(imageId).find(({ key }) => key === id);
      return { mask: kept ? ofResult(kept.result as LabelmapResult) : this.#drawn(id, imageId) };
    });
  }

  /** Keeps the image that is chosen with what is said of it. */
  findings(findings: Readonly<Record<string, 0 | 1>>): Promise<LabelItem> {
    return this.#collect(() => ({ findings }));
  }

  async #collect(labels: (imageId: string) => Labels): Promise<LabelItem> {
    const { services, cornerstone, store } = this.parts;
    const { imageId } = pickTarget(services, cornerstone);
    const said = labels(imageId);
    const instance = cornerstone.metaData.get('instance', imageId) as DicomInstance | undefined;
    const whose = await pseudonyms(instance, await store.secret());
    const image = await readFrame(cornerstone, imageId);
    const item = labelItem({ ...whose, collectedAt: new Date().toISOString() }, image, said, await store.item(whose.id));
    await store.put([item]);
    return item;
  }

  #masksOn(imageId: string): readonly KeptResult[] {
    const source = instanceReference(this.parts.cornerstone.metaData.get('instance', imageId) as DicomInstance | undefined);
    return source ? this.parts.results().filter(({ result }) => result.kind === 'labelmap' && isResultOf(result, [source])) : [];
  }

  #drawn(segmentationId: string, imageId: string): Labels['mask'] {
    const { services, cornerstone } = this.parts;
    const segmentation = services.segmentationService.getSegmentation(segmentationId);
    const image = labelmapImages(services, cornerstone, segmentationId).get(imageId);
    if (!segmentation || !image) throw new OverreadError('dataset/invalid', 'Expected a mask on the image that is chosen, got none: it was removed, or lies on other images. Choose another mask; nothing was added.', { expected: imageId });
    const labels = Uint8Array.from(image.voxelManager.getScalarData());
    const last = labels.reduce((most, label) => Math.max(most, label), 1);
    return { labels, classes: ['Background', ...Array.from({ length: last }, (_, i) => segmentation.segments?.[i + 1]?.label ?? `Segment ${i + 1}`)] };
  }
}

function ofResult({ labels, segments, instances }: LabelmapResult): Labels['mask'] {
  const last = segments.reduce((most, { segmentNumber }) => Math.max(most, segmentNumber), 1);
  const names = Array.from({ length: last }, (_, i) => segments.find(({ segmentNumber }) => segmentNumber === i + 1)?.target.label ?? `Segment ${i + 1}`);
  return { labels, classes: ['Background', ...names], ...(instances && { objects: instances.labels }) };
}
