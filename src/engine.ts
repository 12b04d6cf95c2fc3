import { breathe } from './breathe.ts';
import type { DicomJson } from './dicom/dicomjson.ts';
import type { SynthesisRule } from './dicom/synthesis.ts';
import { OverreadError, throwIfAborted, toOverreadError } from './errors.ts';
import type { Image } from './image/image.ts';
import { explain } from './explain.ts';
import { featuresOf } from './features.ts';
import type { FineTuned, FineTuneJob } from './fine-tune.ts';
import { chooseLevel } from './image/slide/choose-level.ts';
import type { FrameReader } from './image/slide/frames.ts';
import { slidePyramid } from './image/slide/pyramid.ts';
import { slideSource } from './image/slide/slide-source.ts';
import type { Region, TileSource } from './image/tiles.ts';
import { infer, type InferOptions } from './infer.ts';
import type { ModelManifest } from './manifest.ts';
import type { DeviceDescription, ModelIdentity, Result } from './results/result.ts';
import type { TiledResult } from './results/tiled-result.ts';
import { runTiles, type RunTilesOptions } from './run-tiles.ts';
import { keptFiles } from './runtime/kept-files.ts';
import { createRuntime, type TfjsRuntime } from './runtime/runtime.ts';
import type { LoadedModel, ModelFiles, OnProgress, RuntimeOptions } from './runtime/types.ts';
import { readManifest, readVerified } from './runtime/verified.ts';
import type { SaliencyRequest, SaliencyResult } from './tasks/saliency/index.ts';

export interface EngineOptions extends RuntimeOptions {
  /** How a model's folder is read; unless said otherwise what this browser keeps of it, and the rest over HTTP. */
  readonly fetchModel?: (location: string) => ModelFiles;
  /** Bytes of model files that may stay loaded; beyond it the model that was not used for longest goes. */
  readonly keptModelBytes?: number;
}

export interface Job {
  /** Chosen by the caller, for {@link Engine.cancel}. */
  readonly jobId: string;
  /** Folder of the model: a URL, or a path in Node. */
  readonly location: string;
  /** One, or the views of one study for a model that reads several. */
  readonly images: readonly Image[];
  /** Read what the model's gate refuses all the same; the result says so. */
  readonly force?: boolean;
  /** Of MR series: register them with the first, whatever frame of reference they state. */
  readonly register?: boolean;
}

export interface ExplainJob extends Job {
  /** Which score to explain, and how. */
  readonly request: SaliencyRequest;
}

/** A slide, of which only the frames that are wanted are read. */
export interface SlideInput {
  /** DICOM JSON of its series' instances, in any order, labels and overviews among them. */
  readonly instances: readonly DicomJson[];
  readonly frames: FrameReader;
  /** Identifier of the one to read, where the slide has several. */
  readonly opticalPath?: string;
  /** Read this level, from 0, the finest; left out, the one that the manifest's `input.spacingMm` is nearest to. */
  readonly level?: number;
  /** Of the site, on what was synthesised: what fits is refused by models of acquired images. */
  readonly synthesisRules?: readonly SynthesisRule[];
}

export interface TilesJob {
  /** Chosen by the caller, for {@link Engine.cancel} and {@link Engine.focus}. */
  readonly jobId: string;
  readonly location: string;
  readonly source: SlideInput | TileSource;
  /** Tiles that are there already, of a run with the same fingerprint. */
  readonly done?: Iterable<number>;
  /** What is on screen, in pixels of the level that is read: its tiles come first. */
  readonly focus?: Region;
  readonly force?: boolean;
  /** Read what shows nothing but glass too, where the manifest would leave it out. */
  readonly readGlass?: boolean;
}

export interface EngineFineTuneJob extends Omit<FineTuneJob, 'verified' | 'signal'> {
  /** Chosen by the caller, for {@link Engine.cancel}, which pauses it. */
  readonly jobId: string;
  /** Folder of the model where training starts. */
  readonly location: string;
}

export type TilesListener = Pick<RunTilesOptions, 'onProgress' | 'onRun' | 'onTile' | 'onCounted'>;

const KEPT_MODEL_BYTES = 512 * 2 ** 20;

/**
 * Models and a device behind a few calls; the same in the browser's worker and in Node. Every method throws
 * {@link OverreadError} and nothing else. After a GPU error or a lost device the next call makes the device anew.
 */
export class Engine {
  readonly #options: EngineOptions;
  readonly #files: (location: string) => ModelFiles;
  /** In the order of their last use, the oldest first. */
  readonly #models = new Map<string, LoadedModel>();
  readonly #jobs = new Map<string, AbortController>();
  readonly #focus = new Map<string, Region>();
  #loading: Promise<unknown> = Promise.resolve();
  #runtime: Promise<TfjsRuntime> | undefined;
  #disposed = false;

  constructor(options: EngineOptions = {}) {
    this.#options = options;
    this.#files = options.fetchModel ?? keptFiles;
  }

  /**
   * Opens the device, once; the other calls do it themselves.
   * @throws OverreadError `device/unavailable`
   */
  async start(): Promise<DeviceDescription> {
    return (await this.#open()).device;
  }

  /**
   * Reads a model's manifest, no weights and no device.
   * @throws OverreadError `model/not-found`, `model/manifest`, `network/*`
   */
  async describe(location: string): Promise<ModelManifest> {
    return guarded(async () => (await readManifest(this.#files(location))).manifest);
  }

  /**
   * Downloads, verifies and compiles a model, so that its first run is as quick as the next.
   * @throws OverreadError `model/*`, `network/*`, `device/*`, `job/cancelled`
   */
  async load(location: string, onProgress?: OnProgress, signal?: AbortSignal): Promise<ModelIdentity> {
    return guarded(async () => (await this.#load(location, onProgress, signal)).identity);
  }

  /**
   * Runs a model, and first the gate that its manifest names.
   * @throws OverreadError as {@link infer}, as {@link load}, and `job/busy` when a job of this id is under way
   */
  run(job: Job, onProgress?: OnProgress): Promise<Result> {
    return this.#job(job, onProgress, (runtime, model, options) => infer(runtime, model, job.images, options));
  }

  /**
   * Where a score came from: a heat map for each picture that the model read, after its gate as {@link run}.
   * @throws OverreadError as {@link explain}, as {@link load}, and `job/busy` when a job of this id is under way
   */
  explain(job: ExplainJob, onProgress?: OnProgress): Promise<readonly SaliencyResult[]> {
    return this.#job(job, onProgress, (runtime, model, options) => explain(runtime, model, job.images, job.request, options));
  }

  /**
   * The model's own description of a picture, after its gate as {@link run}.
   * @throws OverreadError as {@link featuresOf}, as {@link load}, and `job/busy` when a job of this id is under way
   */
  features(job: Job, onProgress?: OnProgress): Promise<Float32Array> {
    return this.#job(job, onProgress, (runtime, model, options) => featuresOf(runtime, model, job.images, options));
  }

  /**
   * Segments a slide or a large picture tile by tile, those on screen first, and hands every tile out as it is made.
   * @throws OverreadError as {@link runTiles}, as {@link slidePyramid} and {@link chooseLevel}, as {@link load}, and
   *   `job/busy` when a job of this id is under way
   */
  async runTiles(job: TilesJob, { onProgress, onRun, onTile, onCounted }: TilesListener): Promise<TiledResult> {
    const { jobId, source, done = [], focus, readGlass } = job;
    const run = this.#job(job, onProgress, (runtime, model, options) => {
      if (focus && !this.#focus.has(jobId)) this.#focus.set(jobId, focus);
      const listening = { ...options, onTile, ...(onCounted && { onCounted }), ...(onRun && { onRun }), ...(readGlass && { readGlass }), done, focus: () => this.#focus.get(jobId) };
      if ('read' in source) return runTiles(runtime, model, source, listening);
      const pyramid = slidePyramid(source.instances, source);
      const { level, ...choice } = chooseLevel(pyramid, model.manifest.input.spacingMm, source.level);
      const read = { ...choice, of: pyramid.levels.length, downsample: level.downsample, opticalPath: pyramid.opticalPath };
      return runTiles(runtime, model, slideSource(pyramid, level, source.frames), { ...listening, level: read });
    });
    try {
      return await run;
    } finally {
      this.#focus.delete(jobId);
    }
  }

  /**
   * Trains a model further. Other jobs have their turn on the device in between.
   * @throws OverreadError as {@link fineTune}, `model/*`, `network/*`, and `job/busy` when a job of this id is under way
   */
  fineTune({ jobId, location, ...job }: EngineFineTuneJob): Promise<FineTuned> {
    return this.#cancellable(jobId, async signal => {
      const runtime = await this.#open();
      const verified = await readVerified(this.#files(location), undefined, signal);
      // What only a training needs comes with the first one.
      const { fineTune } = await import('./fine-tune.ts');
      // On a backend that answers at once nothing else would be heard until the end.
      const turns: Pick<TfjsRuntime, 'turn'> = { turn: async work => { try { return await runtime.turn(work); } finally { await breathe(); } } };
      return fineTune(runtime, { ...job, verified, signal }, turns);
    });
  }

  /** Moves what is on screen of a job of {@link runTiles}: from the next tile on. */
  focus(jobId: string, region: Region): void {
    if (this.#jobs.has(jobId)) this.#focus.set(jobId, region);
  }

  async #job<T>({ jobId, location, force, register }: Pick<Job, 'jobId' | 'location' | 'force' | 'register'>, onProgress: OnProgress | undefined, work: (runtime: TfjsRuntime, model: LoadedModel, options: InferOptions) => Promise<T>): Promise<T> {
    return this.#cancellable(jobId, async signal => {
      const runtime = await this.#open();
      throwIfAborted(signal);
      const known = this.#models.has(location);
      const start = performance.now();
      const model = await this.#load(location, onProgress, signal);
      const gate = await this.#gateOf(model, location, onProgress, signal);
      const loadMs = known ? 0 : performance.now() - start;
      return work(runtime, model, { onProgress, signal, loadMs, ...(gate && { gate }), ...(force && { force }), ...(register && { register }) });
    });
  }

  async #cancellable<T>(jobId: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.#jobs.has(jobId)) {
      throw new OverreadError('job/busy', `Expected a new job id, got ${jobId}, which is under way. Wait for it or cancel it.`, { got: jobId });
    }
    const job = new AbortController();
    this.#jobs.set(jobId, job);
    try {
      return await guarded(() => work(job.signal));
    } finally {
      this.#jobs.delete(jobId);
    }
  }

  /** Rejects the job with `job/cancelled`; nothing happens when it is not under way. */
  cancel(jobId: string): void {
    this.#jobs.get(jobId)?.abort();
  }

  unload(location: string): void {
    this.#models.get(location)?.dispose();
    this.#models.delete(location);
  }

  /** Live tensors, bytes on the device, loaded models: for leak checks. */
  async memory(): Promise<{ readonly tensors: number; readonly deviceBytes: number; readonly models: number }> {
    return { ...(await this.#open()).memory(), models: this.#models.size };
  }

  /** Takes the GPU device away, as a driver reset would: for tests. */
  async loseDevice(): Promise<void> {
    (await this.#open()).loseDevice();
  }

  /** Cancels every job and frees models and device. */
  async dispose(): Promise<void> {
    this.#disposed = true;
    for (const job of this.#jobs.values()) job.abort();
    const runtime = await this.#runtime?.catch(() => undefined);
    this.#models.clear();
    runtime?.dispose();
  }

  #open(): Promise<TfjsRuntime> {
    if (this.#disposed) return Promise.reject(new OverreadError('internal', 'The engine was disposed. Create another one.'));
    this.#runtime ??= createRuntime(this.#options).catch((error: unknown) => {
      // A device may be there the next time.
      this.#runtime = undefined;
      throw toOverreadError(error);
    });
    return this.#runtime;
  }

  /** One load at a time, so that two runs of a model that is not there yet load it once. */
  #load(location: string, onProgress?: OnProgress, signal?: AbortSignal): Promise<LoadedModel> {
    const loaded = this.#loading.then(async () => {
      throwIfAborted(signal);
      const runtime = await this.#open();
      const model = this.#models.get(location) ?? (await runtime.load(this.#files(location), onProgress, signal));
      this.#models.delete(location);
      this.#models.set(location, model);
      this.#trim();
      return model;
    });
    this.#loading = loaded.catch(() => {});
    return loaded;
  }

  /** The model that judges pictures for this one: it lies in the folder beside. */
  async #gateOf({ manifest }: LoadedModel, location: string, onProgress?: OnProgress, signal?: AbortSignal): Promise<LoadedModel | undefined> {
    const { gate } = manifest.input;
    if (gate === undefined) return undefined;
    try {
      return await this.#load(siblingOf(location, gate), onProgress, signal);
    } catch (error) {
      const { code, message, fields } = toOverreadError(error);
      if (!code.startsWith('model/') && !code.startsWith('network/')) throw error;
      // Without its gate it would read what it was not made for.
      throw new OverreadError(code, `${manifest.id} reads nothing without its gate ${gate}, which lies in the folder beside it: ${message}`, fields, error);
    }
  }

  #trim(): void {
    const allowed = this.#options.keptModelBytes ?? KEPT_MODEL_BYTES;
    let bytes = [...this.#models.values()].reduce((sum, model) => sum + model.bytes, 0);
    for (const [location, model] of this.#models) {
      if (bytes <= allowed || this.#models.size === 1) return;
      bytes -= model.bytes;
      this.unload(location);
    }
  }
}

/** Of an address or a path. */
function siblingOf(location: string, id: string): string {
  return `${location.replace(/[^/\\]+[/\\]?$/, '')}${id}${/[/\\]$/.test(location) ? '/' : ''}`;
}

async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toOverreadError(error);
  }
}
