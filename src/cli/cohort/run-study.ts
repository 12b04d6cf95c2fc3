import { toOverreadError } from '../../errors.ts';
import type { Result } from '../../results/result.ts';
import { readingsOf } from '../image-inputs.ts';
import { inferFiles, isRefusal } from '../infer-files.ts';
import { refusedEntry, type InferEntry } from '../infer-json.ts';
import type { ModelRunner } from '../model-runner.ts';
import type { Outcome, StudyRecord } from './journal.ts';
import { maskPairs } from './mask-pairs.ts';
import type { CohortStudy } from './study.ts';

/** Runs all models over one study. Never throws but for a fault of ours: what went wrong stands in the record. */
export async function runStudy(study: CohortStudy, runners: readonly ModelRunner[]): Promise<StudyRecord> {
  const start = performance.now();
  const entries: InferEntry[] = [];
  const results: Result[][] = [];
  try {
    const files = await study.files();
    for (const runner of runners) {
      const of: Result[] = [];
      const { entries: made } = await inferFiles(await readingsOf(files, runner), { runner, onResult: result => of.push(result) });
      entries.push(...made);
      results.push(of);
    }
  } catch (error) {
    const known = toOverreadError(error);
    entries.push(...runners.map(({ identity, device }) => refusedEntry(identity, device.backend, [], known)));
  }
  const pairs = maskPairs(results);
  return { study: study.id, outcome: outcomeOf(entries), entries, ...(pairs.length && { pairs }), ms: performance.now() - start, at: new Date().toISOString() };
}

/**
 * A study is refused for what it is; what may be otherwise the next time (a network
 * that does not answer, a device that failed) makes it failed, even where other models gave a result.
 */
export function outcomeOf(entries: readonly Pick<InferEntry, 'result' | 'error'>[]): Outcome {
  const errors = entries.flatMap(({ error }) => (error ? [error] : []));
  if (errors.some(({ code }) => !isRefusal(code))) return 'failed';
  return entries.some(({ result }) => result) ? 'done' : 'refused';
}
