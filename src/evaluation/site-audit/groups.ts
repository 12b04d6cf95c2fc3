import type { AuditedPicture, Factor } from './audited.ts';

/** Fewer patients make no group: whatever is measured of them is chance. */
export const LEAST_PATIENTS = 5;

export interface Group {
  readonly name: string;
  readonly pictures: number;
  readonly patients: number;
}

/** The pictures that a factor splits, and the number of each one's group. */
export interface Grouped {
  readonly groups: readonly Group[];
  readonly members: readonly AuditedPicture[];
  readonly labels: readonly number[];
  readonly patients: readonly string[];
  /** Groups of too few patients. */
  readonly leftOut: readonly Group[];
  /** Pictures of which it is not known. */
  readonly unknown: number;
}

/** The largest group first. */
export function grouped(pictures: readonly AuditedPicture[], factor: Factor, leastPatients = LEAST_PATIENTS): Grouped {
  const by = new Map<string, AuditedPicture[]>();
  for (const picture of pictures) {
    const name = factor.of(picture);
    if (name === undefined) continue;
    const of = by.get(name);
    if (of) of.push(picture);
    else by.set(name, [picture]);
  }
  const all = [...by].sort(([a, x], [b, y]) => y.length - x.length || (a < b ? -1 : 1)).map(([name, of]) => ({ name, pictures: of.length, patients: new Set(of.map(({ patient }) => patient)).size }));
  const groups = all.filter(({ patients }) => patients >= leastPatients);
  const numberOf = new Map(groups.map(({ name }, i) => [name, i]));
  const members = pictures.filter(picture => numberOf.has(factor.of(picture) ?? ''));
  return {
    groups, members,
    labels: members.map(picture => numberOf.get(factor.of(picture)!)!),
    patients: members.map(({ patient }) => patient),
    leftOut: all.filter(({ patients }) => patients < leastPatients),
    unknown: pictures.length - [...by.values()].reduce((sum, { length }) => sum + length, 0),
  };
}

/**
 * At most so many pictures, whole patients in the order of a hash, so that the same set gives the same ones. The groups take turns: a small
 * one among thousands would else lose all of its patients, and be told from nothing.
 */
export function atMost(of: Grouped, most: number): Grouped {
  if (of.members.length <= most) return of;
  const groupOf = new Map(of.patients.map((patient, i) => [patient, of.labels[i]!]));
  const taken = of.groups.map(() => 0);
  const order = [...groupOf.keys()].map(patient => [patient, hash(patient)] as const).sort((a, b) => a[1] - b[1] || (a[0] < b[0] ? -1 : 1))
    .map(([patient]) => ({ patient, turn: taken[groupOf.get(patient)!]!++ })).sort((a, b) => a.turn - b.turn);
  const kept = new Set<string>();
  let count = 0;
  const size = new Map<string, number>();
  for (const patient of of.patients) size.set(patient, (size.get(patient) ?? 0) + 1);
  for (const { patient } of order) {
    if (count + size.get(patient)! > most) break;
    count += size.get(patient)!;
    kept.add(patient);
  }
  const at = of.members.flatMap((_, i) => (kept.has(of.patients[i]!) ? [i] : []));
  return { ...of, members: at.map(i => of.members[i]!), labels: at.map(i => of.labels[i]!), patients: at.map(i => of.patients[i]!) };
}

/** Half of each site's patients, by a hash: the same each time. */
export function firstHalf(pictures: readonly AuditedPicture[]): ReadonlySet<string> {
  const bySite = new Map<string, string[]>();
  const seen = new Set<string>();
  for (const { patient, groups: { site = '' } } of pictures) {
    if (seen.has(patient)) continue;
    seen.add(patient);
    bySite.set(site, [...(bySite.get(site) ?? []), patient]);
  }
  return new Set([...bySite.values()].flatMap(patients => patients.sort((a, b) => hash(a) - hash(b) || (a < b ? -1 : 1)).filter((_, i) => i % 2 === 0)));
}

/** FNV-1a, mixed once more since ids differ in their last letters. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  return (h ^ (h >>> 13)) >>> 0;
}
