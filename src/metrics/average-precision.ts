import { matchObjects, type ObjectMatches, type ObjectOverlaps } from './object-matching.ts';

/**
 * Average precision of objects at one IoU threshold, TP / (TP + FP + FN), 0..1: the score of the 2018 Data Science Bowl,
 * which is not the area under a precision-recall curve that other fields call by this name. No objects in both: 1.
 *
 * J. C. Caicedo et al., "Nucleus segmentation across imaging experiments: the 2018 Data Science Bowl", Nature Methods
 * 16, 2019; U. Schmidt et al., "Cell detection with star-convex polygons", MICCAI 2018.
 * @param overlaps of {@link objectOverlaps}
 * @param minimumIou 0.5..1
 */
export function averagePrecision(overlaps: ObjectOverlaps, minimumIou = 0.5): number {
  return averagePrecisionOf(matchObjects(overlaps, minimumIou));
}

/** As {@link averagePrecision}, of matches, or of their sums over several images. */
export function averagePrecisionOf({ truePositives, falsePositives, falseNegatives }: Omit<ObjectMatches, 'matched'>): number {
  const objects = truePositives + falsePositives + falseNegatives;
  return objects === 0 ? 1 : truePositives / objects;
}
