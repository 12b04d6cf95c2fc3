import { OverreadError } from '../errors.ts';
import { permutationP, permutedLabels } from './permutations.ts';

/** Where one group's mean picture differs from that of all others. */
export interface GroupDifference {
  /** The group's mean less that of all others. */
  readonly difference: Float32Array;
  /** Of each pixel, corrected for the number of pixels and of groups; 1 where all pictures are the same. */
  readonly p: Float32Array;
}

export interface PixelDifferences {
  /** In the order of the groups' numbers. */
  readonly groups: readonly GroupDifference[];
  /** That there is a difference anywhere. */
  readonly p: number;
}

/**
 * Where the mean pictures of groups differ by more than chance, each group against all others. The statistic of a pixel is
 * its correlation with the group (as good as Student's t); its p is the share of orders of the groups in which the largest
 * correlation of all pixels and groups reaches it, so that in at most one set of pictures out of twenty any pixel is below 0.05 by chance.
 *
 * T. E. Nichols and A. P. Holmes, "Nonparametric permutation tests for functional neuroimaging", Human Brain Mapping 15(1), 2002.
 * @param pictures of equal length
 * @param labels the number of each one's group, from 0 without gaps, at least two
 * @param patients of the same length: one's pictures change their group together
 * @throws OverreadError `internal` when lengths differ or there is one group
 */
export function pixelDifferences(
  pictures: readonly Float32Array[], labels: readonly number[], patients: readonly string[], { permutations, seed = 1 }: { readonly permutations?: number; readonly seed?: number } = {},
): PixelDifferences {
  const count = Math.max(-1, ...labels) + 1;
  const size = pictures[0]?.length ?? 0;
  if (count < 2 || pictures.length !== labels.length || patients.length !== labels.length || pictures.some(({ length }) => length !== size)) {
    throw new OverreadError('internal', `Expected pictures of one size with groups and patients, at least two groups, got ${pictures.length} pictures, ${labels.length} labels of ${count} groups and ${patients.length} patients.`);
  }
  const standard = standardised(pictures);
  // Of two groups the one differs from the other as the other from the one.
  const tested = count === 2 ? 1 : count;
  let seen: Float32Array[] | undefined;
  const largest: number[] = [];
  for (const drawn of permutedLabels(labels, patients, seed, permutations)) {
    const correlations = correlationsOf(standard, drawn, count).slice(0, tested);
    if (seen) largest.push(largestOf(correlations));
    else seen = correlations;
  }
  const sorted = Float64Array.from(largest).sort();
  const p = Array.from({ length: count }, (_, group) => seen![group % tested]!.map(r => (r === 0 ? 1 : shareFrom(sorted, r))));
  return {
    groups: p.map((of, group) => ({ difference: differenceOf(pictures, labels, group), p: of })),
    p: permutationP(largestOf(seen!), largest),
  };
}

/** Every pixel with mean 0 and a sum of squares of 1 over the pictures; 0 where it is the same in all. */
function standardised(pictures: readonly Float32Array[]): Float32Array[] {
  const size = pictures[0]!.length;
  const [sum, squares] = [new Float64Array(size), new Float64Array(size)];
  for (const picture of pictures) for (let i = 0; i < size; i++) sum[i]! += picture[i]!;
  for (const picture of pictures) for (let i = 0; i < size; i++) squares[i]! += (picture[i]! - sum[i]! / pictures.length) ** 2;
  return pictures.map(picture => picture.map((value, i) => (squares[i]! > 1e-12 ? (value - sum[i]! / pictures.length) / Math.sqrt(squares[i]!) : 0)));
}

/** Of each group and pixel, the absolute correlation. */
function correlationsOf(standard: readonly Float32Array[], labels: ArrayLike<number>, count: number): Float32Array[] {
  const size = standard[0]!.length;
  const sums = Array.from({ length: count }, () => new Float32Array(size));
  const members = new Uint32Array(count);
  for (let item = 0; item < labels.length; item++) members[labels[item]!]!++;
  // All sums together are 0: that of the largest group is what the others lack.
  const largest = members.indexOf(members.reduce((a, b) => Math.max(a, b)));
  for (let item = 0; item < labels.length; item++) {
    if (labels[item] === largest) continue;
    const [picture, of] = [standard[item]!, sums[labels[item]!]!];
    for (let i = 0; i < size; i++) of[i] = of[i]! + picture[i]!;
  }
  for (let group = 0; group < count; group++) {
    if (group === largest) continue;
    for (let i = 0; i < size; i++) sums[largest]![i] = sums[largest]![i]! - sums[group]![i]!;
  }
  for (let group = 0; group < count; group++) {
    const n = members[group]!;
    const scale = Math.sqrt(standard.length / (n * (standard.length - n)));
    for (let i = 0; i < size; i++) sums[group]![i] = Math.abs(sums[group]![i]!) * scale;
  }
  return sums;
}

function largestOf(correlations: readonly Float32Array[]): number {
  let largest = 0;
  for (const of of correlations) for (let i = 0; i < of.length; i++) if (of[i]! > largest) largest = of[i]!;
  return largest;
}

/** As {@link permutationP}, of draws that are sorted. */
function shareFrom(sorted: Float64Array, seen: number): number {
  let [low, high] = [0, sorted.length];
  const atLeast = seen - 1e-9;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! >= atLeast) high = middle;
    else low = middle + 1;
  }
  return (1 + sorted.length - low) / (1 + sorted.length);
}

function differenceOf(pictures: readonly Float32Array[], labels: readonly number[], group: number): Float32Array {
  const difference = new Float64Array(pictures[0]!.length);
  const n = labels.filter(label => label === group).length;
  pictures.forEach((picture, item) => {
    const weight = labels[item] === group ? 1 / n : -1 / (pictures.length - n);
    for (let i = 0; i < difference.length; i++) difference[i]! += weight * picture[i]!;
  });
  return Float32Array.from(difference);
}
