import { OverreadError } from '../errors.ts';
import { aucOver } from './auc.ts';
import { bootstrapIntervals, type Estimate } from './bootstrap.ts';
import { permutationP, permutedLabels } from './permutations.ts';
import { patientFolds, ridgeFold, ridgeKernel, ridgeScores, type RidgeFold } from './ridge.ts';

export interface Separation {
  /** How well each group is told from all others; of two groups both are the same number. Without an interval where too few patients were left. */
  readonly groups: readonly (Pick<Estimate, 'value'> & Partial<Estimate>)[];
  /** The mean over the groups. 0.5 is no better than chance. */
  readonly mean: Pick<Estimate, 'value'> & Partial<Estimate>;
  /** One-sided, of the mean. */
  readonly p: number;
}

export interface SeparationOptions {
  readonly folds?: number;
  readonly permutations?: number;
  readonly seed?: number;
  /** False for features of one kind, such as pixels; true when left out. */
  readonly standardise?: boolean;
}

/**
 * How well groups are told apart by a linear classifier: ridge regression of the group on the features, its penalty
 * a tenth of the mean of the kernel's diagonal, cross-validated with whole patients held back. Areas under the curve compare
 * pictures of one fold only, so that they are 0.5 on average where there is nothing to tell. Intervals are over the patients
 * that were held back, and leave out that other patients would make another classifier. The p-value is of all orders of the groups;
 * folds know nothing of the groups.
 *
 * A. E. Hoerl and R. W. Kennard, "Ridge regression", Technometrics 12(1), 1970; M. Ojala and G. C. Garriga, "Permutation tests
 * for studying classifier performance", JMLR 11, 2010.
 * @param features of equal length, an array an item
 * @param labels the number of each one's group, from 0 without gaps, at least two
 * @param patients of the same length
 * @throws OverreadError `internal` when lengths differ or there is one group; `dataset/invalid` when no fold has two groups
 */
export function ridgeSeparation(features: readonly Float32Array[], labels: readonly number[], patients: readonly string[], { folds = 5, permutations, seed = 1, standardise = true }: SeparationOptions = {}): Separation {
  const count = Math.max(-1, ...labels) + 1;
  if (count < 2 || features.length !== labels.length || patients.length !== labels.length) {
    throw new OverreadError('internal', `Expected features with groups and patients, at least two groups, got ${features.length} items, ${labels.length} labels of ${count} groups and ${patients.length} patients.`);
  }
  const kernel = ridgeKernel(features, { standardise });
  const parts = patientFolds(patients, folds, seed).map(test => ridgeFold(test, kernel));
  const tested = count === 2 ? 1 : count;
  const scoresBy = (drawn: ArrayLike<number>, group: number) => parts.map(part => ridgeScores(part, drawn, group));
  const areas = (drawn: ArrayLike<number>) => Array.from({ length: tested }, (_, group) => stratified(scoresBy(drawn, group).map((scores, f) => aucOf(scores, parts[f]!.test, drawn, group))));
  let seen: number | undefined;
  const reached: number[] = [];
  for (const drawn of permutedLabels(labels, patients, seed, permutations)) {
    const mean = meanOf(areas(drawn));
    if (seen !== undefined) reached.push(mean ?? 0.5);
    else if (mean === undefined) throw new OverreadError('dataset/invalid', 'Expected pictures of at least two groups among the patients that are held back together, got one. Collect more patients.');
    else seen = mean;
  }
  const values = areas(labels);
  const intervals = intervalsOf(parts, labels, patients, Array.from({ length: tested }, (_, group) => scoresBy(labels, group)));
  const estimate = (value: number, i: number) => ({ value, ...intervals[i] });
  return {
    groups: Array.from({ length: count }, (_, group) => estimate(values[group % tested] ?? 0.5, group % tested)),
    mean: estimate(seen!, tested),
    p: permutationP(seen!, reached),
  };
}

interface Area {
  readonly value: number;
  /** Pairs of one in the group and one not. */
  readonly pairs: number;
}

function aucOf(scores: Float64Array, test: readonly number[], labels: ArrayLike<number>, group: number): Area | undefined {
  const truths = test.map(i => labels[i] === group);
  const value = aucOver(scores, truths)();
  const positives = truths.filter(Boolean).length;
  return value === undefined ? undefined : { value, pairs: positives * (truths.length - positives) };
}

/** Over the pairs of all folds, none across two of them. */
function stratified(areas: readonly (Area | undefined)[]): number | undefined {
  let [sum, pairs] = [0, 0];
  for (const area of areas) {
    if (!area) continue;
    sum += area.value * area.pairs;
    pairs += area.pairs;
  }
  return pairs > 0 ? sum / pairs : undefined;
}

function meanOf(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter(v => v !== undefined);
  return known.length ? known.reduce((sum, v) => sum + v, 0) / known.length : undefined;
}

/** Of each group, and of their mean. */
function intervalsOf(parts: readonly RidgeFold[], labels: readonly number[], patients: readonly string[], scores: readonly (readonly Float64Array[])[]) {
  const weighed = scores.map((of, group) => of.map((fold, f) => {
    const { test } = parts[f]!;
    const truths = test.map(i => labels[i] === group);
    const area = aucOver(fold, truths);
    return (weights: Uint32Array): Area | undefined => {
      const own = test.map(i => weights[i]!);
      const value = area(own);
      const positives = own.reduce((sum, w, i) => sum + (truths[i] ? w : 0), 0);
      return value === undefined ? undefined : { value, pairs: positives * (own.reduce((sum, w) => sum + w, 0) - positives) };
    };
  }));
  return bootstrapIntervals(patients, weights => {
    const values = weighed.map(of => stratified(of.map(area => area(weights))));
    return [...values, values.some(v => v === undefined) ? undefined : meanOf(values)];
  }, { resamples: 1000 });
}
