import { OverreadError } from '../errors.ts';
import { bootstrapIntervals } from '../metrics/bootstrap.ts';
import { intervalCoverage } from '../metrics/interval-coverage.ts';
import { meanAbsoluteError } from '../metrics/mean-absolute-error.ts';
import { meanRelativeError } from '../metrics/mean-relative-error.ts';
import { matchPoints } from '../metrics/point-matching.ts';
import { rootMeanSquaredError } from '../metrics/root-mean-squared-error.ts';
import type { PointsResult } from '../results/points.ts';
import { countTruth, medianOf, type CountTruth } from './count-truth.ts';
import type { DatasetFiles } from '../training/dataset.ts';
import type { CountsReport, Measured, Yardstick } from './report.ts';

/** Within which a marker is the cell's, where the set has no outlines to take it from, and no other was asked for. */
const MATCH_RADIUS_PIXELS = 5;

/** How the cells of one item were counted and found. */
interface CountedItem {
  readonly patientId: string;
  readonly truth: number;
  readonly count: number;
  readonly interval?: { readonly low: number; readonly high: number; readonly level: number };
  readonly matchRadiusPixels: number;
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly falseNegatives: number;
  /** [true class][found class], of matched pairs; where the set names classes. */
  readonly confusion?: readonly (readonly number[])[];
  readonly missed?: readonly number[];
  readonly spurious?: readonly number[];
}

/**
 * Measures counts against the dots of a data set, or against the number of its objects; markers are matched with them one to one,
 * within half of the picture's median cell diameter, or within `matchRadius` pixels.
 */
export function countYardstick(folder: DatasetFiles, labels: readonly string[], matchRadius?: number): Yardstick {
  const items: CountedItem[] = [];
  return {
    wants: 'dots or instances',
    ofPixels: true,
    has: item => item.dots !== undefined || item.instances !== undefined,
    async judge(item, image, run) {
      const truth = await countTruth(item, image, folder, labels);
      const result = await run();
      if (result.kind !== 'points') throw new OverreadError('internal', `Expected points, got ${result.kind}. Please report this.`);
      const counted = scoreCount(item.patientId, truth, result, labels.length, matchRadius);
      items.push(counted);
      const { patientId: _, ...report } = counted;
      return { report, said: `${counted.count.toFixed(1)} counted of ${counted.truth}, markers ${f1Of([counted]).toFixed(3)}` };
    },
    summary: () => ({ metrics: countMetrics(items), counts: countsReport(items, labels) }),
  };
}

export function scoreCount(patientId: string, truth: CountTruth, { total, coordinates, classOf }: PointsResult, classes: number, matchRadius?: number): CountedItem {
  const matchRadiusPixels = matchRadius ?? (truth.medianDiameter !== undefined ? truth.medianDiameter / 2 : MATCH_RADIUS_PIXELS);
  const { pairs, truePositives, falsePositives, falseNegatives } = matchPoints(truth.coordinates, coordinates, matchRadiusPixels);
  const common = { patientId, truth: truth.coordinates.length / 2, count: total.count, ...(total.interval && { interval: total.interval }), matchRadiusPixels, truePositives, falsePositives, falseNegatives };
  if (!truth.classOf) return common;
  const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  const [missed, spurious] = [new Array<number>(classes).fill(0), new Array<number>(classes).fill(0)];
  for (const { truth: t, found } of pairs) confusion[truth.classOf[t]!]![classOf[found]!]!++;
  const [seen, met] = [new Set(pairs.map(pair => pair.truth)), new Set(pairs.map(({ found }) => found))];
  truth.classOf.forEach((c, t) => !seen.has(t) && missed[c]!++);
  classOf.forEach((c, found) => !met.has(found) && spurious[c]!++);
  return { ...common, confusion, missed, spurious };
}

/** Metrics over items, each as often as its weight says. */
const METRICS: Readonly<Record<string, (items: readonly CountedItem[]) => number | undefined>> = {
  meanAbsoluteError: items => meanAbsoluteError(truths(items), counts(items)),
  /** Of the mean count. */
  meanAbsoluteErrorShare: items => share(meanAbsoluteError(truths(items), counts(items)), items),
  rootMeanSquaredError: items => rootMeanSquaredError(truths(items), counts(items)),
  meanRelativeError: items => meanRelativeError(truths(items), counts(items)),
  bias: items => items.reduce((sum, { truth, count }) => sum + count - truth, 0) / items.length,
  markerF1: items => f1Of(items),
  markerPrecision: items => ratio(sum(items, 'truePositives'), sum(items, 'falsePositives')),
  markerRecall: items => ratio(sum(items, 'truePositives'), sum(items, 'falseNegatives')),
  intervalCoverage: items => {
    const some = items.filter(({ interval }) => interval);
    return some.length ? intervalCoverage(truths(some), some.map(({ interval }) => interval!)) : undefined;
  },
  classAccuracy: items => {
    const matrices = items.flatMap(({ confusion }) => (confusion ? [confusion] : []));
    const right = matrices.reduce((total, matrix) => total + matrix.reduce((of, row, c) => of + row[c]!, 0), 0);
    return ratio(right, matrices.flat(2).reduce((total, n) => total + n, 0) - right);
  },
};

function countMetrics(items: readonly CountedItem[]): Record<string, Measured> {
  const names = Object.keys(METRICS);
  // Draws of one patient are all alike: an interval of no width would say that nothing is uncertain.
  const several = new Set(items.map(({ patientId }) => patientId)).size > 1;
  const intervals = several
    ? bootstrapIntervals(items.map(({ patientId }) => patientId), weights => {
        const drawn = items.flatMap((item, i) => new Array<CountedItem>(weights[i]!).fill(item));
        return names.map(name => METRICS[name]!(drawn));
      })
    : [];
  return Object.fromEntries(names.flatMap((name, i) => {
    const value = items.length ? METRICS[name]!(items) : undefined;
    return value === undefined ? [] : [[name, { value, ...intervals[i] }]];
  }));
}

function countsReport(items: readonly CountedItem[], labels: readonly string[]): CountsReport {
  const matrices = items.flatMap(item => (item.confusion ? [item] : []));
  const summed = (of: (item: CountedItem) => readonly number[]) => labels.map((_, c) => matrices.reduce((total, item) => total + of(item)[c]!, 0));
  return {
    cells: sum(items, 'truth'),
    medianMatchRadiusPixels: medianOf(items.map(({ matchRadiusPixels }) => matchRadiusPixels)) ?? 0,
    ...(items[0]?.interval && { level: items[0].interval.level }),
    ...(matrices.length && {
      confusion: { classes: labels, matched: labels.map((_, row) => summed(({ confusion }) => confusion![row]!)), missed: summed(({ missed }) => missed!), spurious: summed(({ spurious }) => spurious!) },
    }),
  };
}

function f1Of(items: readonly CountedItem[]): number {
  const found = sum(items, 'truePositives');
  const all = 2 * found + sum(items, 'falsePositives') + sum(items, 'falseNegatives');
  // No cells, and no markers: all is right.
  return all === 0 ? 1 : (2 * found) / all;
}

function sum(items: readonly CountedItem[], of: 'truth' | 'truePositives' | 'falsePositives' | 'falseNegatives'): number {
  return items.reduce((total, item) => total + item[of], 0);
}

function ratio(part: number, rest: number): number | undefined {
  return part + rest > 0 ? part / (part + rest) : undefined;
}

function share(error: number, items: readonly CountedItem[]): number | undefined {
  const mean = sum(items, 'truth') / items.length;
  return mean > 0 ? error / mean : undefined;
}

const truths = (items: readonly CountedItem[]) => items.map(({ truth }) => truth);
const counts = (items: readonly CountedItem[]) => items.map(({ count }) => count);
