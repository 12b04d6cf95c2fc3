import type { Engine, EngineOptions, ExplainJob, Job } from './engine.ts';
import type { SerializedError } from './errors.ts';
import type { OnProgress } from './runtime/types.ts';

/** What an engine in a worker is started with: what can be cloned of its options. */
export interface WorkerOptions extends Omit<EngineOptions, 'fetchModel'> {
  /** Answers `loseDevice`, which tests use. */
  readonly debug?: boolean;
}

/** An answer of the worker: errors cross as data, since a thrown class arrives without its fields. */
export type Answer<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: SerializedError };

type Answered<M extends keyof Engine> = Promise<Answer<Awaited<ReturnType<Engine[M]>>>>;

/** The worker's side as comlink exposes it; `jobId` of a load is for its cancellation. */
export interface EngineService {
  configure(options: WorkerOptions): Promise<Answer<void>>;
  start(): Answered<'start'>;
  describe(location: string): Answered<'describe'>;
  load(jobId: string, location: string, onProgress?: OnProgress): Answered<'load'>;
  run(job: Job, onProgress?: OnProgress): Answered<'run'>;
  explain(job: ExplainJob, onProgress?: OnProgress): Answered<'explain'>;
  cancel(jobId: string): Promise<Answer<void>>;
  unload(location: string): Promise<Answer<void>>;
  memory(): Answered<'memory'>;
  loseDevice(): Promise<Answer<void>>;
  dispose(): Promise<Answer<void>>;
}
