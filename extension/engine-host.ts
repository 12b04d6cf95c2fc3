import { OverreadError, toOverreadError } from '../src/errors.ts';

/**
 * Holds the engine's worker: made when first needed, made again after it died. Work that is under way when it dies is
 * rejected, since the worker itself can no longer say so.
 * @typeParam E the engine's client
 */
export class EngineHost<E> {
  readonly #createWorker: () => Worker;
  readonly #connect: (worker: Worker) => E;
  #live: { readonly worker: Worker; readonly engine: E; readonly died: Promise<never>; readonly fail: (error: OverreadError) => void } | undefined;

  constructor(createWorker: () => Worker, connect: (worker: Worker) => E) {
    this.#createWorker = createWorker;
    this.#connect = connect;
  }

  /**
   * Runs `work` on a living engine.
   * @throws OverreadError whatever the work throws, or `internal` when the worker dies under it
   */
  async use<T>(work: (engine: E) => Promise<T>): Promise<T> {
    const live = (this.#live ??= this.#start());
    try {
      return await Promise.race([work(live.engine), live.died]);
    } catch (error) {
      throw toOverreadError(error);
    }
  }

  get alive(): boolean {
    return this.#live !== undefined;
  }

  /** Ends the worker; the next use starts another. */
  stop(reason = 'The engine was stopped. Run the model again.'): void {
    const live = this.#live;
    this.#live = undefined;
    live?.worker.terminate();
    live?.fail(new OverreadError('internal', reason));
  }

  #start() {
    let fail: (error: OverreadError) => void = () => undefined;
    const died = new Promise<never>((_, reject) => { fail = reject; });
    died.catch(() => undefined); // nobody may be waiting
    const worker = this.#createWorker();
    const end = (what: string) => {
      if (this.#live?.worker === worker) this.stop(`The engine's worker ${what}. It starts anew with the next run.`);
    };
    worker.addEventListener('error', event => end(`stopped with an error: ${event.message || 'its script could not be loaded'}`));
    worker.addEventListener('messageerror', () => end('sent a message that could not be read'));
    return { worker, engine: this.#connect(worker), died, fail };
  }
}
