import { aucOver } from '../metrics/auc.ts';
import { bootstrapIntervals, bootstrapMean } from '../metrics/bootstrap.ts';
import { reliability, type ReliabilityBin } from '../metrics/reliability.ts';
import type { EvalReport, ItemReport, Measured } from './report.ts';

/** A metric of the base and of the trained model on the same patients, and the difference, paired. */
export interface Compared {
  readonly base: Measured;
  readonly tuned: Measured;
  readonly difference: Measured;
}

const OF_MASKS = ['dice', 'iou', 'precision', 'recall', 'objectAp50'] as const;

/**
 * Base against trained, on the items that both scored; 95 % intervals over patients, of which each is drawn for both.
 * @param rank by what items are put in order: logits where they order as probabilities do (`isRankedByLogit`), since these round to 0 or 1 and tie
 */
export function compared(base: EvalReport, tuned: EvalReport, rank: 'logits' | 'probabilities'): Readonly<Record<string, Compared>> {
  const pairs = pairsOf(base, tuned);
  const metrics: Record<string, Compared> = {};
  for (const name of OF_MASKS) {
    const both = pairs.filter(({ before, after }) => Number.isFinite(before[name]) && Number.isFinite(after[name]));
    if (both.length === 0) continue;
    metrics[name] = comparedMeans(both.map(({ patient, before, after }) => ({ patient, before: before[name] as number, after: after[name] as number })));
  }
  for (const label of Object.keys(base.labels ?? {})) {
    const area = comparedAuc(pairs, label, rank);
    if (area) metrics[`auc:${label}`] = area;
  }
  return metrics;
}

/** The means of a number that each item has of both models. */
export function comparedMeans(pairs: readonly { readonly patient: string; readonly before: number; readonly after: number }[]): Compared {
  const patients = pairs.map(({ patient }) => patient);
  const of = (value: (pair: (typeof pairs)[number]) => number) => withInterval(bootstrapMean(pairs.map(value), patients), patients);
  return { base: of(({ before }) => before), tuned: of(({ after }) => after), difference: of(({ before, after }) => after - before) };
}

/** How often what was given a probability was so, by label, before and after, on the items that both scored. */
export function comparedReliability(base: EvalReport, tuned: EvalReport): Readonly<Record<string, { readonly base: readonly ReliabilityBin[]; readonly tuned: readonly ReliabilityBin[] }>> {
  const pairs = pairsOf(base, tuned);
  return Object.fromEntries(Object.keys(base.labels ?? {}).flatMap(label => {
    const known = pairs.filter(({ before }) => truthOf(before, label) !== undefined);
    const of = (side: 'before' | 'after') => reliability(known.map(pair => (pair[side].probabilities as Record<string, number>)[label]!), known.map(({ before }) => truthOf(before, label) === 1));
    return known.length > 0 ? [[label, { base: of('before'), tuned: of('after') }]] : [];
  }));
}

function pairsOf(base: EvalReport, tuned: EvalReport): { readonly patient: string; readonly before: ItemReport; readonly after: ItemReport }[] {
  return base.perItem.flatMap(before => {
    const after = tuned.perItem.find(({ id }) => id === before.id);
    return before.error || !after || after.error ? [] : [{ patient: before.patientId, before, after }];
  });
}

function truthOf({ truths }: ItemReport, label: string): number | undefined {
  return (truths as Record<string, number>)[label];
}

function comparedAuc(pairs: readonly { readonly patient: string; readonly before: ItemReport; readonly after: ItemReport }[], label: string, by: 'logits' | 'probabilities'): Compared | undefined {
  const known = pairs.filter(({ before }) => truthOf(before, label) !== undefined);
  const truths = known.map(({ before }) => truthOf(before, label) === 1);
  const rank = (item: ItemReport) => (item[by] as Record<string, number>)[label]!;
  const [old, now] = [aucOver(known.map(({ before }) => rank(before)), truths), aucOver(known.map(({ after }) => rank(after)), truths)];
  const [a, b] = [old(), now()];
  if (a === undefined || b === undefined) return undefined;
  const patients = known.map(({ patient }) => patient);
  const [before, after, difference] = bootstrapIntervals(patients, weights => {
    const [x, y] = [old(weights), now(weights)];
    return [x, y, x === undefined || y === undefined ? undefined : y - x];
  });
  const of = (value: number, interval: Partial<Measured> | undefined) => withInterval({ value, ...interval }, patients);
  return { base: of(a, before), tuned: of(b, after), difference: of(b - a, difference) };
}

/** Draws of one patient are all alike: an interval of no width would say that nothing is uncertain. */
function withInterval(estimate: Measured, patients: readonly string[]): Measured {
  return new Set(patients).size > 1 ? estimate : { value: estimate.value };
}
