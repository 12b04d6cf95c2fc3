import { aucOver } from '../metrics/auc.ts';
import { bootstrapIntervals, bootstrapMean } from '../metrics/bootstrap.ts';
import type { EvalReport, ItemReport, Measured } from './report.ts';

/** A metric of the base and of the trained model on the same patients, and the difference, paired. */
export interface Compared {
  readonly base: Measured;
  readonly tuned: Measured;
  readonly difference: Measured;
}

const OF_MASKS = ['dice', 'iou', 'precision', 'recall', 'objectAp50'] as const;

/** Base against trained, on the items that both scored; 95 % intervals over patients, of which each is drawn for both. */
export function compared(base: EvalReport, tuned: EvalReport): Readonly<Record<string, Compared>> {
  const pairs = base.perItem.flatMap(before => {
    const after = tuned.perItem.find(({ id }) => id === before.id);
    return before.error || !after || after.error ? [] : [{ patient: before.patientId, before, after }];
  });
  const metrics: Record<string, Compared> = {};
  for (const name of OF_MASKS) {
    const both = pairs.filter(({ before, after }) => Number.isFinite(before[name]) && Number.isFinite(after[name]));
    if (both.length === 0) continue;
    const patients = both.map(({ patient }) => patient);
    const of = (value: (pair: (typeof both)[number]) => number) => withInterval(bootstrapMean(both.map(value), patients), patients);
    const [old, now] = [({ before }: (typeof both)[number]) => before[name] as number, ({ after }: (typeof both)[number]) => after[name] as number];
    metrics[name] = { base: of(old), tuned: of(now), difference: of(pair => now(pair) - old(pair)) };
  }
  for (const label of Object.keys(base.labels ?? {})) {
    const area = comparedAuc(pairs, label);
    if (area) metrics[`auc:${label}`] = area;
  }
  return metrics;
}

function comparedAuc(pairs: readonly { readonly patient: string; readonly before: ItemReport; readonly after: ItemReport }[], label: string): Compared | undefined {
  const truthOf = ({ truths }: ItemReport) => (truths as Record<string, number>)[label];
  const known = pairs.filter(({ before }) => truthOf(before) !== undefined);
  const truths = known.map(({ before }) => truthOf(before) === 1);
  const rank = (item: ItemReport) => (item.logits as Record<string, number>)[label]!;
  const [old, now] = [aucOver(known.map(({ before }) => rank(before)), truths), aucOver(known.map(({ after }) => rank(after)), truths)];
  const [a, b] = [old(), now()];
  if (a === undefined || b === undefined) return undefined;
  const patients = known.map(({ patient }) => patient);
  const [before, after, difference] = bootstrapIntervals(patients, weights => {
    const [x, y] = [old(weights), now(weights)];
    return [x, y, x === undefined || y === undefined ? undefined : y - x];
  });
  return { base: { value: a, ...before }, tuned: { value: b, ...after }, difference: { value: b - a, ...difference } };
}

/** Draws of one patient are all alike: an interval of no width would say that nothing is uncertain. */
function withInterval(estimate: Measured, patients: readonly string[]): Measured {
  return new Set(patients).size > 1 ? estimate : { value: estimate.value };
}
