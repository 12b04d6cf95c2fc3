import { OverreadError } from '../errors.ts';
import type { Image } from '../image/image.ts';
import { aggregatedJaccard } from '../metrics/aggregated-jaccard.ts';
import { averagePrecisionOf } from '../metrics/average-precision.ts';
import { bootstrapIntervals, bootstrapMean } from '../metrics/bootstrap.ts';
import { matchObjects, objectOverlaps } from '../metrics/object-matching.ts';
import { panopticQualityOf, panopticSums } from '../metrics/panoptic-quality.ts';
import { numberComponents } from '../results/components.ts';
import type { LabelmapResult } from '../results/result.ts';
import type { Measured } from './report.ts';

/** How the objects of one item were found: sums, which add up over items, and what an item has of its own. */
export interface ObjectScores {
  /** At IoU 0.5. */
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly falseNegatives: number;
  readonly aggregatedJaccard: number;
  /** Of panoptic quality: matched above IoU 0.5, their IoU, and all objects of both sides. */
  readonly panoptic: { readonly matched: number; readonly iouSum: number; readonly objects: number };
}

/** The objects of a mask, numbered from 1: by default those that the model tells apart, else the parts of all segments together that touch over edges. */
export type ObjectRule = (result: LabelmapResult) => ArrayLike<number>;

export const objectsOfResult: ObjectRule = result => result.instances?.labels ?? touchingParts(result);

const touchingParts: ObjectRule = ({ labels, source: { shape: [columns, , slices] } }) => {
  if (slices !== 1) throw new OverreadError('input/refused', `Expected objects of a single plane, got ${slices} slices. Objects of volumes are not told apart yet.`, { expected: 1, got: slices });
  return numberComponents(labels, columns, false);
};

/** @param truth numbered objects on the result's grid */
export function scoreObjects(truth: ArrayLike<number>, result: LabelmapResult, objectsOf: ObjectRule): ObjectScores {
  const overlaps = objectOverlaps(truth, objectsOf(result));
  const { truePositives, falsePositives, falseNegatives } = matchObjects(overlaps);
  return { truePositives, falsePositives, falseNegatives, aggregatedJaccard: aggregatedJaccard(overlaps), panoptic: panopticSums(overlaps) };
}

/** What is printed of one item. */
export function objectReport({ truePositives, falsePositives, falseNegatives, aggregatedJaccard: jaccard, panoptic }: ObjectScores) {
  const counts = { truePositives, falsePositives, falseNegatives };
  return { objectAp50: averagePrecisionOf(counts), aggregatedJaccard: jaccard, panopticQuality: panopticQualityOf(panoptic).panopticQuality, objects: counts };
}

/**
 * Over all items. AP and panoptic quality are of all objects pooled, as their papers have it; the aggregated Jaccard index
 * is the mean over items. Intervals: 95 %, patients drawn again; none over a single patient.
 */
export function objectMetrics(scored: readonly { readonly patientId: string; readonly objects: ObjectScores }[]): Record<string, Measured> {
  if (scored.length === 0) return {};
  const patients = scored.map(({ patientId }) => patientId);
  const several = new Set(patients).size > 1;
  const pooled = (weights?: Uint32Array) => {
    const add = (of: (scores: ObjectScores) => number) => scored.reduce((sum, { objects }, i) => sum + (weights?.[i] ?? 1) * of(objects), 0);
    const matches = { truePositives: add(s => s.truePositives), falsePositives: add(s => s.falsePositives), falseNegatives: add(s => s.falseNegatives) };
    const quality = panopticQualityOf({ matched: add(s => s.panoptic.matched), iouSum: add(s => s.panoptic.iouSum), objects: add(s => s.panoptic.objects) });
    return [averagePrecisionOf(matches), quality.panopticQuality, quality.segmentationQuality, quality.recognitionQuality];
  };
  const names = ['objectAp50', 'panopticQuality', 'segmentationQuality', 'recognitionQuality'];
  const values = pooled();
  const intervals = several ? bootstrapIntervals(patients, pooled) : [];
  const jaccard = bootstrapMean(scored.map(({ objects }) => objects.aggregatedJaccard), patients);
  return {
    ...Object.fromEntries(names.map((name, i) => [name, { value: values[i]!, ...intervals[i] }])),
    aggregatedJaccard: several ? jaccard : { value: jaccard.value },
  };
}

/**
 * Numbered objects of a picture, checked against the image that they belong to.
 * @throws OverreadError `dataset/invalid` for another size, colour, or numbers that are none
 */
export function trueObjectsOf(instances: Image, image: Image, where: string): Uint32Array {
  const invalid = (expected: string, got: unknown) =>
    new OverreadError('dataset/invalid', `Expected ${expected}, got ${String(got)}, in ${where}. Mend the data set.`, { expected, got, where });
  if (instances.shape.join() !== image.shape.join()) throw invalid(`objects of the picture's size, ${image.shape.join(' × ')}`, instances.shape.join(' × '));
  if (instances.channels !== 1) throw invalid('one number a pixel', 'colours');
  const wrong = instances.pixels.find(value => !Number.isInteger(value) || value < 0);
  if (wrong !== undefined) throw invalid('whole numbers from 0', wrong);
  return Uint32Array.from(instances.pixels);
}
