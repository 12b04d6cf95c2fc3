import type { Overlap } from './overlap.ts';

/**
 * By how much the prediction is larger than the truth: its volume less the truth's, negative where it is smaller. In a
 * single plane it is an area. Both empty: 0.
 *
 * A. A. Taha and A. Hanbury, "Metrics for evaluating 3D medical image segmentation", BMC Medical Imaging 15:29, 2015.
 * @param elementSize what one element stands for: mm³ of a voxel, mm² of a pixel; 1 counts elements
 */
export function volumeDifference({ falsePositives, falseNegatives }: Overlap, elementSize = 1): number {
  return (falsePositives - falseNegatives) * elementSize;
}

/**
 * As {@link volumeDifference}, as a share of the truth: −1 where nothing is predicted. Both empty: 0; only the truth
 * empty: Infinity.
 */
export function relativeVolumeDifference({ truePositives, falsePositives, falseNegatives }: Overlap): number {
  const difference = falsePositives - falseNegatives;
  return difference === 0 ? 0 : difference / (truePositives + falseNegatives);
}
