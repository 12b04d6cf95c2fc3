import * as Comlink from 'comlink';
import type { Answer, EngineService, WorkerOptions } from './engine-protocol.ts';
import { sendTiles, type EngineSlideJob, type SlideCallOptions, type SlideRun } from './engine-slides.ts';
import { sendTraining, type EngineTrainingJob, type TrainingCallOptions, type TrainingRun } from './engine-training.ts';
import type { Job } from './engine.ts';
import { OverreadError, throwIfAborted, toOverreadError } from './errors.ts';
import type { Image } from './image/image.ts';
import type { ModelManifest } from './manifest.ts';
import type { DeviceDescription, ModelIdentity, Result } from './results/result.ts';
import type { OnProgress } from './runtime/types.ts';
import type { SaliencyRequest, SaliencyResult } from './tasks/saliency/index.ts';

export interface EngineJob {
  /** Folder of the model; a relative one is meant from the page, not from the worker's script. */
  readonly location: string;
  /** One, or the views of one study. Their pixels are handed over, not copied: the caller's arrays are empty afterwards. */
  readonly images: readonly Image[];
  /** Read what the model's gate refuses all the same. */
  readonly force?: boolean;
  /** Of MR series: register them with the first, whatever frame of reference they state. */
  readonly register?: boolean;
}

export interface EngineExplainJob extends EngineJob {
  /** Which score to explain, and how. */
  readonly request: SaliencyRequest;
}

export interface CallOptions {
  readonly onProgress?: OnProgress;
  /** Rejects at once with `job/cancelled`; the worker stops at its next stage. */
  readonly signal?: AbortSignal;
}

/** The engine in its worker, seen from the page. Every method rejects with an {@link OverreadError}. */
export interface EngineClient {
  start(): Promise<DeviceDescription>;
  describe(location: string): Promise<ModelManifest>;
  load(location: string, options?: CallOptions): Promise<ModelIdentity>;
  run(job: EngineJob, options?: CallOptions): Promise<Result>;
  /** Where a score came from: a heat map for each picture that the model read. */
  explain(job: EngineExplainJob, options?: CallOptions): Promise<readonly SaliencyResult[]>;
  /**
   * Segments a slide tile by tile, those on screen first. `result` rejects at once with `job/cancelled` when the signal
   * is aborted; the tiles that were handed out are whole, and a later run with `done` goes on after them.
   */
  runTiles(job: EngineSlideJob, options: SlideCallOptions): SlideRun;
  /** Trains a model further on labelled pictures, and measures it against the one where it started. Other calls are answered in between. */
  fineTune(job: EngineTrainingJob, options?: TrainingCallOptions): TrainingRun;
  unload(location: string): Promise<void>;
  memory(): Promise<{ readonly tensors: number; readonly deviceBytes: number; readonly models: number }>;
  /** Only with the option `debug`: takes the GPU device away. */
  loseDevice(): Promise<void>;
  /** Ends the worker and rejects what is pending with `device/lost`; the next call starts another worker. */
  restart(): void;
  /** Ends the worker for good. */
  dispose(): void;
}

/**
 * Connects to the engine's worker.
 * @param worker how to make one; a worker that stands may be given too, but then it cannot be restarted
 */
export function connectEngine(worker: Worker | (() => Worker), options: WorkerOptions = {}): EngineClient {
  return new WorkerEngine(worker, options);
}

interface Live {
  readonly worker: Worker;
  readonly service: Comlink.Remote<EngineService>;
  readonly configured: Promise<Answer<void>>;
}

class WorkerEngine implements EngineClient {
  readonly #pending = new Set<(error: OverreadError) => void>();
  #live: Live | undefined;
  #jobs = 0;
  #ended: string | undefined;

  constructor(
    private readonly source: Worker | (() => Worker),
    private readonly options: WorkerOptions,
  ) {}

  start(): Promise<DeviceDescription> {
    return this.#call(service => service.start());
  }

  describe(location: string): Promise<ModelManifest> {
    return this.#call(service => service.describe(absolute(location)));
  }

  load(location: string, { onProgress, signal }: CallOptions = {}): Promise<ModelIdentity> {
    const jobId = `load ${++this.#jobs}`;
    return this.#call(service => service.load(jobId, absolute(location), proxied(onProgress)), signal, jobId);
  }

  run(job: EngineJob, { onProgress, signal }: CallOptions = {}): Promise<Result> {
    const jobId = `run ${++this.#jobs}`;
    return this.#call(service => service.run(handedOver(jobId, job), proxied(onProgress)), signal, jobId);
  }

  explain({ request, ...job }: EngineExplainJob, { onProgress, signal }: CallOptions = {}): Promise<readonly SaliencyResult[]> {
    const jobId = `explain ${++this.#jobs}`;
    return this.#call(service => service.explain(handedOver(jobId, job, { request }), proxied(onProgress)), signal, jobId);
  }

  runTiles(job: EngineSlideJob, options: SlideCallOptions): SlideRun {
    const jobId = `tiles ${++this.#jobs}`;
    const sent = sendTiles(jobId, { ...job, location: absolute(job.location) }, options);
    return {
      result: this.#call(async service => sent.received(await service.runTiles(sent.job, sent.calls)), options.signal, jobId),
      focus: region => void this.#live?.service.focus(jobId, region),
    };
  }

  fineTune(job: EngineTrainingJob, options: TrainingCallOptions = {}): TrainingRun {
    const jobId = `training ${++this.#jobs}`;
    const paused = new AbortController();
    const sent = sendTraining(jobId, { ...job, location: absolute(job.location) }, options);
    return {
      // Its signal is not the call's: the worker writes where it stood before it answers.
      result: this.#call(service => {
        throwIfAborted(paused.signal);
        return service.fineTune(sent.job, sent.calls);
      }),
      pause: () => {
        paused.abort();
        void this.#live?.service.cancel(jobId);
      },
    };
  }

  unload(location: string): Promise<void> {
    return this.#call(service => service.unload(absolute(location)));
  }

  memory(): Promise<{ readonly tensors: number; readonly deviceBytes: number; readonly models: number }> {
    return this.#call(service => service.memory());
  }

  loseDevice(): Promise<void> {
    return this.#call(service => service.loseDevice());
  }

  restart(): void {
    this.#end('The engine was restarted. Run the model again.');
  }

  dispose(): void {
    this.#end('The engine was closed.');
    this.#ended = 'The engine was closed. Connect another one.';
  }

  async #call<T>(send: (service: Comlink.Remote<EngineService>) => Promise<Answer<T>>, signal?: AbortSignal, jobId?: string): Promise<T> {
    throwIfAborted(signal);
    const { service, configured } = this.#connect();
    let fail: (error: OverreadError) => void = () => {};
    const failed = new Promise<never>((_, reject) => (fail = reject));
    this.#pending.add(fail);
    const abort = () => {
      if (jobId !== undefined) void service.cancel(jobId);
      fail(new OverreadError('job/cancelled', 'The run was cancelled.'));
    };
    // A cancellation that overtook the message itself would find no job in the worker.
    const sent = (to: typeof service) => {
      throwIfAborted(signal);
      return send(to);
    };
    signal?.addEventListener('abort', abort, { once: true });
    try {
      return await Promise.race([failed, configured.then(unwrap).then(() => sent(service)).then(unwrap)]);
    } catch (error) {
      throw toOverreadError(error);
    } finally {
      signal?.removeEventListener('abort', abort);
      this.#pending.delete(fail);
    }
  }

  #connect(): Live {
    if (this.#ended !== undefined) throw new OverreadError('internal', this.#ended);
    if (this.#live) return this.#live;
    const worker = typeof this.source === 'function' ? this.source() : this.source;
    worker.addEventListener('error', event => {
      event.preventDefault?.();
      this.#died(worker, event.message || 'its script could not be loaded');
    });
    worker.addEventListener('messageerror', () => this.#died(worker, 'it sent a message that cannot be read'));
    const service = Comlink.wrap<EngineService>(worker);
    this.#live = { worker, service, configured: service.configure(this.options) };
    return this.#live;
  }

  #died(worker: Worker, why: string): void {
    if (this.#live?.worker !== worker) return;
    this.#end(`The engine's worker stopped (${why}). Run again; if it happens again, reload the page.`);
  }

  #end(message: string): void {
    const live = this.#live;
    this.#live = undefined;
    if (typeof this.source !== 'function') this.#ended = message;
    live?.worker.terminate();
    for (const fail of [...this.#pending]) fail(new OverreadError('device/lost', message));
  }
}

function unwrap<T>(answer: Answer<T>): T {
  if (answer.ok) return answer.value;
  throw toOverreadError(answer.error);
}

function absolute(location: string): string {
  return new URL(location, globalThis.location?.href).href;
}

function proxied(onProgress: OnProgress | undefined): OnProgress | undefined {
  return onProgress && (Comlink.proxy(onProgress) as OnProgress);
}

/** A job as the worker gets it, its pixels as transferables. */
function handedOver<M extends object>(jobId: string, { location, images, force, register }: EngineJob, more?: M) {
  const sent = images.map(image => ({ ...image, pixels: owned(image.pixels) }));
  const job = { jobId, location: absolute(location), images: sent, ...(force && { force }), ...(register && { register }), ...more } as Job & M;
  return Comlink.transfer(job, sent.map(({ pixels }) => pixels.buffer));
}

/** Pixels with a buffer of their own: handing over a view would empty the cache that it looks into. */
function owned(pixels: Float32Array): Float32Array<ArrayBuffer> {
  const { buffer } = pixels;
  const shared = typeof SharedArrayBuffer !== 'undefined' && buffer instanceof SharedArrayBuffer;
  if (!shared && pixels.byteLength === buffer.byteLength) return pixels as Float32Array<ArrayBuffer>;
  return new Float32Array(pixels);
}
