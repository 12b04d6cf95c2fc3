import { stackGeometry } from '../../src/dicom/geometry.ts';
import { OverreadError } from '../../src/errors.ts';
import type { ImageReference } from '../../src/image/image.ts';
import { measureSegments } from '../../src/results/measure.ts';
import type { LabelmapResult, Result } from '../../src/results/result.ts';
import { instanceReference } from '../identity.ts';
import { labelmapImages, type LabelmapImage } from '../overlays/labelmap-images.ts';
import type { KeptResult } from '../results-store.ts';
import { attributesOf, indexToPatientOf, spacingOf } from '../sources/attributes.ts';
import type { Cornerstone, CornerstoneTools, DicomInstance, Services } from '../types/ohif.ts';
import type { SegmentationsInHand } from './sets.ts';

interface Parts {
  readonly services: Services;
  readonly cornerstone: Cornerstone;
  readonly tools: CornerstoneTools;
  /** Whether a segmentation is one that was made of a result. */
  readonly isOurs: (segmentationId: string) => boolean;
  /** The images that a result lies on; undefined where they are not open. */
  readonly place: (result: LabelmapResult) => readonly string[] | undefined;
}

const HIDDEN = 'Hidden while reading blinded';

/** Labelmaps of the viewer that the user loaded (a SEG) or drew. */
export function viewerSets({ services, cornerstone, tools, isOurs, place }: Parts): SegmentationsInHand {
  const { segmentationService } = services;
  const namesBefore = new Map<string, string>();
  const instanceOf = (imageId: string) => (cornerstone.metaData.get('instance', imageId) as DicomInstance | undefined) ?? {};
  const labelmaps = () => segmentationService.getSegmentations().filter(({ segmentationId, representationData }) => representationData.Labelmap !== undefined && !isOurs(segmentationId));
  return {
    list: () => labelmaps().map(({ segmentationId, label, representationData }) => {
      const [first = ''] = representationData.Labelmap?.imageIds ?? [];
      const image = (cornerstone.cache.getImage(first) as LabelmapImage | undefined)?.referencedImageId;
      // One whose images have not arrived is of what is open.
      const studyInstanceUID = (image === undefined ? undefined : instanceOf(image).StudyInstanceUID) ?? services.displaySetService.getActiveDisplaySets()[0]?.StudyInstanceUID ?? '';
      return { id: segmentationId, name: namesBefore.get(segmentationId) ?? (label || 'Segmentation'), studyInstanceUID };
    }),

    read: (segmentationId, on) => {
      const segmentation = segmentationService.getSegmentation(segmentationId);
      const name = namesBefore.get(segmentationId) ?? (segmentation?.label || 'the segmentation');
      const images = labelmapImages(services, cornerstone, segmentationId);
      const { source, planes } = gridOf(name, images, on, place, instanceOf);
      const [columns, rows] = source.shape;
      const labels = new Uint8Array(columns * rows * planes.length);
      planes.forEach((image, slice) => labels.set(image.voxelManager.getScalarData(), slice * columns * rows));
      const named = Object.entries(segmentation?.segments ?? {}).flatMap(([number, segment]) => (segment ? [[Number(number), segment.label] as const] : []));
      const numbers = [...new Set([...named.map(([number]) => number), ...labels])].filter(label => label > 0).sort((a, b) => a - b);
      const targets = Array.from({ length: numbers.at(-1) ?? 0 }, (_, i) => {
        const label = named.find(([number]) => number === i + 1)?.[1] || `Segment ${i + 1}`;
        return { label, concept: { codeValue: `segment-${i + 1}`, codingSchemeDesignator: '99OVERREAD', codeMeaning: label } };
      });
      const segments = measureSegments(labels, targets, source).filter(({ segmentNumber }) => numbers.includes(segmentNumber));
      const result: LabelmapResult = {
        kind: 'labelmap', source, labels, segments, createdAt: new Date().toISOString(),
        model: { id: 'overread-viewer', version: '', name, sha256: '', notice: 'Drawn or loaded in the viewer, not made by a model here.' },
        device: { backend: 'cpu', adapter: 'none', software: false, reason: 'no model ran' },
        timingMs: { load: 0, encode: 0, predict: 0, decode: 0 },
      };
      const first = source.sources[0] as { readonly studyInstanceUID: string; readonly seriesInstanceUID: string };
      return { key: `viewer ${segmentationId}`, studyInstanceUID: first.studyInstanceUID, seriesInstanceUID: first.seriesInstanceUID, result, visible: true } satisfies KeptResult;
    },

    setVisible: (segmentationId, visible) => {
      const specifier = { segmentationId, type: 'Labelmap' } as const;
      for (const viewportId of segmentationService.getViewportIdsWithSegmentation(segmentationId)) {
        tools.segmentation.config.visibility.setSegmentationRepresentationVisibility(viewportId, specifier, visible);
      }
    },

    hideNames: hidden => {
      if (hidden) {
        for (const { segmentationId, label } of labelmaps()) {
          if (namesBefore.has(segmentationId)) continue;
          namesBefore.set(segmentationId, label);
          segmentationService.addOrUpdateSegmentation?.({ segmentationId, label: HIDDEN });
        }
        return;
      }
      for (const [segmentationId, label] of namesBefore) if (segmentationService.getSegmentation(segmentationId)) segmentationService.addOrUpdateSegmentation?.({ segmentationId, label });
      namesBefore.clear();
    },
  };
}

/** On the images of the result that it is set against where it has all of them; else on its own, sorted along their normal. */
function gridOf(
  name: string, images: ReadonlyMap<string, LabelmapImage>, on: Result | undefined,
  place: Parts['place'], instanceOf: (imageId: string) => DicomInstance,
): { readonly source: ImageReference; readonly planes: readonly LabelmapImage[] } {
  if (on?.kind === 'labelmap') {
    const [columns, rows] = on.source.shape;
    const planes = place(on)?.map(imageId => images.get(imageId));
    if (planes?.every(image => image !== undefined && image.columns === columns && image.rows === rows)) return { source: on.source, planes: planes as LabelmapImage[] };
  }
  const own = [...images].map(([imageId, image]) => ({ image, instance: instanceOf(imageId) }));
  const [first] = own;
  const refused = (why: string) => new OverreadError('input/inconsistent', `Expected a mask on images that are open, got ${name}, ${why}. Open its images, or compare it with a result on them.`, { got: own.length });
  if (!first) throw refused('whose images are not open');
  const { image: { columns, rows }, instance } = first;
  const sources = own.map(of => instanceReference(of.instance));
  if (sources.some(source => source === undefined) || own.some(({ image }) => image.columns !== columns || image.rows !== rows)) throw refused('whose images are of several sizes or have no UIDs');
  const spacing = spacingOf(instance);
  const about = {
    modality: instance.Modality || 'OT', channels: 1 as const, attributes: attributesOf(instance), ...spacing,
    ...(instance.FrameOfReferenceUID && { frameOfReferenceUID: instance.FrameOfReferenceUID }),
  };
  if (own.length === 1) {
    const indexToPatient = indexToPatientOf(instance, spacing?.spacingMm);
    return { source: { ...about, sources: [sources[0]!], shape: [columns, rows, 1], ...(indexToPatient && { indexToPatient }) }, planes: [first.image] };
  }
  const slices = own.map(({ instance: of }, i) => {
    const m = indexToPatientOf(of, spacing?.spacingMm);
    if (!m || !spacing) throw refused('whose images state no geometry');
    const [x, y] = spacing.spacingMm;
    return { imageOrientationPatient: [m[0]! / x, m[4]! / x, m[8]! / x, m[1]! / y, m[5]! / y, m[9]! / y], imagePositionPatient: [m[3]!, m[7]!, m[11]!], spacingMm: spacing.spacingMm, name: `slice ${i + 1}` };
  });
  const { order, indexToPatient, sliceSpacingMm } = stackGeometry(slices);
  return {
    source: { ...about, sources: order.map(i => sources[i]!), shape: [columns, rows, own.length], indexToPatient, ...(sliceSpacingMm !== undefined && { sliceSpacingMm }) },
    planes: order.map(i => own[i]!.image),
  };
}
