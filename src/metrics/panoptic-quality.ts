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

/** What panoptic quality is made of: sums, which add up over several images of one class. */
export interface PanopticSums {
  /** Pairs with an IoU above 0.5. */
  readonly matched: number;
  /** Of the matched pairs. */
  readonly iouSum: number;
  /** True objects and predicted ones, counted together. */
  readonly objects: number;
}

/** @param overlaps of {@link objectOverlaps}; pairs with an IoU of exactly 0.5 do not match */
export function panopticSums(overlaps: ObjectOverlaps): PanopticSums {
  const { matched } = matchObjects({ ...overlaps, pairs: overlaps.pairs.filter(({ iou }) => iou > 0.5) });
  const iouSum = matched.reduce((total, { iou }) => total + iou, 0);
  return { matched: matched.length, iouSum, objects: overlaps.truthSizes.length + overlaps.predictionSizes.length };
}

/**
 * Panoptic quality of one class of objects. No objects in both: all 1.
 *
 * A. Kirillov et al., "Panoptic segmentation", CVPR 2019, equation 1.
 * @param overlaps of {@link objectOverlaps}
 */
export function panopticQuality(overlaps: ObjectOverlaps): PanopticQuality {
  return panopticQualityOf(panopticSums(overlaps));
}

/** As {@link panopticQuality}, of sums, also over several images: the paper pools a class's objects over all of them. */
export function panopticQualityOf({ matched, iouSum, objects }: PanopticSums): PanopticQuality {
  if (objects === 0) return { panopticQuality: 1, segmentationQuality: 1, recognitionQuality: 1 };
  const segmentationQuality = matched ? iouSum / matched : 0;
  const recognitionQuality = (2 * matched) / objects;
  return { panopticQuality: segmentationQuality * recognitionQuality, segmentationQuality, recognitionQuality };
}
