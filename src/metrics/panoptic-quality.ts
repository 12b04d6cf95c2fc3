import { matchObjects, type ObjectOverlaps } from './object-matching.ts';

/** Panoptic quality and its two factors, each 0..1. */
export interface PanopticQuality {
  /** `segmentationQuality` · `recognitionQuality` */
  readonly panopticQuality: number;
  /** Mean IoU of the matched objects; 0 where none is matched. */
  readonly segmentationQuality: number;
  /** F1 of finding the objects: TP / (TP + FP / 2 + FN / 2). */
  readonly recognitionQuality: number;
}

/**
 * Panoptic quality of one class of objects: matched where IoU is above 0.5, exactly 0.5 not. No objects in both: all 1.
 *
 * A. Kirillov et al., "Panoptic segmentation", CVPR 2019, equation 1.
 * @param overlaps of {@link objectOverlaps}
 */
export function panopticQuality(overlaps: ObjectOverlaps): PanopticQuality {
  const { truthSizes, predictionSizes } = overlaps;
  const matched = matchObjects({ ...overlaps, pairs: overlaps.pairs.filter(({ iou }) => iou > 0.5) }).matched;
  const objects = truthSizes.length + predictionSizes.length;
  if (objects === 0) return { panopticQuality: 1, segmentationQuality: 1, recognitionQuality: 1 };
  const sum = matched.reduce((total, { iou }) => total + iou, 0);
  const segmentationQuality = matched.length ? sum / matched.length : 0;
  const recognitionQuality = (2 * matched.length) / objects;
  return { panopticQuality: segmentationQuality * recognitionQuality, segmentationQuality, recognitionQuality };
}
