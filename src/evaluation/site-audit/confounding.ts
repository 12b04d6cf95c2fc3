import { cramersV, oddsRatio, type ContingencyTable } from '../../metrics/association.ts';
import { bootstrapIntervals } from '../../metrics/bootstrap.ts';
import { holm } from '../../metrics/holm.ts';
import { permutationP, permutedLabels } from '../../metrics/permutations.ts';
import type { AuditedPicture, Factor } from './audited.ts';
import type { Tested, TestOptions } from './factor.ts';
import type { Bounded } from './outcomes.ts';

/** Two factors that may go together, counted in pictures. */
export interface Association extends Tested {
  readonly rows: { readonly factor: string; readonly groups: readonly string[] };
  readonly columns: { readonly factor: string; readonly groups: readonly string[] };
  readonly table: ContingencyTable;
  /** Cramér's V; the interval, over patients, cannot reach 0, since V is never below it: the p-value says whether it is chance. */
  readonly v: Bounded;
  /** Of tables of two by two; the interval is over patients. */
  readonly oddsRatio?: Bounded;
}

/**
 * Which labels go with each other, with the place, the device and the patient, and which of those with each other. p-values are of
 * all orders of the patients, adjusted for the number of pairs; the most associated pair comes first.
 */
export function confounding(pictures: readonly AuditedPicture[], factors: readonly Factor[], { permutations, seed = 1 }: TestOptions): Association[] {
  const pairs = factors.flatMap((a, i) => factors.slice(i + 1).map(b => [a, b] as const));
  const found = pairs.flatMap(([a, b]) => associationOf(pictures, a, b, permutations, seed) ?? []);
  const adjusted = holm(found.map(({ p }) => p));
  return found.map((of, i) => ({ ...of, adjusted: adjusted[i]! })).sort((x, y) => x.adjusted - y.adjusted || y.v.value - x.v.value);
}

function associationOf(pictures: readonly AuditedPicture[], a: Factor, b: Factor, permutations: number | undefined, seed: number): Association | undefined {
  const both = pictures.filter(picture => a.of(picture) !== undefined && b.of(picture) !== undefined);
  const [names, numbers] = [a, b].map(factor => both.map(picture => factor.of(picture)!)).reduce<[string[][], number[][]]>(([n, k], of) => {
    const groups = [...new Set(of)].sort();
    return [[...n, groups], [...k, of.map(name => groups.indexOf(name))]];
  }, [[], []]);
  const patients = both.map(({ patient }) => patient);
  const [rows, columns] = numbers as [number[], number[]];
  const count = (labels: ArrayLike<number>, weights?: ArrayLike<number>) => {
    const table = names[0]!.map(() => new Array<number>(names[1]!.length).fill(0));
    columns.forEach((column, i) => (table[labels[i]!]![column]! += weights ? weights[i]! : 1));
    return table;
  };
  const table = count(rows);
  const v = cramersV(table)?.v;
  if (v === undefined) return undefined;
  const drawn: number[] = [];
  for (const labels of permutedLabels(rows, patients, seed, permutations)) drawn.push(cramersV(count(labels))?.v ?? 0);
  // The first are the labels as they are.
  const p = permutationP(v, drawn.slice(1));
  const isSquare = table.length === 2 && table[0]!.length === 2;
  // Several pictures of a patient are no several patients: Woolf's interval, over pictures, would be too narrow.
  const measured = (counted: ContingencyTable) => [cramersV(counted)?.v, isSquare ? oddsRatio(counted).value : undefined];
  const [interval, odds] = new Set(patients).size > 1 ? bootstrapIntervals(patients, weights => measured(count(rows, weights)), { resamples: 500 }) : [];
  return {
    rows: { factor: a.name, groups: names[0]! }, columns: { factor: b.name, groups: names[1]! }, table, v: { value: v, ...interval }, p, adjusted: p,
    ...(isSquare && { oddsRatio: { value: oddsRatio(table).value, ...odds } }),
  };
}
