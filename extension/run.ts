import type { EngineClient } from '../src/engine-client.ts';
import { OverreadError, throwIfAborted, toOverreadError } from '../src/errors.ts';
import type { Image } from '../src/image/image.ts';
import type { OnProgress } from '../src/runtime/types.ts';
import type { CatalogueEntry } from './catalogue.ts';
import { isResultOf, type Target } from './identity.ts';
import { describeProgress } from './progress.ts';
import type { KeptResult, ResultsStore } from './results-store.ts';
import type { Observable, State } from './state.ts';

/** The part of the engine's client that a run calls. */
export type Engine = Pick<EngineClient, 'start' | 'run'>;

/** What a run asks of the viewer. */
export interface Viewer {
  /** @throws OverreadError `input/no-pixels` */
  pickTarget(viewportId?: string): Target;
  isStillOpen(target: Target): boolean;
  readFrame(target: Target, signal: AbortSignal): Promise<Image>;
  notify(type: 'warning' | 'error', message: string): void;
}

export interface RunOptions {
  readonly modelId?: string;
  readonly viewportId?: string;
}

/**
 * One run at a time: image → engine → kept result. Whatever happens ends in the state: a result, an error in words, or a
 * quiet note. It never rejects.
 */
export class Runner {
  readonly #viewer: Viewer;
  readonly #engine: Engine;
  readonly #results: ResultsStore;
  readonly #state: Observable<State>;
  #abort: AbortController | undefined;
  #count = 0;

  constructor(parts: { viewer: Viewer; engine: Engine; results: ResultsStore; state: Observable<State> }) {
    this.#viewer = parts.viewer;
    this.#engine = parts.engine;
    this.#results = parts.results;
    this.#state = parts.state;
  }

  /**
   * Runs a model on the current image of a viewport. While one runs, further calls do nothing but leave a note.
   * @returns what was kept; undefined when there is no result, and then the state says why
   */
  async run(options: RunOptions = {}): Promise<KeptResult | undefined> {
    if (this.#abort) {
      this.#state.set({ note: 'A model is running already. Wait for it, or cancel it first.' });
      return undefined;
    }
    const abort = (this.#abort = new AbortController());
    this.#state.set({ lastError: undefined, note: undefined });
    try {
      return await this.#attempt(options, abort.signal);
    } catch (error) {
      this.#fail(toOverreadError(error));
      return undefined;
    } finally {
      this.#abort = undefined;
      this.#state.set({ running: undefined });
    }
  }

  /** Ends the run that is under way; it leaves nothing behind. */
  cancel(): void {
    const { running } = this.#state.get();
    if (!this.#abort || !running) return;
    this.#state.set({ running: { ...running, cancelling: true } });
    this.#abort.abort();
  }

  async #attempt(options: RunOptions, signal: AbortSignal): Promise<KeptResult | undefined> {
    const { configurationError } = this.#state.get();
    if (configurationError) throw configurationError;
    const entry = this.#chooseModel(options.modelId);
    const target = this.#viewer.pickTarget(options.viewportId);
    const jobId = `job-${++this.#count}`;
    const modelName = entry.manifest.name;
    const onProgress: OnProgress = progress => {
      const { running } = this.#state.get();
      // A late word from a job that was given up must not speak for the next one.
      if (running?.jobId === jobId && !signal.aborted) this.#state.set({ running: { ...running, progress: describeProgress(progress) } });
    };
    this.#state.set({ running: { jobId, modelName, progress: describeProgress({ stage: 'read pixels' }), startedAt: performance.now(), cancelling: false } });

    const result = await untilAborted(signal, async () => {
      const image = await this.#viewer.readFrame(target, signal);
      this.#state.set({ device: await this.#engine.start() });
      throwIfAborted(signal);
      return this.#engine.run({ location: entry.location, images: [image] }, { onProgress, signal });
    });
    this.#state.set({ device: result.device });
    if (!isResultOf(result, [target.source])) {
      throw new OverreadError('internal', 'Expected a result on the image that was sent, got one on another. It was thrown away. Please report this.', { expected: target.source, got: result.source.sources });
    }
    const kept = this.#results.keep(result);
    if (!this.#viewer.isStillOpen(target)) {
      throw new OverreadError('job/stale', `The study was closed while ${modelName} ran. Its result is kept until this page is left: open the study again to see it.`, { source: target.source });
    }
    this.#state.set({ overlaysShown: true, note: undefined });
    return kept;
  }

  #chooseModel(wanted = this.#state.get().modelId): CatalogueEntry {
    const { catalogue } = this.#state.get();
    const entries = catalogue?.entries ?? [];
    const entry = wanted === undefined ? entries[0] : entries.find(e => e.manifest.id === wanted);
    if (entry) return entry;
    if (!catalogue) throw new OverreadError('model/not-found', 'Expected a list of models, but it is still being read. Try again in a moment.', {});
    const there = entries.map(e => e.manifest.id).join(', ') || 'none';
    throw new OverreadError('model/not-found', `Expected ${wanted ? `the model ${wanted}` : 'a model to run'}; there is: ${there}. Choose one of these, or install it.`, { expected: wanted, got: there });
  }

  #fail(error: OverreadError): void {
    if (error.code === 'job/cancelled') {
      this.#state.set({ note: 'Cancelled. Nothing was kept.' });
      return;
    }
    this.#state.set({ lastError: error });
    this.#viewer.notify(error.code === 'job/stale' ? 'warning' : 'error', error.message);
  }
}

/** The work's outcome, or `job/cancelled` at once when the signal fires: a busy worker answers later than a user waits. */
async function untilAborted<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  let onAbort = () => undefined as void;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(new OverreadError('job/cancelled', 'The run was cancelled.'));
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([work(), aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
