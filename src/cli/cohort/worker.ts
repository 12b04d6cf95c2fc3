import { DelayedError, Worker } from 'bullmq';
import { OverreadError } from '../../errors.ts';
import type { RequestHeaders } from '../../image/dicomweb-get.ts';
import { inputFile } from '../image-inputs.ts';
import type { ModelRunner } from '../model-runner.ts';
import { dicomwebStudy } from './dicomweb-studies.ts';
import { MOST_TRIES, type StudyRecord } from './journal.ts';
import { reasonOf } from './loop.ts';
import { redisConnection } from './redis.ts';
import { runStudy } from './run-study.ts';
import type { StudyJob } from './study-job.ts';
import type { CohortStudy } from './study.ts';

export interface WorkerOptions {
  readonly redis: string;
  readonly queue: string;
  readonly runners: readonly ModelRunner[];
  readonly headers?: RequestHeaders;
  readonly note: (line: string) => void;
  /** Until a study is asked for again from a server that did not answer, ms. */
  readonly unansweredMs?: number;
  /** A worker that has not said for so long that it lives is taken for dead, ms. */
  readonly lockMs?: number;
}

/** How often a server is waited for before it counts as a try: with a minute between, half an hour. */
const MOST_UNANSWERED = 30;

/**
 * Takes studies of a queue one at a time, so that the PACS is never asked for more studies at once than there are workers.
 * A server that does not answer is no fault of the study: it waits, and has as many tries left.
 * @returns a function that lets the study at hand end and stops
 */
export function startWorker({ redis, queue, runners, headers, note, unansweredMs = 60_000, lockMs = 30_000 }: WorkerOptions): () => Promise<void> {
  const worker = new Worker<StudyJob, StudyRecord>(queue, async (job, token) => {
    checkModels(job.data, runners);
    const record = await runStudy(studyOf(job.data, runners, headers), runners);
    note(`${job.data.study} ${record.outcome}${reasonOf(record)}`);
    if (record.outcome !== 'failed') return record;
    if (record.entries.some(({ error }) => error?.code === 'network/unreachable') && job.attemptsStarted < MOST_UNANSWERED) {
      await job.moveToDelayed(Date.now() + unansweredMs, token);
      throw new DelayedError();
    }
    // The last try hands out what it has; before it, the queue tries again.
    if (job.attemptsMade + 1 >= MOST_TRIES) return { ...record, tries: MOST_TRIES };
    throw new Error(reasonOf(record).slice(2));
  }, {
    connection: redisConnection(redis, note), concurrency: 1, lockDuration: lockMs, stalledInterval: lockMs,
    // A study that kills its worker so often is not given to another.
    maxStalledCount: MOST_TRIES - 1,
  });
  worker.on('error', () => {}); // the connection has said it
  worker.on('failed', (job, error) => note(`${job?.data.study ?? 'a study'} failed: ${error.message}`));
  return () => worker.close();
}

function studyOf({ study, dicomweb, files }: StudyJob, runners: readonly ModelRunner[], headers: RequestHeaders | undefined): CohortStudy {
  if (dicomweb !== undefined) return dicomwebStudy(study, { url: dicomweb, modalities: modalitiesOf(runners), ...(headers && { headers }) });
  return { id: study, files: async () => (files ?? []).map(inputFile) };
}

/** Every modality that one of the models reads. */
export function modalitiesOf(runners: readonly Pick<ModelRunner, 'manifest'>[]): ReadonlySet<string> {
  return new Set(runners.flatMap(({ manifest }) => manifest.input.modality));
}

function checkModels({ models }: StudyJob, runners: readonly ModelRunner[]): void {
  const said = (of: readonly { id: string; version: string; sha256: string }[]) => of.map(({ id, version, sha256 }) => `${id} ${version} ${sha256}`).join(', ');
  const own = runners.map(({ identity }) => identity);
  if (said(own) === said(models)) return;
  throw new OverreadError('model/corrupt', `Expected a worker with ${said(models)}, got one with ${said(own)}. Start it with the same models in the same order.`, { expected: said(models), got: said(own) });
}
