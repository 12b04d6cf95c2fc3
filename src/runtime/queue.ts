import { OverreadError } from '../errors.ts';

/** Runs jobs one after the other, in the order of asking: a device has one command queue and tfjs global switches. */
export class Queue {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(job: () => Promise<T>): Promise<T> {
    const result = this.#last.then(job);
    this.#last = result.catch(() => {});
    return result;
  }
}

/**
 * The promise, or `job/cancelled` as soon as the signal is aborted. The work itself goes on to its end where it cannot
 * be stopped (a submitted GPU queue); `discard` frees what it gives after all.
 */
export function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined, discard: (late: T) => void): Promise<T> {
  if (!signal) return work;
  return new Promise<T>((resolve, reject) => {
    let aborted = false;
    const abort = () => {
      aborted = true;
      reject(new OverreadError('job/cancelled', 'The run was cancelled.'));
    };
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
    work.then(
      value => {
        signal.removeEventListener('abort', abort);
        if (aborted) discard(value);
        else resolve(value);
      },
      (error: unknown) => {
        signal.removeEventListener('abort', abort);
        reject(error);
      },
    );
  });
}
