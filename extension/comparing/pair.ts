import { OverreadError } from '../../src/errors.ts';
import type { Target } from '../../src/manifest.ts';
import { dice } from '../../src/metrics/dice.ts';
import { overlap } from '../../src/metrics/overlap.ts';
import { matchPoints } from '../../src/metrics/point-matching.ts';
import { commonTargets, type CommonTargets } from '../../src/results/common-targets.ts';
import { DIFFERENCE } from '../../src/results/difference.ts';
import { measureSegments } from '../../src/results/measure.ts';
import type { PointsResult } from '../../src/results/points.ts';
import { countMarkers } from '../../src/results/points-edit.ts';
import { otherImages, regridLabels, sameFrames, type Regridded } from '../../src/results/regrid.ts';
import type { HeatmapResult, LabelmapResult, Result, ScoresResult, Segment } from '../../src/results/result.ts';
import { colorOf } from '../overlays/colors.ts';
import { differenceResult, mapDifference, pointsDifference, type PairNames } from './difference.ts';
import { compareMasks, type MaskComparison } from './masks.ts';
import type { ResultSet } from './sets.ts';

/** Two results of one kind, what each is drawn as, and their difference on the images of A. */
export type Pair =
  | { readonly kind: 'labelmap'; readonly a: LabelmapResult; readonly b: LabelmapResult; readonly difference: LabelmapResult; readonly numbers: MaskComparison; readonly sizes: Record<'a' | 'b', Segment>; readonly common: CommonTargets; readonly placement: Pick<Regridded, 'how' | 'covered'> }
  | { readonly kind: 'points'; readonly a: PointsResult; readonly b: PointsResult; readonly difference: PointsResult; readonly numbers: MarkerAgreement; readonly common: CommonTargets }
  | { readonly kind: 'heatmap'; readonly a: HeatmapResult; readonly b: HeatmapResult; readonly difference: HeatmapResult; readonly numbers: MapAgreement }
  | { readonly kind: 'scores'; readonly a: ScoresResult; readonly b: ScoresResult; readonly rows: readonly ScoreDifference[]; readonly common: CommonTargets };

export interface MarkerAgreement {
  readonly matched: number;
  readonly onlyA: number;
  readonly onlyB: number;
  /** 2 · matched / (markers of A + markers of B); 1 where neither has any. */
  readonly f1: number;
  /** Of the matched ones, those of the same class in both. */
  readonly sameClass: number;
  readonly within: { readonly pixels: number; readonly mm?: number };
}

export interface MapAgreement {
  /** Pearson's r of the two maps' values over all pixels; absent where one of them is the same everywhere. */
  readonly correlation?: number;
  /** Intersection over union of the strongest tenth of the pixels of each. */
  readonly strongest: number;
}

export interface ScoreDifference {
  readonly label: string;
  readonly a: number;
  readonly b: number;
  readonly positive: { readonly a: boolean; readonly b: boolean };
}

/**
 * Sets one result against another.
 * @param withinPixels markers no further apart than this are one
 * @throws OverreadError `input/inconsistent` where their images or what they speak of have nothing in common
 */
export function compareSets(a: ResultSet, b: ResultSet, withinPixels: number): Pair {
  const [one, other] = [a.kept.result, b.kept.result];
  if (one.kind === 'labelmap' && other.kind === 'labelmap') return ofMasks(a, one, b, other);
  if (one.kind === 'points' && other.kind === 'points') return ofPoints(a, one, b, other, withinPixels);
  if (one.kind === 'heatmap' && other.kind === 'heatmap') return ofMaps(a, one, b, other);
  if (one.kind === 'scores' && other.kind === 'scores') return ofScores(a, one, b, other);
  throw new OverreadError('input/inconsistent', `Expected two results of one kind, got ${a.name}, which is ${one.kind}, and ${b.name}, which is ${other.kind}. Choose two of one kind.`, { expected: one.kind, got: other.kind });
}

function common(a: ResultSet, b: ResultSet): CommonTargets {
  const side = ({ name, kept, drawn }: ResultSet) => ({ name, targets: targetsOf(kept.result), ...(drawn && { drawn }) });
  return commonTargets(side(a), side(b));
}

function targetsOf(result: Result) {
  if (result.kind === 'labelmap') return result.segments.map(({ target }) => target);
  if (result.kind === 'points') return result.classes.map(({ target }) => target);
  return result.kind === 'scores' ? result.scores.map(({ target }) => target) : [result.target];
}

const names = (a: ResultSet, b: ResultSet): PairNames => ({ a: a.name, b: b.name });

/** Two masks on the grid of the first, by the numbers and in the colours of what both speak of. */
function sharedMasks(a: ResultSet, one: LabelmapResult, b: ResultSet, other: LabelmapResult) {
  const shared = common(a, b);
  const { labels, ...placement } = regridLabels({ labels: other.labels, source: other.source, name: b.name }, one.source, a.name);
  const whole = shared.by === 'whole';
  const targets = (whole ? [one.segments[0]!] : shared.pairs.map(pair => one.segments[pair.a]!)).map(({ target, segmentNumber }) => {
    const [red, green, blue] = colorOf(target, segmentNumber);
    return { ...target, color: [red, green, blue] as [number, number, number] };
  });
  const renumbered = (from: Uint8Array, segments: LabelmapResult['segments'], which: 'a' | 'b') => {
    const table = new Uint8Array(256).fill(whole ? 1 : 0);
    table[0] = 0;
    shared.pairs.forEach((pair, i) => (table[segments[pair[which]]!.segmentNumber] = i + 1));
    return from.map(value => table[value]!);
  };
  return { shared, placement, targets, a: renumbered(one.labels, one.segments, 'a'), b: renumbered(labels, other.segments, 'b') };
}

function ofMasks(a: ResultSet, one: LabelmapResult, b: ResultSet, other: LabelmapResult): Pair {
  const { shared, placement, targets, ...masks } = sharedMasks(a, one, b, other);
  const draw = (result: LabelmapResult, mask: Uint8Array): LabelmapResult => {
    const { instances: _, probabilities: __, ...rest } = result;
    return { ...rest, source: one.source, labels: mask, segments: measureSegments(mask, targets, one.source) };
  };
  const all = (mask: Uint8Array) => measureSegments(mask.map(value => (value ? 1 : 0)), targets.slice(0, 1), one.source)[0]!;
  return {
    kind: 'labelmap', a: draw(one, masks.a), b: draw(other, masks.b), common: shared, placement,
    difference: differenceResult(one, names(a, b), masks),
    numbers: compareMasks(masks.a, masks.b, targets.map(({ label }) => label), one.source),
    sizes: { a: all(masks.a), b: all(masks.b) },
  };
}

/** The one number of a pair that stands for it among many, and what it is called. */
export function headline(a: ResultSet, b: ResultSet, withinPixels: number): { readonly name: string; readonly value: number | undefined } {
  const [one, other] = [a.kept.result, b.kept.result];
  // Distances of surfaces take long, and are not asked for here.
  if (one.kind === 'labelmap' && other.kind === 'labelmap') {
    const masks = sharedMasks(a, one, b, other);
    return { name: 'Dice', value: dice(overlap(masks.b, masks.a)) };
  }
  const pair = compareSets(a, b, withinPixels);
  if (pair.kind === 'points') return { name: 'F1', value: pair.numbers.f1 };
  if (pair.kind === 'heatmap') return { name: 'Correlation', value: pair.numbers.correlation };
  const rows = pair.kind === 'scores' ? pair.rows : [];
  return { name: 'Mean difference of scores', value: rows.reduce((sum, row) => sum + Math.abs(row.a - row.b), 0) / rows.length };
}

function ofPoints(a: ResultSet, one: PointsResult, b: ResultSet, other: PointsResult, withinPixels: number): Pair {
  const shared = common(a, b);
  if (!sameFrames(one.source, other.source)) throw otherImages({ name: a.name, source: one.source }, { name: b.name, source: other.source }, 'and markers lie on their own image alone');
  const classes = { a: classTable(shared, 'a', one), b: classTable(shared, 'b', other) };
  const targets = shared.by === 'whole' ? [one.classes[0]!.target] : shared.pairs.map(pair => one.classes[pair.a]!.target);
  const [left, right] = [chosen(one, classes.a, targets), chosen(other, classes.b, targets)];
  const { pairs } = matchPoints(right.coordinates, left.coordinates, withinPixels);
  const [inA, inB] = [new Set(pairs.map(({ found }) => found)), new Set(pairs.map(({ truth }) => truth))];
  const at = ({ coordinates }: PointsResult, i: number) => ({ x: coordinates[2 * i]!, y: coordinates[2 * i + 1]! });
  const points = [
    ...pairs.map(({ found }) => ({ ...at(left, found), is: DIFFERENCE.both })),
    ...without(left, inA).map(i => ({ ...at(left, i), is: DIFFERENCE.onlyA })),
    ...without(right, inB).map(i => ({ ...at(right, i), is: DIFFERENCE.onlyB })),
  ];
  const [inLeft, inRight] = [left.classOf.length, right.classOf.length];
  const { spacingMm } = one.source;
  return {
    kind: 'points', a: left, b: right, common: shared, difference: pointsDifference(one, names(a, b), points),
    numbers: {
      matched: pairs.length, onlyA: inLeft - pairs.length, onlyB: inRight - pairs.length,
      f1: inLeft + inRight === 0 ? 1 : (2 * pairs.length) / (inLeft + inRight),
      sameClass: pairs.filter(({ truth, found }) => left.classOf[found] === right.classOf[truth]).length,
      within: { pixels: withinPixels, ...(spacingMm && { mm: withinPixels * Math.sqrt(spacingMm[0] * spacingMm[1]) }) },
    },
  };
}

/** Of each class the number of what both share; undefined of one that only this side has. */
function classTable({ pairs, by }: CommonTargets, side: 'a' | 'b', { classes }: PointsResult): readonly (number | undefined)[] {
  return classes.map((_, i) => {
    if (by === 'whole') return 0;
    const place = pairs.findIndex(pair => pair[side] === i);
    return place < 0 ? undefined : place;
  });
}

/** The markers of shared classes, in the numbers and colours of A. */
function chosen(result: PointsResult, table: readonly (number | undefined)[], targets: readonly Target[]): PointsResult {
  const keep = [...result.classOf.keys()].filter(i => table[result.classOf[i]!] !== undefined);
  const classOf = Uint8Array.from(keep, i => table[result.classOf[i]!]!);
  const { density: _, ...rest } = result;
  const { classes, total } = countMarkers(classOf, targets.length, result.source);
  return {
    ...rest, classOf, total, classes: targets.map((target, i) => ({ target, ...classes[i]! })), confidences: Float32Array.from(keep, i => result.confidences[i]!),
    coordinates: Float32Array.from(keep.flatMap(i => [result.coordinates[2 * i]!, result.coordinates[2 * i + 1]!])),
  };
}

function without({ classOf }: PointsResult, matched: ReadonlySet<number>): number[] {
  return [...classOf.keys()].filter(i => !matched.has(i));
}

function ofMaps(a: ResultSet, one: HeatmapResult, b: ResultSet, other: HeatmapResult): Pair {
  common(a, b);
  if (!sameFrames(one.source, other.source)) throw otherImages({ name: a.name, source: one.source }, { name: b.name, source: other.source }, 'and a heat map is not resampled');
  const [left, right] = [asShare(one.values), asShare(other.values)];
  const values = left.map((value, i) => value - right[i]!);
  return { kind: 'heatmap', a: one, b: other, difference: mapDifference(one, names(a, b), values), numbers: mapAgreement(one.values, other.values) };
}

/** Of its largest magnitude. */
function asShare(values: Float32Array): Float32Array {
  const most = values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0) || 1;
  return values.map(value => value / most);
}

/** @param a values of two maps of one grid */
export function mapAgreement(a: Float32Array, b: Float32Array): MapAgreement {
  const mean = (values: Float32Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i]! - meanA, b[i]! - meanB];
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  const [leastA, leastB] = [tenthFrom(a), tenthFrom(b)];
  let [both, either] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    const [inA, inB] = [Math.abs(a[i]!) >= leastA, Math.abs(b[i]!) >= leastB];
    if (inA && inB) both++;
    if (inA || inB) either++;
  }
  return { ...(aa > 0 && bb > 0 && { correlation: ab / Math.sqrt(aa * bb) }), strongest: either === 0 ? 1 : both / either };
}

/** The magnitude from which on a pixel is of the strongest tenth; never 0, which says nothing. */
function tenthFrom(values: Float32Array): number {
  const sorted = values.map(Math.abs).sort();
  return sorted[sorted.length - Math.max(1, Math.round(sorted.length / 10))]! || Number.MIN_VALUE;
}

function ofScores(a: ResultSet, one: ScoresResult, b: ResultSet, other: ScoresResult): Pair {
  const shared = common(a, b);
  if (!sameFrames(one.source, other.source)) throw otherImages({ name: a.name, source: one.source }, { name: b.name, source: other.source }, 'so that they are scores of two pictures');
  const rows = shared.pairs.map(pair => {
    const [left, right] = [one.scores[pair.a]!, other.scores[pair.b]!];
    return { label: left.target.label, a: left.probability, b: right.probability, positive: { a: left.positive, b: right.positive } };
  });
  return { kind: 'scores', a: one, b: other, rows, common: shared };
}
