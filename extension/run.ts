import type { AuditedEvent } from '../src/audit/record.ts';
import type { EngineClient } from '../src/engine-client.ts';
import { OverreadError, throwIfAborted, toOverreadError } from '../src/errors.ts';
import type { Image, SourceReference } from '../src/image/image.ts';
import type { ModelManifest } from '../src/manifest.ts';
import { sourcesOf } from '../src/results/result.ts';
import type { OnProgress } from '../src/runtime/types.ts';
import { auditedModel, auditedSources } from './audit/audit.ts';
import type { CatalogueEntry } from './catalogue.ts';
import { isResultOf, type Target } from './identity.ts';
import { describeProgress, type ProgressView } from './progress.ts';
import type { KeptResult, ResultsStore } from './results-store.ts';
import type { SlideCounts } from './slides/count.ts';
import type { SlideRuns, SlideTarget } from './slides/run.ts';
import type { KeptSlide } from './slides/slide-results.ts';
import { volumesOfFrames } from './sources/mr-series.ts';
import type { Picked } from './sources/views.ts';
import type { Observable, State } from './state.ts';

/** The part of the engine's client that a run calls. */
export type Engine = Pick<EngineClient, 'start' | 'run'>;

/** The part of the slides that a run calls. */
export interface Slides extends Pick<SlideRuns, 'pick' | 'run' | 'isOpen'> {
  readonly counts: Pick<SlideCounts, 'run'>;
}

/** What a run asks of the viewer. */
export interface Viewer {
  /** @throws OverreadError `input/no-pixels`, `input/views` */
  pickTargets(manifest: ModelManifest, viewportId?: string): Picked;
  isStillOpen(target: Target): boolean;
  readFrame(target: Target, signal: AbortSignal): Promise<Image>;
  notify(type: 'warning' | 'error', message: string): void;
}

export interface RunOptions {
  readonly modelId?: string;
  readonly viewportId?: string;
  /** Read what the model's gate refuses; the result is marked. */
  readonly force?: boolean;
  /** Of a slide, read what shows nothing but glass too. */
  readonly readGlass?: boolean;
}

/** How a run ended that nobody asked for by hand. */
export type Outcome =
  | { readonly kind: 'kept'; readonly kept: KeptResult }
  | { readonly kind: 'failed'; readonly error: OverreadError }
  /** It made room for a run of the user's. */
  | { readonly kind: 'gave way' };

/** The run that is under way. */
interface Current {
  readonly abort: AbortController;
  readonly automatic: boolean;
  readonly ended: Promise<void>;
  gaveWay: boolean;
}

interface Work {
  readonly entry: CatalogueEntry;
  /** None where it is a slide. */
  readonly targets: readonly Target[];
  readonly slide?: SlideTarget;
  readonly force: boolean;
  readonly readGlass?: boolean;
  readonly automatic: boolean;
}

/**
 * One run at a time: images → engine → kept result. Whatever happens ends in the state: a result, an error in words, or a
 * quiet note. It never rejects.
 */
export class Runner {
  readonly #viewer: Viewer;
  readonly #engine: Engine;
  readonly #results: ResultsStore;
  readonly #state: Observable<State>;
  readonly #slides: Slides | undefined;
  readonly #onIdle: () => void;
  readonly #audit: (event: AuditedEvent) => void;
  #current: Current | undefined;
  /** Runs of the user's that wait for an automatic one to end. */
  #waiting = 0;
  #count = 0;

  /** @param parts `onIdle` is called after every run, also one that did not start; `audit` hears how each ended */
  constructor(parts: { viewer: Viewer; engine: Engine; results: ResultsStore; state: Observable<State>; slides?: Slides; onIdle?: () => void; audit?: (event: AuditedEvent) => void }) {
    this.#viewer = parts.viewer;
    this.#engine = parts.engine;
    this.#results = parts.results;
    this.#state = parts.state;
    this.#slides = parts.slides;
    this.#onIdle = parts.onIdle ?? (() => undefined);
    this.#audit = parts.audit ?? (() => undefined);
  }

  get busy(): boolean {
    return this.#current !== undefined || this.#waiting > 0;
  }

  /**
   * Runs a model on the current image of a viewport, and on its study's other view where the model reads two; on a slide,
   * tile by tile. While one runs, further calls do nothing but leave a note.
   * @returns what was kept; undefined when there is no result, and then the state says why
   */
  async run({ modelId, viewportId, force = false, readGlass = false }: RunOptions = {}): Promise<KeptResult | KeptSlide | undefined> {
    return this.#byHand(() => {
      const entry = this.#chooseModel(modelId);
      const slide = this.#slides?.pick(viewportId);
      if (slide) return { work: { entry, targets: [], slide, force, readGlass, automatic: false } };
      const { targets, note } = this.#viewer.pickTargets(entry.manifest, viewportId);
      return { work: { entry, targets, force, automatic: false }, ...(note !== undefined && { note }) };
    });
  }

  /** Runs what a gate has just refused once more, on the same pictures. The result is marked; nothing is remembered. */
  async runAnyway(): Promise<KeptResult | KeptSlide | undefined> {
    const { refusal } = this.#state.get();
    if (!refusal) return undefined;
    return this.#byHand(() => {
      const { modelId, targets, slide } = refusal;
      if (!this.#areOpen(refusal)) {
        throw new OverreadError('input/no-pixels', 'Expected the picture that was refused, but it is no longer open. Open it again and run the model on it.', { expected: targets.map(({ source }) => source) });
      }
      return { work: { entry: this.#chooseModel(modelId), targets, ...(slide && { slide }), force: true, automatic: false } };
    });
  }

  /** As {@link run}, on given pictures and by nobody's hand: it waits for no one, gives way to the user, and tells only its caller. */
  async runQuietly(entry: CatalogueEntry, targets: readonly Target[]): Promise<Outcome> {
    const busy: Outcome = { kind: 'gave way' };
    if (this.busy) return busy;
    return this.#alone(true, async current => {
      const work: Work = { entry, targets, force: false, automatic: true };
      try {
        return { kind: 'kept', kept: await this.#audited(work, () => this.#attemptPictures(work, current.abort.signal)) };
      } catch (error) {
        return current.gaveWay ? busy : { kind: 'failed', error: toOverreadError(error) };
      }
    });
  }

  /** Ends the run that is under way; it leaves nothing behind. */
  cancel(): void {
    const { running } = this.#state.get();
    if (!this.#current || !running || running.cancelling) return;
    this.#current.abort.abort();
    this.#state.set({ running: { ...running, cancelling: true } });
  }

  async #byHand(prepare: () => { work: Work; note?: string }): Promise<KeptResult | KeptSlide | undefined> {
    if (this.#current?.automatic) {
      // The user comes first; what made room is run again afterwards.
      this.#current.gaveWay = true;
      this.#current.abort.abort();
      this.#waiting++;
      await this.#current.ended;
      this.#waiting--;
    }
    if (this.#current) {
      this.#state.set({ note: 'A model is running already. Wait for it, or cancel it first.' });
      return undefined;
    }
    return this.#alone(false, async ({ abort: { signal } }) => {
      this.#state.set({ lastError: undefined, refusal: undefined, note: undefined });
      let work: Work | undefined;
      try {
        const { configurationError } = this.#state.get();
        if (configurationError) throw configurationError;
        const prepared = prepare();
        const now = (work = prepared.work);
        const kept = await this.#audited<KeptResult | KeptSlide>(now, () => (now.slide ? this.#attemptSlide(now, now.slide, signal) : this.#attemptPictures(now, signal)));
        this.#state.set({ overlaysShown: true, note: prepared.note });
        return kept;
      } catch (error) {
        this.#fail(toOverreadError(error), work);
        return undefined;
      }
    });
  }

  /** Tells the audit how the work ended, whatever came of it. */
  async #audited<K extends KeptResult | KeptSlide>(work: Work, attempt: () => Promise<K>): Promise<K> {
    const { entry: { manifest }, targets, slide, force, automatic } = work;
    const asked = slide ? { studyInstanceUID: slide.displaySet.StudyInstanceUID, sources: (slide.displaySet.instances ?? []).flatMap(({ SOPInstanceUID = [] }) => SOPInstanceUID) } : auditedSources(targets.map(({ source }) => source));
    const event = { action: force ? 'override' : 'run', ...asked, ...(automatic && { details: { automatic: 'true' } }) } as const;
    try {
      const kept = await attempt();
      this.#audit({ ...event, outcome: 'success', model: auditedModel('result' in kept ? kept.result.model : kept.model) });
      return kept;
    } catch (thrown) {
      const { code } = toOverreadError(thrown);
      // A result whose study was closed is kept all the same.
      this.#audit({ ...event, model: auditedModel({ id: manifest.id, version: manifest.version }), outcome: code === 'job/cancelled' ? 'cancelled' : code === 'job/stale' ? 'success' : 'failure', error: code });
      throw thrown;
    }
  }

  /** Keeps every other run out while the work lasts. */
  async #alone<T>(automatic: boolean, work: (current: Current) => Promise<T>): Promise<T> {
    let end = () => undefined as void;
    const current: Current = { abort: new AbortController(), automatic, ended: new Promise<void>(resolve => (end = resolve)), gaveWay: false };
    this.#current = current;
    try {
      return await work(current);
    } finally {
      this.#current = undefined;
      this.#state.set({ running: undefined });
      end();
      this.#onIdle();
    }
  }

  /** Shows a run as under way. @returns what takes its progress */
  #announce({ entry, automatic }: Work, signal: AbortSignal): (progress: ProgressView) => void {
    const jobId = `job-${++this.#count}`;
    const modelName = entry.manifest.name;
    this.#state.set({ running: { jobId, modelName, progress: describeProgress({ stage: 'read pixels' }), startedAt: performance.now(), cancelling: false, automatic } });
    return progress => {
      const { running } = this.#state.get();
      // A late word from a job that was given up must not speak for the next one.
      if (running?.jobId === jobId && !signal.aborted) this.#state.set({ running: { ...running, progress } });
    };
  }

  async #attemptSlide(work: Work, slide: SlideTarget, signal: AbortSignal): Promise<KeptSlide | KeptResult> {
    const onProgress = this.#announce(work, signal);
    const options = { force: work.force, ...(work.readGlass && { readGlass: true }), signal, onProgress };
    const runs = counts(work) ? this.#slides!.counts : this.#slides!;
    const kept = await untilAborted<KeptSlide | KeptResult>(signal, () => runs.run(work.entry, slide, options));
    const { device, source } = 'result' in kept ? kept.result : kept;
    this.#state.set({ device });
    if (!this.#slides!.isOpen(slide)) throw closed(work, source.sources);
    return kept;
  }

  async #attemptPictures(work: Work, signal: AbortSignal): Promise<KeptResult> {
    const { entry, targets, force } = work;
    this.#keepEdits(entry, targets);
    const tell = this.#announce(work, signal);
    const onProgress: OnProgress = progress => tell(describeProgress(progress));
    const result = await untilAborted(signal, async () => {
      const images: Image[] = [];
      for (const target of targets) images.push(await this.#viewer.readFrame(target, signal));
      this.#state.set({ device: await this.#engine.start() });
      throwIfAborted(signal);
      const read = entry.manifest.input.modalities ? volumesOfFrames(images) : images;
      return this.#engine.run({ location: entry.location, images: read, ...(force && { force }) }, { onProgress, signal });
    });
    this.#state.set({ device: result.device });
    const asked = targets.map(({ source }) => source);
    if (!isResultOf(result, asked)) {
      throw new OverreadError('internal', 'Expected a result on the images that were sent, got one on others. It was thrown away. Please report this.', { expected: asked, got: sourcesOf(result) });
    }
    const kept = this.#results.keep(result);
    if (!this.#areOpen(work)) throw closed(work, asked);
    return kept;
  }

  /** A second run would replace what a reader edited: it is refused before it begins. */
  #keepEdits({ manifest: { id, version, name } }: CatalogueEntry, targets: readonly Target[]): void {
    const asked = targets.map(({ source }) => source);
    const edited = this.#results.all().find(({ result }) => (result.kind === 'labelmap' || result.kind === 'points') && result.editedAt !== undefined && result.model.id === id && result.model.version === version && isResultOf(result, asked));
    if (!edited) return;
    throw new OverreadError('input/refused', `The ${edited.result.kind === 'points' ? 'count' : 'mask'} of ${name} on this image was edited by hand, and another run would replace it. Discard the edit in its card first, or choose another model.`, { key: edited.key });
  }

  #areOpen({ targets, slide }: Pick<Work, 'targets' | 'slide'>): boolean {
    return targets.every(target => this.#viewer.isStillOpen(target)) && (!slide || this.#slides?.isOpen(slide) === true);
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

  #fail(error: OverreadError, work: Work | undefined): void {
    if (error.code === 'job/cancelled') {
      const note = !work?.slide ? 'Cancelled. Nothing was kept.' : counts(work) ? 'Stopped. What was counted stays; another run begins anew.' : 'Stopped. Run goes on with what is not read yet.';
      this.#state.set({ note });
      return;
    }
    const refused = error.code === 'input/out-of-distribution';
    this.#state.set({ lastError: error, ...(refused && work && { refusal: { modelId: work.entry.manifest.id, targets: work.targets, ...(work.slide && { slide: work.slide }) } }) });
    this.#viewer.notify(error.code === 'job/stale' || refused ? 'warning' : 'error', error.message);
  }
}

function counts({ entry: { manifest: { task } } }: Work): boolean {
  return task === 'count';
}

function closed({ entry: { manifest: { name } } }: Work, sources: readonly SourceReference[]): OverreadError {
  return new OverreadError('job/stale', `The study was closed while ${name} ran. Its result is kept until this page is left: open the study again to see it.`, { sources });
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
