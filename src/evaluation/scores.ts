import { OverreadError } from '../errors.ts';
import type { ModelManifest } from '../manifest.ts';
import { aucOver } from '../metrics/auc.ts';
import { bootstrapIntervals } from '../metrics/bootstrap.ts';
import { brier } from '../metrics/brier.ts';
import { expectedCalibrationError } from '../metrics/calibration-error.ts';
import type { DatasetItem } from '../training/dataset.ts';
import type { LabelReport, Measured, Yardstick } from './report.ts';

/** What a model said of an item, and what is true of it: by the model's labels, only those that the item has. */
export interface ScoredItem {
  readonly patientId: string;
  readonly probabilities: Readonly<Record<string, number>>;
  /** What puts the items in order, where probabilities round to 0 or 1 and tie; the probabilities when left out. */
  readonly ranks?: Readonly<Record<string, number>>;
  readonly truths: Readonly<Record<string, boolean>>;
}

/** Measures scores against the labels of a data set. */
export function scoreYardstick(manifest: ModelManifest): Yardstick {
  const labels = manifest.output.targets.map(target => target.label);
  const byLogit = isRankedByLogit(manifest);
  const scored: ScoredItem[] = [];
  return {
    wants: `a label of the model (${labels.join(', ')})`,
    ofPixels: false,
    has: item => labels.some(label => labelled(item, label) !== undefined),
    async judge(item, _, run) {
      const truths = truthsOf(item, labels);
      const result = await run();
      if (result.kind !== 'scores') throw new OverreadError('internal', `Expected scores, got ${result.kind}. Please report this.`);
      const probabilities = Object.fromEntries(result.scores.map(({ target, probability }) => [target.label, probability]));
      const logits = Object.fromEntries(result.scores.map(({ target, logit }) => [target.label, logit]));
      scored.push({ patientId: item.patientId, probabilities, truths, ...(byLogit && { ranks: logits }) });
      const wrong = result.scores.filter(({ target, positive }) => truths[target.label] !== undefined && truths[target.label] !== positive).length;
      const said = `${wrong} of ${Object.keys(truths).length} labels on the wrong side of the operating point`;
      return { report: { logits, probabilities, truths: Object.fromEntries(Object.entries(truths).map(([label, truth]) => [label, Number(truth)])) }, said };
    },
    summary: () => measureScores(scored, labels, manifest.output.operatingPointNormalisation === undefined),
  };
}

/** Whether a label's logits order items as its probabilities do: of a sigmoid, calibration and normalisation keep their order; of a softmax the others' count, too. */
export function isRankedByLogit({ output: { activation, gives } }: ModelManifest): boolean {
  return activation === 'sigmoid' && gives === 'logits';
}

/**
 * The truths that an item has of the model's labels. Names are matched without case, a space and an underscore alike.
 * @throws OverreadError `dataset/invalid` for a value that is neither 0 nor 1
 */
export function truthsOf(item: DatasetItem, labels: readonly string[]): Record<string, boolean> {
  const truths: Record<string, boolean> = {};
  for (const label of labels) {
    const value = labelled(item, label);
    if (value === undefined) continue;
    if (value !== 0 && value !== 1) {
      throw new OverreadError('dataset/invalid', `Expected 0 or 1 for the label ${label} of item '${item.id}', got ${value}. Leave out a label that is not known.`, { expected: [0, 1], got: value });
    }
    truths[label] = value === 1;
  }
  return truths;
}

function labelled({ labels = {} }: DatasetItem, label: string): number | undefined {
  if (Object.hasOwn(labels, label)) return labels[label];
  const name = Object.keys(labels).find(given => plain(given) === plain(label));
  return name === undefined ? undefined : labels[name];
}

function plain(label: string): string {
  return label.trim().toLowerCase().replaceAll('_', ' ');
}

const NO_PROBABILITIES = 'the scores are normalised by operating points, so they are no probabilities';

/** A label's items, ready to be weighed by how often their patients are drawn. */
interface Column {
  readonly label: string;
  readonly report: LabelReport;
  readonly auc: Measured | undefined;
  readonly brier: Measured | undefined;
  readonly calibrationError: Measured | undefined;
  weighed(weights: Uint32Array): { readonly auc: number | undefined; readonly brier: number | undefined };
}

/**
 * Area under the ROC curve, Brier score and calibration error of each label, over the items that have it, and their
 * means over the labels that have a value. Intervals: 95 %, over patients. A label without positives or without
 * negatives has no area; `notComputable` says so.
 * @param areProbabilities false where the scores are no probabilities, so that there is nothing to calibrate
 */
export function measureScores(
  items: readonly ScoredItem[], labels: readonly string[], areProbabilities: boolean,
): { metrics: Record<string, Measured>; labels: Record<string, LabelReport> } {
  const columns = labels.map(label => columnOf(items, label, areProbabilities));
  const values: Record<string, Measured | undefined> = {
    auc: meanOf(columns.map(c => c.auc)),
    brier: meanOf(columns.map(c => c.brier)),
    calibrationError: meanOf(columns.map(c => c.calibrationError)),
  };
  for (const metric of ['auc', 'brier', 'calibrationError'] as const) for (const column of columns) values[`${metric}:${column.label}`] = column[metric];
  // Draws of one patient are all alike: an interval of no width would say that nothing is uncertain.
  const one = new Set(columns.filter(c => c.report.patients < 2).map(c => c.label));
  const several = new Set(items.map(item => item.patientId)).size > 1;
  const intervals = several ? intervalsOf(items, columns) : {};
  for (const name of Object.keys(intervals)) if (one.has(name.slice(name.indexOf(':') + 1))) delete intervals[name];
  const metrics = Object.fromEntries(Object.entries(values).flatMap(([name, value]) => (value ? [[name, { ...value, ...intervals[name] }]] : [])));
  return { metrics, labels: Object.fromEntries(columns.map(column => [column.label, reportOf(column, metrics)])) };
}

function columnOf(items: readonly ScoredItem[], label: string, areProbabilities: boolean): Column {
  const at = items.flatMap((item, i) => (item.truths[label] === undefined ? [] : [i]));
  const truths = at.map(i => items[i]!.truths[label]!);
  const scores = at.map(i => items[i]!.probabilities[label]!);
  const squares = scores.map((p, i) => brier(p, truths[i]!));
  const area = aucOver(at.map(i => (items[i]!.ranks ?? items[i]!.probabilities)[label]!), truths);
  const positives = at.filter((_, i) => truths[i]);
  const patients = (of: readonly number[]) => new Set(of.map(i => items[i]!.patientId)).size;
  const reason = at.length === 0 ? 'no item has this label' : positives.length === 0 ? 'no item is positive' : positives.length === at.length ? 'no item is negative' : undefined;
  const auc = area();
  const some = areProbabilities && at.length > 0;
  const picked = new Uint32Array(at.length);
  const weightedBrier = (weights?: Uint32Array) => {
    let [sum, count] = [0, 0];
    for (let i = 0; i < squares.length; i++) {
      const weight = weights ? weights[i]! : 1;
      sum += weight * squares[i]!;
      count += weight;
    }
    return count > 0 ? sum / count : undefined;
  };
  return {
    label,
    report: {
      n: at.length, positives: positives.length, patients: patients(at), positivePatients: patients(positives),
      ...((reason !== undefined || !areProbabilities) && {
        notComputable: {
          ...(reason !== undefined && { auc: reason }),
          ...(!areProbabilities && { brier: NO_PROBABILITIES, calibrationError: NO_PROBABILITIES }),
        },
      }),
    },
    auc: auc === undefined ? undefined : { value: auc },
    brier: some ? { value: weightedBrier()! } : undefined,
    calibrationError: some ? { value: expectedCalibrationError(scores, truths) } : undefined,
    weighed(weights) {
      at.forEach((item, i) => (picked[i] = weights[item]!));
      return { auc: auc === undefined ? undefined : area(picked), brier: some ? weightedBrier(picked) : undefined };
    },
  };
}

/** Intervals of areas and Brier scores by the names of their metrics, all of the same draws of patients. */
function intervalsOf(items: readonly ScoredItem[], columns: readonly Column[]): Record<string, { low: number; high: number } | undefined> {
  const patients = items.map(item => item.patientId);
  const names = ['auc', 'brier'].flatMap(metric => [metric, ...columns.map(c => `${metric}:${c.label}`)]);
  // A draw that lacks one label's area has no mean over the labels: without that label it would be another mean.
  const mean = (drawn: readonly (number | undefined)[], of: readonly (Measured | undefined)[]) => {
    const wanted = drawn.filter((_, i) => of[i]);
    return wanted.length && wanted.every(v => v !== undefined) ? wanted.reduce((sum, v) => sum + v, 0) / wanted.length : undefined;
  };
  const intervals = bootstrapIntervals(patients, weights => {
    const drawn = columns.map(c => c.weighed(weights));
    const [aucs, briers] = [drawn.map(d => d.auc), drawn.map(d => d.brier)];
    return [mean(aucs, columns.map(c => c.auc)), ...aucs, mean(briers, columns.map(c => c.brier)), ...briers];
  });
  return Object.fromEntries(names.map((name, i) => [name, intervals[i]]));
}

function meanOf(values: readonly (Measured | undefined)[]): Measured | undefined {
  const known = values.flatMap(v => (v ? [v.value] : []));
  return known.length ? { value: known.reduce((sum, v) => sum + v, 0) / known.length } : undefined;
}

/** The label's counts, with a word on an area that has no interval. */
function reportOf({ label, report }: Column, metrics: Readonly<Record<string, Measured>>): LabelReport {
  const auc = metrics[`auc:${label}`];
  if (!auc || auc.low !== undefined) return report;
  return { ...report, notComputable: { ...report.notComputable, 'auc interval': report.patients < 2 ? 'there is one patient only' : 'too few patients of one class' } };
}
