import type { AuditedEvent } from '../../src/audit/record.ts';
import type { EngineClient } from '../../src/engine-client.ts';
import type { TrainingRun } from '../../src/engine-training.ts';
import { OverreadError, toOverreadError } from '../../src/errors.ts';
import type { FineTuned, FineTuneEvent } from '../../src/fine-tune.ts';
import type { ModelManifest } from '../../src/manifest.ts';
import type { DeviceDescription } from '../../src/results/result.ts';
import type { CurvePoint } from '../../src/training/checkpoint.ts';
import type { Recipe } from '../../src/training/recipe.ts';
import type { Predictions } from '../../src/training/validation.ts';
import { Observable } from '../state.ts';
import type { LabelItem } from './label-item.ts';
import { labelSet } from './label-set.ts';
import type { LabelStore, StoredRun } from './label-store.ts';

/** A training that the engine has in hand. */
export interface UnderWay {
  readonly phase: 'reading' | 'training' | 'pausing' | 'measuring';
  readonly name: string;
  readonly step: number;
  readonly of: number;
  /** Absent until a few steps were timed. */
  readonly secondsLeft?: number;
  /** Of the measuring at the end. */
  readonly share?: number;
  /** What the device had to be replaced for. */
  readonly recovered?: string;
}

export interface TrainingsState {
  readonly underWay?: UnderWay;
  /** Paused, or cut off: it can be gone on with. */
  readonly stored?: StoredRun;
  readonly curve: readonly CurvePoint[];
  /** Of the held-back pictures: when training began or went on, and now. */
  readonly predictions?: { readonly first: PredictionsAt; readonly now: PredictionsAt };
  readonly data?: Extract<FineTuneEvent, { readonly kind: 'data' }>;
  readonly device?: DeviceDescription;
  /** At its end, and not kept yet. */
  readonly outcome?: { readonly tuned: FineTuned; readonly beside: string };
  readonly error?: OverreadError;
  readonly note?: string;
}

export interface PredictionsAt {
  readonly step: number;
  readonly of: Predictions;
}

export interface TrainingChoice {
  readonly location: string;
  readonly manifest: ModelManifest;
  readonly recipe: Recipe;
  /** Ids of the labels to learn from and to measure on. */
  readonly labels: readonly string[];
  readonly id: string;
  readonly name: string;
  readonly allowSlow: boolean;
}

interface Parts {
  readonly engine: Pick<EngineClient, 'describe' | 'fineTune'>;
  readonly store: LabelStore;
  readonly audit?: (event: AuditedEvent) => unknown;
  /** Milliseconds. */
  readonly now?: () => number;
}

/** Events are shown so often; a curve of thousands of points is not drawn anew for each. */
const SHOWN_EVERY_MS = 200;
/** Steps of one turn on the device are told of together. */
const TOGETHER_MS = 20;

/** One training at a time: begun, paused, gone on with, given up; what is needed to go on is kept as it goes. */
export class Trainings {
  readonly state = new Observable<TrainingsState>({ curve: [] });
  readonly #parts: Parts;
  readonly #now: () => number;
  #run: TrainingRun | undefined;
  #busy = false;
  #curve: CurvePoint[] = [];
  #next: Partial<UnderWay> = {};
  #timer: ReturnType<typeof setTimeout> | undefined;
  #shownAt = -Infinity;
  #timed: { readonly step: number; readonly at: number } | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#now = parts.now ?? (() => performance.now());
  }

  /** Finds a training that was cut off. */
  async look(): Promise<void> {
    if (this.#busy) return;
    this.state.set({ stored: await this.#parts.store.run() });
  }

  /** Begins; one that was paused has to be gone on with or given up first. */
  async start({ manifest, ...choice }: TrainingChoice): Promise<void> {
    const { state } = this;
    if (this.#busy || state.get().stored || state.get().outcome) return;
    await this.#go({ ...choice, parentName: manifest.name, step: 0 });
  }

  async resume(): Promise<void> {
    const { stored } = this.state.get();
    if (stored && !this.#busy) await this.#go(stored);
  }

  pause(): void {
    const { underWay } = this.state.get();
    if (!this.#run || !underWay || underWay.phase === 'pausing') return;
    this.#show({ phase: 'pausing' }, true);
    this.#run.pause();
  }

  /** Gives up what is paused or at its end and not kept: nothing of it stays. */
  async discard(note = 'The training was given up. Nothing of it was kept.'): Promise<void> {
    if (this.#busy) return;
    await this.#parts.store.removeRun();
    this.#curve = [];
    this.state.set({ stored: undefined, outcome: undefined, curve: [], error: undefined, data: undefined, predictions: undefined, note });
  }

  async #go(run: StoredRun): Promise<void> {
    const { state } = this;
    const { engine, store } = this.#parts;
    this.#curve = [];
    this.#timed = undefined;
    this.#next = {};
    state.set({ error: undefined, note: undefined, curve: [], data: undefined, predictions: undefined, underWay: { phase: 'reading', name: run.name, step: run.step, of: run.recipe.steps } });
    let last = run;
    this.#busy = true;
    const release = await onlyTab();
    if (!release) {
      this.#busy = false;
      return state.set({ underWay: undefined, error: new OverreadError('job/busy', 'Another tab of this browser is training. Wait for it, or pause it there.') });
    }
    try {
      const manifest = await engine.describe(run.location);
      const { dataset, images } = labelSet(await this.#items(run), manifest);
      await store.putRun(run);
      const { location, recipe, id, name, allowSlow } = run;
      this.#run = engine.fineTune({ location, recipe, dataset, images, id, name, allowSlow }, {
        onEvent: event => this.#hear(event),
        checkpoints: {
          read: () => store.checkpoint(),
          write: async bytes => {
            const next = { ...run, step: this.#curve.at(-1)?.step ?? run.step };
            await store.putRun(next, bytes);
            last = next;
          },
        },
      });
      const tuned = await this.#run.result;
      state.set({ outcome: { tuned, beside: location }, stored: undefined, curve: tuned.report.curve });
      this.#parts.audit?.({ action: 'training', outcome: 'success', model: tuned.report.parent });
    } catch (error) {
      const known = toOverreadError(error);
      // What has no checkpoint yet begins anew all the same; what can never run is not offered again.
      const paused = known.code === 'job/cancelled';
      this.#parts.audit?.({ action: 'training', outcome: paused ? 'cancelled' : 'failure', ...(!paused && { error: known.code }) });
      const again = paused || last.step > 0 || known.code === 'device/lost';
      if (!again) await store.removeRun().catch(() => undefined);
      state.set({
        stored: again ? last : undefined, curve: this.#curve.slice(),
        ...(paused ? { note: `Paused at step ${last.step} of ${run.recipe.steps}.` } : { error: known }),
      });
    } finally {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#run = undefined;
      this.#busy = false;
      release();
      state.set({ underWay: undefined });
    }
  }

  async #items({ labels }: StoredRun): Promise<readonly LabelItem[]> {
    const items = await Promise.all(labels.map(id => this.#parts.store.item(id)));
    const missing = items.filter(item => item === undefined).length;
    if (missing > 0) throw new OverreadError('dataset/invalid', `Expected the ${labels.length} labels that the training began with, got ${labels.length - missing}: the others were removed. Give this training up and start another.`, { expected: labels.length, got: labels.length - missing });
    return items as readonly LabelItem[];
  }

  #hear(event: FineTuneEvent): void {
    switch (event.kind) {
      case 'data':
        return this.state.set({ data: event });
      case 'start':
        // Of one that goes on, what was learnt before; of one that lost its device, up to its checkpoint.
        this.#curve = [...event.curve];
        this.#timed = undefined;
        this.state.set({ device: event.device });
        return this.#show({ phase: 'training', step: event.step }, true);
      case 'step':
        this.#curve.push(event.point);
        return this.#show({ step: event.point.step, ...this.#left(event.point.step, event.of) });
      case 'validation': {
        this.#curve.push(event.point);
        const now = { step: event.point.step, of: event.predictions };
        this.state.set({ predictions: { first: this.state.get().predictions?.first ?? now, now } });
        // Validations take time of their own, and so does the first step after one.
        return this.#show({ step: event.point.step }, true);
      }
      case 'recovered':
        return this.#show({ step: event.step, recovered: event.because });
      case 'measuring':
        return this.#show({ phase: 'measuring', share: event.done / Math.max(1, event.of) }, true);
      case 'checkpoint':
        return;
    }
  }

  /** By all steps since the first turn. */
  #left(step: number, of: number): Pick<UnderWay, 'secondsLeft'> {
    const now = this.#now();
    // The first turn compiles shaders: time is taken from its end on.
    if (!this.#timed || now - this.#timed.at < TOGETHER_MS) {
      this.#timed = { step, at: this.#timed?.at ?? now };
      return {};
    }
    return { secondsLeft: ((now - this.#timed.at) / 1000 / (step - this.#timed.step)) * (of - step) };
  }

  #show(change: Partial<UnderWay>, soon = false): void {
    const { phase, ...rest } = change;
    // What was under way when Pause was pressed still comes in.
    const stays = phase === undefined || (phase === 'training' && this.state.get().underWay?.phase === 'pausing');
    this.#next = { ...this.#next, ...rest, ...(!stays && { phase }) };
    const wait = this.#shownAt + SHOWN_EVERY_MS - this.#now();
    if (soon || wait <= 0) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), wait);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#shownAt = this.#now();
    const { underWay } = this.state.get();
    if (underWay) this.state.set({ underWay: { ...underWay, ...this.#next }, curve: this.#curve.slice() });
    this.#next = {};
  }
}

/** Holds other tabs off, which would write the same checkpoint. @returns what lets them; undefined where one of them trains */
async function onlyTab(): Promise<(() => void) | undefined> {
  const { locks } = globalThis.navigator ?? {};
  if (!locks) return () => undefined;
  return new Promise(resolve => {
    void locks.request('overread-training', { ifAvailable: true }, lock => {
      if (!lock) return resolve(undefined);
      return new Promise<void>(release => resolve(release));
    });
  });
}
