import type { LesionChanges } from '../../../src/evaluation/translation-changes.ts';
import { binomialInterval, poissonInterval } from '../../../src/metrics/exact-intervals.ts';

export interface Patient {
  readonly seed: number;
  readonly placement: string;
  readonly lesions: LesionChanges['lesions'];
  readonly planted: readonly { readonly kind: string; readonly radiusMm: number; readonly found: boolean; readonly volumeMm3?: number; readonly plantedMm3?: number }[];
  readonly false: readonly { readonly kind: string; readonly volumeMm3: number; readonly patientMm: readonly number[] }[];
}

/** What was found of what was planted, and how much else; intervals are exact (Clopper and Pearson 1934; Garwood 1936), since a bootstrap of no misses has no width. */
export function summaryOf(patients: readonly Patient[]) {
  const of = (kind: string) => patients.flatMap(({ planted }) => planted.filter(change => kind === '' || change.kind === kind));
  const shareOf = (kind: string) => {
    const [hits, n] = [of(kind).filter(({ found }) => found).length, of(kind).length];
    return { ...binomialInterval(hits, n), planted: n };
  };
  const falses = patients.reduce((n, patient) => n + patient.false.length, 0);
  const perTen = (count: number) => (10 * count) / patients.length;
  const { value, low, high } = poissonInterval(falses);
  const falsePerTen = { value: perTen(value), low: perTen(low), high: perTen(high) };
  const found = shareOf('');
  const percent = (v: number) => `${(100 * v).toFixed(0)} %`;
  const row = (name: string, { value, low, high, planted }: ReturnType<typeof shareOf>) => `| ${name} | ${planted} | ${percent(value)} | ${percent(low)}–${percent(high)} |`;
  const table = [
    '| | planted | found | 95 % |', '| --- | --- | --- | --- |', row('erased', shareOf('erased')), row('invented', shareOf('invented')), row('both', found),
    `| false per ten patients (of ${patients.length}) | | ${falsePerTen.value.toFixed(2)} | ${falsePerTen.low.toFixed(2)}–${falsePerTen.high.toFixed(2)} |`,
  ].join('\n');
  return { found, falsePerTen, table };
}
