import { csv } from '../../src/export/csv.ts';
import { sha256 } from '../../src/runtime/sha256.ts';
import { signTest } from '../../src/metrics/sign-test.ts';
import { OverreadError } from '../../src/errors.ts';
import type { ResultSet } from '../comparing/sets.ts';
import { movedThreshold, wasEdited } from '../comparing/sets.ts';
import type { Choice, Reading } from './reading.ts';

/** What a study is called in what leaves the viewer. */
export type StudyNames = 'hashed' | 'none' | 'uid';

export interface ReadCase {
  /** In reading order, from 1. */
  readonly case: number;
  readonly study?: string;
  /** What was called A and B; of a verdict, the first alone. */
  readonly a: string;
  readonly b?: string;
  /** Empty of what was not read. */
  readonly choice?: Choice;
  /** Which of the two was preferred. */
  readonly preferred?: string;
  readonly confidence?: number;
  readonly shownAt?: string;
  readonly answeredAt?: string;
  readonly seconds?: number;
  readonly timesShown?: number;
}

/** Who was preferred how often, of one pair; of verdicts, what was said of each. */
export interface Summary {
  readonly of: readonly string[];
  readonly counts: Readonly<Record<string, number>>;
  /** Two-sided sign test of the preferences, those for neither left out; absent of verdicts. */
  readonly p?: number;
}

/**
 * Cases with their key.
 * @throws OverreadError `job/busy` while the reading is not at its end: its key is sealed
 */
export async function unsealed(reading: Reading, studies: StudyNames): Promise<readonly ReadCase[]> {
  if (reading.endedAt === undefined) {
    throw new OverreadError('job/busy', `Expected a reading that is at its end, got one with ${reading.answers.length} of ${reading.cases.length} cases read. Its key is sealed until then: read on, or end it.`, { expected: reading.cases.length, got: reading.answers.length });
  }
  const nameOf = namer(reading);
  return Promise.all(reading.cases.map(async ({ sets, studyInstanceUID }, i): Promise<ReadCase> => {
    const [a, b] = sets.map(nameOf) as [string, string | undefined];
    const answer = reading.answers[i];
    // Of this reading alone: nobody can look a study up by it.
    const study = studies === 'uid' ? studyInstanceUID : studies === 'hashed' ? (await sha256(new TextEncoder().encode(`${reading.id} ${studyInstanceUID}`))).slice(0, 16) : undefined;
    const preferred = answer?.choice === 'first' ? a : answer?.choice === 'second' ? b : undefined;
    return { case: i + 1, ...(study !== undefined && { study }), a, ...(b !== undefined && { b }), ...answer, ...(preferred !== undefined && { preferred }) };
  }));
}

/** Counts of what was said, by pair or by result, in the order in which they were first read. */
export function summaries(cases: readonly ReadCase[]): readonly Summary[] {
  const groups = new Map<string, { readonly of: readonly string[]; readonly counts: Record<string, number> }>();
  for (const { a, b, choice, preferred } of cases) {
    if (choice === undefined) continue;
    const of = b === undefined ? [a] : [a, b].sort();
    const key = of.join('\n');
    const group = groups.get(key) ?? { of, counts: {} };
    groups.set(key, group);
    const said = preferred ?? choice;
    group.counts[said] = (group.counts[said] ?? 0) + 1;
  }
  return [...groups.values()].map(({ of, counts }) => ({ of, counts, ...(of.length === 2 && { p: signTest(counts[of[0]!] ?? 0, counts[of[1]!] ?? 0) }) }));
}

const COLUMNS = ['case', 'study', 'a', 'b', 'choice', 'preferred', 'confidence', 'shownAt', 'answeredAt', 'seconds', 'timesShown'] as const;

export async function readingCsv(reading: Reading, studies: StudyNames): Promise<string> {
  return csv([COLUMNS, ...(await unsealed(reading, studies)).map(one => COLUMNS.map(column => one[column]))]);
}

export async function readingJson(reading: Reading, studies: StudyNames): Promise<string> {
  const { id, question, seed, startedAt, endedAt } = reading;
  const cases = await unsealed(reading, studies);
  return JSON.stringify({ schemaVersion: 1, id, question, seed, startedAt, endedAt, summaries: summaries(cases), cases }, null, 2);
}

/**
 * What each result is called outside: its model, version and what was done to it. A mask of the viewer has a number: what somebody called it may
 * hold a patient's name.
 */
export function namer({ cases }: Pick<Reading, 'cases'>): (set: ResultSet) => string {
  const viewers = [...new Set(cases.flatMap(({ sets }) => sets).filter(isOfViewer).map(({ id }) => id))].sort();
  return set => {
    const { result } = set.kept;
    if (isOfViewer(set)) return `mask of the viewer ${viewers.indexOf(set.id) + 1}`;
    const { id, version } = result.model;
    return [`${id} ${version}`, ...movedThreshold(result), ...(wasEdited(result) ? ['edited'] : [])].join(', ');
  };
}

export function isOfViewer({ kept: { result: { model } } }: ResultSet): boolean {
  return model.id === 'overread-viewer';
}
