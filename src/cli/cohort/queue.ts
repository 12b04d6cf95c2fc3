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

/**
 * Has what is left of a cohort done by the workers of a queue (BullMQ over Redis), and writes every result once: a job's id is its
 * study's, and it goes from Redis when it is in the journal. A job whose worker died is taken up by another; one that failed
 * {@link MOST_TRIES} times is set aside with its reason. What Redis lost is put in again.
 * @returns true when it went through, false when it was stopped
 */
export async function queueCohort(jobs: readonly StudyJob[], { redis, queue: name, journal, note, stopped }: QueueOptions): Promise<boolean> {
  const queue = new Queue<StudyJob, StudyRecord>(name, { connection: redisConnection(redis, note) });
  queue.on('error', () => {}); // the connection has said it
  const waiting = new Map(jobs.filter(({ study }) => !journal.settled(study)).map(job => [jobId(job.study), job]));
  const progress = new CohortProgress(jobs.length - waiting.size, jobs.length);
  const put = new Set<string>();
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
    while (waiting.size > 0) {
      if (stopped()) return false;
      for (const job of await queue.getJobs(['completed'], 0, MOST_WAITING)) await write(job, job.returnvalue);
      for (const job of await queue.getJobs(['failed'], 0, MOST_WAITING)) await write(job, setAside(job));
      const counts = await queue.getJobCounts('waiting', 'active', 'delayed', 'completed', 'failed', 'paused', 'prioritized');
      // Fewer than were put in: Redis was emptied. Adding a job that is there does nothing.
      if (Object.values(counts).reduce((sum, n) => sum + n, 0) < put.size) put.clear();
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
