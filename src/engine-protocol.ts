import type { Engine, EngineOptions, ExplainJob, Job, SlideInput, TilesJob } from './engine.ts';
import type { EngineTrainingJob } from './engine-training.ts';
import type { SerializedError } from './errors.ts';
import type { FineTuned, FineTuneEvent } from './fine-tune.ts';
import type { Image } from './image/image.ts';
import type { EncodedFrame } from './image/slide/frames.ts';
import type { Region } from './image/tiles.ts';
import type { CountedTile, LabelledTile, TiledResult, TiledRun, UnreadTile } from './results/tiled-result.ts';
import type { OnProgress, Progress } from './runtime/types.ts';

/** What an engine in a worker is started with: what can be cloned of its options. */
export interface WorkerOptions extends Omit<EngineOptions, 'fetchModel'> {
  /** Answers `loseDevice`, which tests use. */
  readonly debug?: boolean;
}

/** An answer of the worker: errors cross as data, since a thrown class arrives without its fields. */
export type Answer<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: SerializedError };

/** A job of tiles as it crosses to the worker: functions go beside it, as {@link TilesCalls}. */
export interface SentTilesJob extends Omit<TilesJob, 'source' | 'done'> {
  readonly slide: Omit<SlideInput, 'frames'>;
  /** Where the worker itself reads frames; left out, it asks {@link TilesCalls.frame}. `headers`: asked for by a call. */
  readonly series?: { readonly url: string; readonly headers?: Readonly<Record<string, string>> | 'asked' };
  readonly done: readonly number[];
  /** Whether {@link TilesCalls.counted} is heard. */
  readonly counts: boolean;
}

export type SentUnread = Omit<UnreadTile, 'error'> & { readonly error: SerializedError };
export type SentTiledResult = Omit<TiledResult, 'unread'> & { readonly unread: readonly SentUnread[] };

/** What the worker calls on the page while it runs a job of tiles. Every call is waited for. */
export interface TilesCalls {
  progress(progress: Progress): void;
  run(run: TiledRun): readonly number[] | Promise<readonly number[]>;
  tile(tile: LabelledTile | SentUnread): void | Promise<void>;
  counted(tile: CountedTile): void | Promise<void>;
  frame(sopInstanceUID: string, frameNumber: number): Promise<Answer<EncodedFrame>>;
  headers(): Promise<Answer<Readonly<Record<string, string>>>>;
}

/** A training as it crosses to the worker. */
export interface SentTrainingJob extends Omit<EngineTrainingJob, 'images'> {
  readonly jobId: string;
  readonly images: readonly (readonly [path: string, image: Image])[];
  /** Whether the page keeps checkpoints. */
  readonly keeps: boolean;
}

/** What the worker calls on the page while it trains. */
export interface TrainingCalls {
  event(event: FineTuneEvent): void;
  readCheckpoint(): Promise<Answer<Uint8Array | undefined>>;
  writeCheckpoint(bytes: Uint8Array): Promise<Answer<void>>;
}

type Answered<M extends keyof Engine> = Promise<Answer<Awaited<ReturnType<Engine[M]>>>>;

/** The worker's side as comlink exposes it; `jobId` of a load is for its cancellation. */
export interface EngineService {
  configure(options: WorkerOptions): Promise<Answer<void>>;
  start(): Answered<'start'>;
  describe(location: string): Answered<'describe'>;
  load(jobId: string, location: string, onProgress?: OnProgress): Answered<'load'>;
  run(job: Job, onProgress?: OnProgress): Answered<'run'>;
  explain(job: ExplainJob, onProgress?: OnProgress): Answered<'explain'>;
  runTiles(job: SentTilesJob, calls: TilesCalls): Promise<Answer<SentTiledResult>>;
  fineTune(job: SentTrainingJob, calls: TrainingCalls): Promise<Answer<FineTuned>>;
  focus(jobId: string, region: Region): Promise<Answer<void>>;
  cancel(jobId: string): Promise<Answer<void>>;
  unload(location: string): Promise<Answer<void>>;
  memory(): Answered<'memory'>;
  loseDevice(): Promise<Answer<void>>;
  dispose(): Promise<Answer<void>>;
}
