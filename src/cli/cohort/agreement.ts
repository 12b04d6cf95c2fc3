import { aucOver } from '../../metrics/auc.ts';
import { blandAltman, type LimitsOfAgreement } from '../../metrics/bland-altman.ts';
import type { Estimate } from '../../metrics/bootstrap.ts';
import { bootstrapMean } from '../../metrics/bootstrap.ts';
import { brier } from '../../metrics/brier.ts';
import { expectedCalibrationError } from '../../metrics/calibration-error.ts';
import { cohenKappa } from '../../metrics/cohen-kappa.ts';
import { delong, type PairedAuc } from '../../metrics/delong.ts';
import type { MaskPair } from './mask-pairs.ts';
import { numbersBy, type CohortRow } from './rows.ts';

/** Truths by study and label: 0 or 1. */
export type Truths = ReadonlyMap<string, ReadonlyMap<string, boolean>>;

/** One number of a study by each of two models. */
export interface PairedValue {
  readonly study: string;
  readonly a: number;
  readonly b: number;
  readonly positiveA?: boolean;
  readonly positiveB?: boolean;
  readonly truth?: boolean;
}

/** Two models on one label. What could not be computed is absent, and `remarks` says why. */
export interface LabelAgreement {
  readonly label: string;
  readonly measure: string;
  readonly values: readonly PairedValue[];
  readonly limits?: LimitsOfAgreement;
  /** Of the decisions at each model's own operating point. */
  readonly kappa?: Estimate;
  readonly auc?: PairedAuc;
  readonly calibration?: { readonly [M in 'a' | 'b']: { readonly brier: number; readonly calibrationError: number } };
  /** Of masks: mean Dice of the one with the other, by study. */
  readonly dice?: Estimate;
  readonly remarks: readonly string[];
}

export interface Agreement {
  readonly models: readonly [a: string, b: string];
  readonly labels: readonly LabelAgreement[];
  /** Labels that one of the two has not: nothing is compared there. */
  readonly onlyA: readonly string[];
  readonly onlyB: readonly string[];
}

/**
 * How two models agree over a cohort, label by label: each study counts once. A study where a model gave several numbers for
 * a label (several pictures) counts by its highest, as one that is positive on any picture is; one where a picture failed
 * has no highest yet, and does not count.
 * @param normalised models whose scores are normalised by operating points: they are no probabilities, and have no calibration
 */
export function agreementOf(
  rows: readonly CohortRow[], pairs: readonly MaskPair[], models: readonly [a: string, b: string], truths?: Truths, normalised: ReadonlySet<string> = new Set(),
): Agreement {
  const [a, b] = models.map(model => numbersOf(numbersBy(model, rows)));
  const uncalibrated = models.filter(model => normalised.has(model));
  const [namesA, namesB] = [[...a!.keys()], [...b!.keys()]];
  const labels = namesA.filter(name => b!.has(name)).map(name => {
    const [label, measure] = name.split('\0') as [string, string];
    const values = valuesOf(label, a!.get(name)!, b!.get(name)!, truths);
    return compare(label, measure, values, pairs.filter(pair => pair.label === label && pair.models[0] === models[0] && pair.models[1] === models[1]), rows, uncalibrated);
  });
  const said = (name: string) => name.replace('\0', ', ');
  return { models, labels, onlyA: namesA.filter(name => !b!.has(name)).map(said), onlyB: namesB.filter(name => !a!.has(name)).map(said) };
}

interface Measured {
  readonly value: number;
  readonly positive?: boolean;
}

/** By label and measure, then by study. */
function numbersOf(rows: readonly CohortRow[]): Map<string, Map<string, Measured>> {
  const all = new Map<string, Map<string, Measured>>();
  for (const { study, label, measure, value, positive } of rows) {
    if (value === undefined) continue;
    const name = `${label}\0${measure}`;
    const of = all.get(name) ?? new Map<string, Measured>();
    all.set(name, of);
    const known = of.get(study);
    if (known === undefined || value > known.value) of.set(study, { value, ...(positive !== undefined && { positive: positive || known?.positive === true }) });
  }
  return all;
}

function valuesOf(label: string, a: ReadonlyMap<string, Measured>, b: ReadonlyMap<string, Measured>, truths: Truths | undefined): PairedValue[] {
  return [...a].flatMap(([study, own]) => {
    const other = b.get(study);
    if (!other) return [];
    const truth = truths?.get(study)?.get(label);
    return [{
      study, a: own.value, b: other.value,
      ...(own.positive !== undefined && other.positive !== undefined && { positiveA: own.positive, positiveB: other.positive }),
      ...(truth !== undefined && { truth }),
    }];
  });
}

function compare(label: string, measure: string, values: readonly PairedValue[], pairs: readonly MaskPair[], rows: readonly CohortRow[], uncalibrated: readonly string[]): LabelAgreement {
  const remarks: string[] = [];
  const enough = values.length >= 2;
  if (!enough) remarks.push(`${values.length === 1 ? 'one study' : 'no study'} has this by both models: no agreement can be computed`);
  const limits = enough ? blandAltman(values.map(v => v.a), values.map(v => v.b)) : undefined;
  const decided = values.filter(v => v.positiveA !== undefined);
  const kappa = enough && decided.length >= 2 ? cohenKappa(decided.map(v => Number(v.positiveA)), decided.map(v => Number(v.positiveB))) : undefined;
  if (enough && decided.length >= 2 && !kappa) remarks.push('no kappa: both models give one and the same class throughout');
  const known = values.filter(v => v.truth !== undefined);
  const truth = known.map(v => v.truth!);
  const auc = known.length ? delong(known.map(v => v.a), known.map(v => v.b), truth) : undefined;
  if (known.length && !auc) remarks.push('no area under the curve: fewer than two studies of one class');
  const isScored = measure === 'probability' && known.length > 0;
  if (isScored && uncalibrated.length) remarks.push(`no calibration: the scores of ${uncalibrated.join(' and ')} are normalised by operating points, so they are no probabilities`);
  const calibrationOf = (of: 'a' | 'b') => ({
    brier: known.reduce((sum, v) => sum + brier(v[of], v.truth!), 0) / known.length,
    calibrationError: expectedCalibrationError(known.map(v => v[of]), truth),
  });
  const refused = new Set(pairs.flatMap(pair => pair.refused ?? []));
  remarks.push(...refused);
  const measured = pairs.flatMap(pair => (pair.dice === undefined ? [] : [{ dice: pair.dice, study: studyOf(pair, rows) }]));
  return {
    label, measure, values, remarks,
    ...(limits && { limits }), ...(kappa && { kappa }), ...(auc && { auc }),
    ...(isScored && !uncalibrated.length && { calibration: { a: calibrationOf('a'), b: calibrationOf('b') } }),
    ...(measured.length && { dice: bootstrapMean(measured.map(m => m.dice), measured.map(m => m.study)) }),
  };
}

function studyOf({ picture }: MaskPair, rows: readonly CohortRow[]): string {
  return rows.find(row => row.picture === picture)?.study ?? picture;
}

/** The ROC curve of scores: [false positive rate, true positive rate] from 0, 0 to 1, 1; undefined where one class is absent. */
export function rocOf(scores: readonly number[], truths: readonly boolean[]): readonly (readonly [number, number])[] | undefined {
  if (aucOver(scores, truths)() === undefined) return undefined;
  const order = scores.map((_, i) => i).sort((x, y) => scores[y]! - scores[x]!);
  const positives = truths.filter(Boolean).length;
  const negatives = truths.length - positives;
  const points: [number, number][] = [[0, 0]];
  let [tp, fp] = [0, 0];
  order.forEach((item, i) => {
    if (truths[item]) tp++;
    else fp++;
    if (i + 1 === order.length || scores[order[i + 1]!] !== scores[item]) points.push([fp / negatives, tp / positives]);
  });
  return points;
}
