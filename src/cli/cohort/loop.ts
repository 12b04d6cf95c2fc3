import { OverreadError } from '../../errors.ts';
import type { ModelRunner } from '../model-runner.ts';
import type { Journal, StudyRecord } from './journal.ts';
import { CohortProgress } from './progress.ts';
import { runStudy } from './run-study.ts';
import type { CohortStudy } from './study.ts';

export interface LoopOptions {
  readonly runners: readonly ModelRunner[];
  readonly journal: Journal;
  readonly note: (line: string) => void;
  /** Looked at between two studies. */
  readonly stopped: () => boolean;
}

/** So many studies in a row that the network did not give mean that the server is gone, not the studies. */
const GONE_AFTER = 3;

/**
 * Runs what is left of a cohort, one study after the other, each on disk before the next begins. Only one study's pixels are in
 * memory.
 * @returns true when it went through, false when it was stopped
 * @throws OverreadError `network/unreachable` when the server does not answer any more
 */
export async function runCohort(studies: readonly CohortStudy[], { runners, journal, note, stopped }: LoopOptions): Promise<boolean> {
  const left = studies.filter(({ id }) => !journal.settled(id));
  const progress = new CohortProgress(studies.length - left.length, studies.length);
  if (left.length < studies.length) note(`${studies.length - left.length} of ${studies.length} studies are there already.`);
  let unanswered = 0;
  for (const study of left) {
    if (stopped()) return false;
    const made = await runStudy(study, runners);
    // A server that does not answer is no fault of the study: it has as many tries left.
    const record = made.entries.some(({ error }) => error?.code === 'network/unreachable') ? { ...made, tries: 0 } : made;
    journal.write(record);
    progress.add(record.outcome);
    note(`${progress.line()} · ${study.id}${reasonOf(record)}`);
    unanswered = record.entries.some(({ error }) => error?.code.startsWith('network/')) ? unanswered + 1 : 0;
    if (unanswered >= GONE_AFTER) {
      throw new OverreadError('network/unreachable', `Expected the studies of the server, but the last ${GONE_AFTER} could not be had: ${reasonOf(record).slice(2)} Results so far are kept; give the same command again when it answers.`, { got: unanswered });
    }
  }
  return true;
}

export function reasonOf({ outcome, entries }: StudyRecord): string {
  const error = outcome === 'done' ? undefined : entries.find(entry => entry.error)?.error;
  return error ? `: ${error.code}: ${error.message}` : '';
}
