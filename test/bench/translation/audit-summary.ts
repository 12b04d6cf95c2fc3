import type { LesionChanges } from '../../../src/evaluation/translation-changes.ts';

export interface Patient {
  readonly seed: number;
  readonly placement: string;
  readonly lesions: LesionChanges['lesions'];
  readonly planted: readonly { readonly kind: string; readonly radiusMm: number; readonly found: boolean; readonly volumeMm3?: number; readonly plantedMm3?: number }[];
  readonly false: readonly { readonly kind: string; readonly volumeMm3: number; readonly patientMm: readonly number[] }[];
}

/** Two-sided, 95 %. */
const TAIL = 0.025;

/** What was found of what was planted, and how much else; intervals are exact (Clopper and Pearson 1934; Garwood 1936), since a bootstrap of no misses has no width. */
export function summaryOf(patients: readonly Patient[]) {
  const of = (kind: string) => patients.flatMap(({ planted }) => planted.filter(change => kind === '' || change.kind === kind));
  const shareOf = (kind: string) => {
    const [hits, n] = [of(kind).filter(({ found }) => found).length, of(kind).length];
    const low = hits === 0 ? 0 : root(p => 1 - binomial(hits - 1, n, p) - TAIL, 0, 1);
    const high = hits === n ? 1 : root(p => TAIL - binomial(hits, n, p), 0, 1);
    return { value: hits / n, low, high, planted: n };
  };
  const falses = patients.reduce((n, patient) => n + patient.false.length, 0);
  const perTen = (count: number) => (10 * count) / patients.length;
  const falsePerTen = {
    value: perTen(falses), low: perTen(falses === 0 ? 0 : root(mean => 1 - poisson(falses - 1, mean) - TAIL, 0, falses)), high: perTen(root(mean => TAIL - poisson(falses, mean), falses, 4 * falses + 10)),
  };
  const found = shareOf('');
  const percent = (v: number) => `${(100 * v).toFixed(0)} %`;
  const row = (name: string, { value, low, high, planted }: ReturnType<typeof shareOf>) => `| ${name} | ${planted} | ${percent(value)} | ${percent(low)}–${percent(high)} |`;
  const table = [
    '| | planted | found | 95 % |', '| --- | --- | --- | --- |', row('erased', shareOf('erased')), row('invented', shareOf('invented')), row('both', found),
    `| false per ten patients (of ${patients.length}) | | ${falsePerTen.value.toFixed(2)} | ${falsePerTen.low.toFixed(2)}–${falsePerTen.high.toFixed(2)} |`,
  ].join('\n');
  return { found, falsePerTen, table };
}

/** At most k of n. */
function binomial(k: number, n: number, p: number): number {
  let sum = 0;
  for (let i = 0, term = (1 - p) ** n; i <= k; i++) {
    sum += term;
    term *= ((n - i) * p) / ((i + 1) * (1 - p));
  }
  return sum;
}

/** At most k where so many are expected. */
function poisson(k: number, mean: number): number {
  let sum = 0;
  for (let i = 0, term = Math.exp(-mean); i <= k; i++) {
    sum += term;
    term *= mean / (i + 1);
  }
  return sum;
}

/** Where an increasing function is 0. */
function root(of: (x: number) => number, low: number, high: number): number {
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (of(middle) < 0) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
