import { aucOver } from '../../metrics/auc.ts';
import { bootstrapIntervals, type Interval } from '../../metrics/bootstrap.ts';
import type { AuditedPicture, Factor } from './audited.ts';

export type Bounded = { readonly value: number } & Partial<Interval>;

/** What a model gives for a label in one group. Intervals: 95 %, over patients; absent where too few of them carry the number. */
export interface GroupOutcome {
  readonly factor: string;
  readonly group: string;
  readonly label: string;
  readonly pictures: number;
  readonly patients: number;
  /** With a truth of this label. */
  readonly known: number;
  readonly positives: number;
  readonly score: Bounded;
  /** Called positive. */
  readonly called: Bounded;
  readonly auc?: Bounded;
  readonly sensitivity?: Bounded;
  readonly specificity?: Bounded;
}

type Statistic = (weights?: ArrayLike<number>) => number | undefined;

/** Scores and errors of a model by group. Small groups stay: their intervals are wide. */
export function outcomesOf(pictures: readonly AuditedPicture[], factors: readonly Factor[]): GroupOutcome[] {
  const scored = pictures.filter(({ scores }) => scores);
  const labels = [...new Set(scored.flatMap(({ scores }) => Object.keys(scores!)))];
  const everything: Factor = { name: 'all', kind: 'acquisition', of: () => 'all pictures' };
  return [everything, ...factors.filter(({ kind }) => kind === 'acquisition')].flatMap(factor => {
    const names = [...new Set(scored.flatMap(picture => factor.of(picture) ?? []))].sort();
    return labels.flatMap(label => names.map(group => outcomeOf(scored.filter(picture => factor.of(picture) === group && picture.scores![label]), factor.name, group, label)));
  });
}

function outcomeOf(members: readonly AuditedPicture[], factor: string, group: string, label: string): GroupOutcome {
  const patients = members.map(({ patient }) => patient);
  const scores = members.map(picture => picture.scores![label]!);
  const known = members.flatMap(({ truths }, i) => (truths[label] === undefined ? [] : [i]));
  const truth = (i: number) => members[i]!.truths[label]!;
  const shareOf = (among: readonly number[], value: (i: number) => number): Statistic => weights => {
    let [sum, count] = [0, 0];
    for (const i of among) {
      const weight = weights ? weights[i]! : 1;
      sum += weight * value(i);
      count += weight;
    }
    return count > 0 ? sum / count : undefined;
  };
  const everyone = members.map((_, i) => i);
  const area = aucOver(known.map(i => scores[i]!.probability), known.map(truth));
  const statistics: Record<'score' | 'called' | 'auc' | 'sensitivity' | 'specificity', Statistic> = {
    score: shareOf(everyone, i => scores[i]!.probability),
    called: shareOf(everyone, i => Number(scores[i]!.positive)),
    auc: weights => area(weights && known.map(i => weights[i]!)),
    sensitivity: shareOf(known.filter(truth), i => Number(scores[i]!.positive)),
    specificity: shareOf(known.filter(i => !truth(i)), i => Number(!scores[i]!.positive)),
  };
  const count = new Set(patients).size;
  // Draws of one patient are all alike: an interval of no width would say that nothing is uncertain.
  const intervals = count > 1 ? bootstrapIntervals(patients, weights => Object.values(statistics).map(of => of(weights)), { resamples: 1000 }) : [];
  const measured = Object.fromEntries(Object.entries(statistics).flatMap(([name, of], i) => {
    const value = of();
    return value === undefined ? [] : [[name, { value, ...intervals[i] }]];
  })) as Pick<GroupOutcome, 'score' | 'called' | 'auc' | 'sensitivity' | 'specificity'>;
  return { factor, group, label, pictures: members.length, patients: count, known: known.length, positives: known.filter(truth).length, ...measured };
}
