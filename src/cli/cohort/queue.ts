import { createHash } from 'node:crypto';
import { Queue, type Job } from 'bullmq';
import { OverreadError } from '../../errors.ts';
import { MOST_TRIES, type Journal, type StudyRecord } from './journal.ts';
import { reasonOf } from './loop.ts';
import { CohortProgress } from './progress.ts';
import { redisConnection } from './redis.ts';
import type { StudyJob } from './study-job.ts';

export interface QueueOptions {
  readonly redis: string;
  readonly queue: string;
  readonly journal: Journal;
  readonly note: (line: string) => void;
  readonly stopped: () => boolean;
}

/** Jobs that wait in Redis at once: the rest waits here. */
const MOST_WAITING = 1000;
const LOOK_MS = 500;
/** Looks after which all that waits is put in again, which does nothing for what is there. */
const PUT_AGAIN = 20;

/**
 * Has what is left of a cohort done by the workers of a queue (BullMQ over Redis), and writes every result once: a job's id is its
 * study's, and it goes from Redis when it is in the journal. A job whose worker died is taken up by another; one that failed
 * {@link MOST_TRIES} times is set aside with its reason. What Redis lost is put in again. Jobs of another cohort, which waits for
 * the same workers, are left to it.
 * @returns true when it went through, false when it was stopped
 */
export async function queueCohort(jobs: readonly StudyJob[], { redis, queue: name, journal, note, stopped }: QueueOptions): Promise<boolean> {
  const queue = new Queue<StudyJob, StudyRecord>(name, { connection: redisConnection(redis, note) });
  queue.on('error', () => {}); // the connection has said it
  const waiting = new Map(jobs.filter(({ study }) => !journal.settled(study)).map(job => [jobId(job.study), job]));
  const progress = new CohortProgress(jobs.length - waiting.size, jobs.length);
  const own = new Set(jobs.map(({ study }) => jobId(study)));
  const put = new Set<string>();
  /** By pages: what another cohort left behind may fill the first of them. */
  const finished = async (state: 'completed' | 'failed') => {
    const found: Job<StudyJob, StudyRecord>[] = [];
    for (let start = 0; ; start += MOST_WAITING) {
      const page = await queue.getJobs([state], start, start + MOST_WAITING - 1);
      found.push(...page.filter(job => job && own.has(job.id!)));
      if (page.length < MOST_WAITING) return found;
    }
  };
  const write = async (job: Job<StudyJob, StudyRecord>, record: StudyRecord) => {
    if (!journal.settled(record.study)) {
      journal.write(record);
      progress.add(record.outcome);
      note(`${progress.line()} · ${record.study}${reasonOf(record)}`);
    }
    waiting.delete(job.id!);
    put.delete(job.id!);
    await job.remove();
  };
  try {
    for (let look = 1; waiting.size > 0; look++) {
      if (stopped()) return false;
      for (const job of await finished('completed')) await write(job, job.returnvalue);
      for (const job of await finished('failed')) await write(job, setAside(job));
      const counts = await queue.getJobCounts('waiting', 'active', 'delayed', 'completed', 'failed', 'paused', 'prioritized');
      // Fewer than were put in: Redis was emptied; where another cohort has put its own in since, that does not show.
      if (Object.values(counts).reduce((sum, n) => sum + n, 0) < put.size || look % PUT_AGAIN === 0) put.clear();
      for (const [id, job] of waiting) {
        if (put.size >= MOST_WAITING) break;
        if (put.has(id)) continue;
        await queue.add('study', job, { jobId: id, attempts: MOST_TRIES, backoff: { type: 'exponential', delay: 1000 } });
        put.add(id);
      }
      await new Promise(resolve => setTimeout(resolve, LOOK_MS));
    }
    return true;
  } finally {
    await queue.close();
  }
}

/** BullMQ allows no colon in an id; a study that is a file's path may hold one. */
function jobId(study: string): string {
  return /^[0-9.]+$/.test(study) ? `study-${study}` : createHash('sha256').update(study).digest('hex');
}

/** A study whose workers died, or that failed as often as it is tried. */
function setAside({ data, failedReason, finishedOn }: Job<StudyJob, StudyRecord>): StudyRecord {
  const { code, message } = new OverreadError('internal', `Expected a result from a worker, but it failed ${MOST_TRIES} times: ${failedReason}. The study is set aside; look at the worker's log.`);
  return {
    study: data.study, outcome: 'failed', tries: MOST_TRIES, ms: 0, at: new Date(finishedOn ?? Date.now()).toISOString(),
    entries: data.models.map(({ id, version, sha256 }) => ({ model: { id, version, sha256 }, backend: '', sources: [], error: { code, message } })),
  };
}
