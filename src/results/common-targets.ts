import { OverreadError } from '../errors.ts';
import type { Target } from '../manifest.ts';

/** What two results both speak of, and what only one of them does. */
export interface CommonTargets {
  /** Indices into the targets of each. */
  readonly pairs: readonly { readonly a: number; readonly b: number }[];
  readonly onlyA: readonly string[];
  readonly onlyB: readonly string[];
  /**
   * How the pairs are known: by coded concept; by name, where one side has no code; `whole` where one side is a drawing
   * that neither codes nor names what it shows: then all of either is set against all of the other.
   */
  readonly by: 'concept' | 'name' | 'whole';
}

/** Codes of our own name things for one result only: they say nothing to another. */
const OWN_SCHEME = '99OVERREAD';

const named = ({ label }: Target) => label.trim().toLowerCase();
const sameCode = (one: Target, other: Target) => codeOf(one) !== undefined && codeOf(one) === codeOf(other);
const codeOf = ({ concept }: Target) => (concept.codingSchemeDesignator === OWN_SCHEME ? undefined : `${concept.codingSchemeDesignator} ${concept.codeValue}`);

/**
 * Pairs the targets of two results by their coded concepts. Where one concept stands several times, as of a left and a right one,
 * the name tells them apart; what has no code is paired by its name.
 * @param drawn whether a side was drawn by hand or loaded without codes, so that its names may be no more than 'Segment 1'
 * @throws OverreadError `input/inconsistent` where nothing is common to both
 */
export function commonTargets(
  a: { readonly name: string; readonly targets: readonly Target[]; readonly drawn?: boolean },
  b: { readonly name: string; readonly targets: readonly Target[]; readonly drawn?: boolean },
): CommonTargets {
  const pairs: { a: number; b: number }[] = [];
  const free = { a: new Set(a.targets.keys()), b: new Set(b.targets.keys()) };
  let by: CommonTargets['by'] = 'concept';
  const count = (targets: readonly Target[], one: Target) => targets.filter(other => sameCode(one, other)).length;
  const pair = (fits: (one: Target, other: Target) => boolean, only: 'unique' | 'first') => {
    let found = 0;
    for (const i of [...free.a]) {
      const those = [...free.b].filter(j => fits(a.targets[i]!, b.targets[j]!));
      const [j] = those;
      if (j === undefined) continue;
      // A concept that either has twice does not say which one is meant.
      if (only === 'unique' && (count(a.targets, a.targets[i]!) > 1 || count(b.targets, b.targets[j]!) > 1)) continue;
      pairs.push({ a: i, b: j });
      free.a.delete(i);
      free.b.delete(j);
      found++;
    }
    return found;
  };
  pair((one, other) => sameCode(one, other) && named(one) === named(other), 'first');
  pair(sameCode, 'unique');
  if (pair((one, other) => named(one) === named(other) && (codeOf(one) === undefined || codeOf(other) === undefined), 'first') > 0) by = 'name';
  if (pairs.length === 0 && a.targets.length > 0 && b.targets.length > 0 && (a.drawn || b.drawn)) return { pairs, onlyA: [], onlyB: [], by: 'whole' };
  const labels = (of: readonly Target[], which: Iterable<number>) => [...which].map(i => of[i]!.label);
  if (pairs.length === 0) {
    const list = ({ targets }: { readonly targets: readonly Target[] }) => targets.map(({ label, concept }) => `${label} (${concept.codingSchemeDesignator} ${concept.codeValue})`).join(', ') || 'nothing';
    throw new OverreadError(
      'input/inconsistent',
      `Expected two results that speak of the same thing, got ${list(a)} of ${a.name} and ${list(b)} of ${b.name}. They have no coded concept in common and are not compared.`,
      { expected: labels(a.targets, a.targets.keys()), got: labels(b.targets, b.targets.keys()) },
    );
  }
  return { pairs: pairs.sort((p, q) => p.a - q.a), onlyA: labels(a.targets, free.a), onlyB: labels(b.targets, free.b), by };
}
