import type { SegmentationsInHand } from '../comparison.ts';
import { otherGrid, type Mask } from '../compare-masks.ts';
import type { Cornerstone, CornerstoneTools, Services } from '../types/ohif.ts';
import type { LabelmapResult } from '../../src/results/result.ts';
import { labelmapImages } from './labelmap-images.ts';

interface Parts {
  readonly services: Services;
  readonly cornerstone: Cornerstone;
  readonly tools: CornerstoneTools;
  /** Whether a segmentation is one that was made of a result. */
  readonly isOurs: (segmentationId: string) => boolean;
  /** The images that a result lies on; undefined where they are not open. */
  readonly place: (result: LabelmapResult) => readonly string[] | undefined;
}

/** Labelmaps of the viewer that the user loaded (a SEG) or drew. */
export function viewerMasks({ services, cornerstone, tools, isOurs, place }: Parts): SegmentationsInHand {
  const { segmentationService } = services;
  return {
    list: () =>
      segmentationService.getSegmentations()
        .filter(({ segmentationId, representationData }) => representationData.Labelmap !== undefined && !isOurs(segmentationId))
        .map(({ segmentationId, label }) => ({ id: segmentationId, name: label || 'Segmentation' })),

    mask: (segmentationId, { result }): Mask => {
      const segmentation = segmentationService.getSegmentation(segmentationId);
      const name = segmentation?.label || 'the segmentation';
      const images = labelmapImages(services, cornerstone, segmentationId);
      const [columns, rows] = result.source.shape;
      const planes = place(result)?.map(imageId => images.get(imageId));
      const [any] = images.values();
      const fits = planes?.every(image => image !== undefined && image.columns === columns && image.rows === rows);
      if (!planes || !fits) throw otherGrid(result.model.name, result.source, name, any ? `other images, ${any.columns} × ${any.rows}${images.size > 1 ? ` × ${images.size}` : ''}` : 'none that are open');
      const labels = new Uint8Array(columns * rows * planes.length);
      planes.forEach((image, slice) => labels.set(image!.voxelManager.getScalarData(), slice * columns * rows));
      const numbers = [...new Set(labels)].filter(label => label > 0).sort((a, b) => a - b);
      return { name, labels, segments: numbers.map(segmentNumber => ({ segmentNumber, label: segmentation?.segments?.[segmentNumber]?.label ?? `Segment ${segmentNumber}` })) };
    },

    setVisible: (segmentationId, visible) => {
      const specifier = { segmentationId, type: 'Labelmap' } as const;
      for (const viewportId of segmentationService.getViewportIdsWithSegmentation(segmentationId)) {
        tools.segmentation.config.visibility.setSegmentationRepresentationVisibility(viewportId, specifier, visible);
      }
    },
  };
}
