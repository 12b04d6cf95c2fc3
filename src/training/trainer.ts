import { isOverreadError, OverreadError, throwIfAborted } from '../errors.ts';
import type { DeviceDescription } from '../results/result.ts';
import type { Device } from '../runtime/device.ts';
import type { VerifiedModel } from '../runtime/verified.ts';
import { checkTrainable } from './accepts.ts';
import { Batches, type Batch } from './batches.ts';
import { readState, writeState, type CheckpointStore, type CurvePoint, type TrainingState } from './checkpoint.ts';
import { checkClasses, type Example } from './examples.ts';
import type { Recipe } from './recipe.ts';
import { afterValidation, rateShare, START } from './schedule.ts';
import { Session } from './session.ts';
import { checkSplit, type Split } from './split.ts';
import { validate, type Predictions } from './validation.ts';

/** Steps of one turn on the device; between turns others may run a model. */
const TURN = 4;
/** How often in a row a device may be lost before training gives up. */
const MOST_LOSSES = 3;

/** What a listener hears while a network learns. */
export type TrainingEvent =
  | { readonly kind: 'start'; readonly device: DeviceDescription; readonly step: number; readonly learning: number; readonly layers: number; readonly atOnce: number; readonly curve: readonly CurvePoint[] }
  | { readonly kind: 'step'; readonly point: CurvePoint; readonly of: number }
  | { readonly kind: 'validation'; readonly point: CurvePoint; readonly best: boolean; readonly predictions: Predictions }
  | { readonly kind: 'checkpoint'; readonly step: number }
  | { readonly kind: 'recovered'; readonly step: number; readonly because: string };

export interface TrainingJob {
  readonly verified: VerifiedModel;
  readonly recipe: Recipe;
  readonly examples: Split<Example>;
  /** Names the run, so that a checkpoint of another one is not taken for its own. */
  readonly run: string;
  readonly checkpoints?: CheckpointStore | undefined;
  readonly onEvent?: ((event: TrainingEvent) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Take WebAssembly, plain JavaScript or a software GPU, where that was asked for by name. */
  readonly allowSlow?: boolean | undefined;
}

export interface Trained {
  /** The best by validation. */
  readonly weights: Float32Array;
  readonly statistics: Float32Array;
  readonly step: number;
  readonly stepsDone: number;
  readonly curve: readonly CurvePoint[];
  readonly ended: 'steps' | 'early' | 'not-finite';
  /** Of a loss that is no number: where it happened. */
  readonly failed?: { readonly step: number; readonly ids: readonly string[]; readonly loss: string };
  readonly device: DeviceDescription;
}

/** Whose turn it is on the device; a lost device is replaced before the next turn. */
export interface TrainingTurns {
  turn<T>(job: (device: Device) => Promise<T>): Promise<T>;
}

/**
 * Trains a model to the end of its recipe. The same seed, data and backend give the same curve; a run that goes on from its
 * checkpoint ends as one that was never stopped.
 * @throws OverreadError `job/cancelled` after a checkpoint of where it stood; `dataset/invalid`, `model/*`, `device/*`,
 *   `store/invalid` when the checkpoint cannot be written: the one before stays
 */
export async function train(turns: TrainingTurns, job: TrainingJob): Promise<Trained> {
  checkTrainable(job.verified.manifest);
  checkSplit(job.examples);
  checkClasses(job.examples.train, job.verified.manifest);
  const run = new Run(turns, job);
  try {
    return await run.toEnd();
  } finally {
    run.dispose();
  }
}

class Run {
  readonly #batches: Batches;
  #session: Session | undefined;
  /** The last state known to be sound, and where training goes on after a loss. */
  #state: TrainingState | undefined;
  #curve: CurvePoint[] = [];
  #losses = 0;
  /** Ids of the last step's batch. */
  #last: readonly string[] = [];
  #device: DeviceDescription | undefined;
  /** How many weights of the state are the network's; a head that learns beside it has the rest. */
  #learning = 0;

  constructor(private readonly turns: TrainingTurns, private readonly job: TrainingJob) {
    this.#batches = new Batches(job.examples.train, job.verified.manifest, job.recipe);
  }

  async toEnd(): Promise<Trained> {
    const { recipe, checkpoints, run, signal } = this.job;
    const stored = await checkpoints?.read();
    if (stored) this.#state = await readState(stored, run);
    this.#curve = [...(this.#state?.curve ?? [])];
    for (;;) {
      try {
        throwIfAborted(signal);
        if (!this.#state) await this.#begin();
        else if (!this.#session) await this.#turn(async () => {});
        const { step, progress } = this.#state!;
        if (recipe.validation.patience !== undefined && progress.waited >= recipe.validation.patience) return this.#trained('early');
        if (step >= recipe.steps) return this.#trained('steps');
        const failed = await this.#advance(this.#boundaryAfter(step));
        if (failed) return this.#trained('not-finite', failed);
      } catch (error) {
        if (!isOverreadError(error, 'device/lost') && !isOverreadError(error, 'device/gpu-error')) throw error;
        if (++this.#losses > MOST_LOSSES || !this.#state) throw error;
        // What was on the device is gone; the next turn has another one.
        this.#session?.dispose();
        this.#session = undefined;
        this.#curve = [...this.#state.curve];
        this.job.onEvent?.({ kind: 'recovered', step: this.#state.step, because: error.message });
      }
    }
  }

  dispose(): void {
    this.#session?.dispose();
  }

  /** The next step before which something is done: validation, a checkpoint, the end. */
  #boundaryAfter(step: number): number {
    const { steps, validation, checkpointEvery } = this.job.recipe;
    const next = (every: number) => (Math.floor(step / every) + 1) * every;
    return Math.min(steps, next(validation.every), next(checkpointEvery));
  }

  async #begin(): Promise<void> {
    await this.#turn(async session => {
      const { metric: base, predictions } = await validate(session, this.job.examples.validation, this.job.verified.manifest);
      const state = await session.state();
      const point = { step: 0, validation: base };
      this.#curve = [point];
      this.#state = { step: 0, ...state, progress: afterValidation(START, base, 0, this.job.recipe.schedule), best: state, sampler: this.#batches.state(), curve: this.#curve.slice() };
      this.job.onEvent?.({ kind: 'validation', point, best: true, predictions });
    });
  }

  /** @returns where a loss was no number, if one was */
  async #advance(to: number): Promise<Trained['failed']> {
    const { recipe, signal, onEvent } = this.job;
    for (let step = this.#state!.step; step < to; ) {
      if (signal?.aborted && step > this.#state!.step) await this.#keep(step, false); // paused, to go on from here
      throwIfAborted(signal);
      const end = Math.min(to, step + (this.#batches.hears ? 1 : TURN));
      const from = step;
      const failed = await this.#turn(async session => {
        const pending: { point: CurvePoint; batches: Batch[]; taken: ReturnType<Session['step']> }[] = [];
        try {
          for (let s = from; s < end; s++) {
            const batches = Array.from({ length: recipe.accumulate }, (_, i) => this.#batches.at(s * recipe.accumulate + i));
            const rate = recipe.rate * rateShare(recipe.schedule, s, recipe.steps, this.#state!.progress.falls);
            this.#last = batches.flatMap(({ ids }) => ids);
            pending.push({ point: { step: s + 1, rate }, batches, taken: session.step(batches, { rate, progress: s / recipe.steps, scored: this.#batches.hears }) });
          }
          const losses = await Promise.all(pending.map(async ({ taken: { loss } }) => (await loss.data())[0]!));
          const bad = losses.findIndex(loss => !Number.isFinite(loss));
          for (const [i, { point, batches, taken }] of pending.entries()) {
            if (bad >= 0 && i >= bad) return { step: point.step, ids: [...new Set(batches.flatMap(({ ids }) => ids))], loss: String(losses[i]) };
            await this.#hear(batches, taken.scores);
            this.#curve.push({ ...point, loss: losses[i]! });
            onEvent?.({ kind: 'step', point: this.#curve.at(-1)!, of: recipe.steps });
          }
          return undefined;
        } finally {
          for (const { taken: { loss, scores } } of pending) [loss, ...scores].forEach(of => of.dispose());
        }
      });
      if (failed) return failed;
      step = end;
    }
    const sound = await this.#keep(to, to % recipe.validation.every === 0 || to === recipe.steps);
    this.#losses = 0;
    // The loss that would show it is that of the next step.
    return sound ? undefined : { step: to, ids: [...new Set(this.#last)], loss: 'weights that are not finite' };
  }

  async #hear(batches: readonly Batch[], scores: ReturnType<Session['step']>['scores']): Promise<void> {
    if (scores.length === 0) return;
    const each = (await Promise.all(scores.map(of => of.data()))).flatMap(of => [...(of as Float32Array)]);
    const outputs = each.length / batches.reduce((sum, { size }) => sum + size, 0);
    let at = 0;
    for (const batch of batches) {
      this.#batches.report(batch, batch.ids.map((_, i) => Math.min(1, Math.max(0, each.slice((at + i) * outputs, (at + i + 1) * outputs).reduce((a, b) => a + b, 0) / outputs))));
      at += batch.size;
    }
  }

  /**
   * Takes the state from the device, validates where it is time to, and writes the checkpoint.
   * @returns false where the weights are no numbers: the state before is kept
   */
  async #keep(step: number, validates: boolean): Promise<boolean> {
    const { recipe, examples, verified: { manifest }, checkpoints, run, onEvent } = this.job;
    const sound = await this.#turn(async session => {
      const state = await session.state();
      if (!state.weights.every(Number.isFinite)) return false;
      let { progress, best } = this.#state!;
      if (validates) {
        const { metric, predictions } = await validate(session, examples.validation, manifest);
        progress = afterValidation(progress, metric, step, recipe.schedule);
        if (progress.bestStep === step) best = state;
        this.#curve.push({ step, validation: metric });
        onEvent?.({ kind: 'validation', point: this.#curve.at(-1)!, best: progress.bestStep === step, predictions });
      }
      this.#state = { step, ...state, progress, best, sampler: this.#batches.state(), curve: this.#curve.slice() };
      return true;
    });
    if (!sound || !checkpoints) return sound;
    await checkpoints.write(await writeState(this.#state!, run));
    onEvent?.({ kind: 'checkpoint', step });
    return true;
  }

  #turn<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return this.turns.turn(device => device.guard(async () => {
      if (this.#session?.device !== device) {
        if (!this.job.allowSlow) refuseSlow(device.description);
        this.#session = await Session.open(device, this.job.verified, this.job.recipe, this.#batches);
        this.#device = device.description;
        const { trainable, atOnce } = this.#session;
        this.#learning = trainable.size;
        if (this.#state) {
          this.#session.restore(this.#state);
          this.#batches.restore(this.#state.sampler);
        }
        this.job.onEvent?.({ kind: 'start', device: device.description, step: this.#state?.step ?? 0, learning: trainable.size, layers: trainable.layers.length, atOnce, curve: this.#state?.curve ?? [] });
      }
      return work(this.#session);
    }));
  }

  #trained(ended: Trained['ended'], failed?: Trained['failed']): Trained {
    const { best, progress, step } = this.#state!;
    const { weights, statistics } = best ?? this.#state!;
    if (!this.#device) throw new OverreadError('internal', 'Expected a run that had a device. Please report this.');
    return { weights: weights.slice(0, this.#learning), statistics, step: progress.bestStep, stepsDone: step, curve: this.#curve, ended, device: this.#device, ...(failed && { failed }) };
  }
}

/** @throws OverreadError `device/unavailable` for what is no GPU: an hour there would be a week */
function refuseSlow({ backend, adapter, software, reason }: DeviceDescription): void {
  if ((backend === 'webgpu' || backend === 'webgl') && !software) return;
  throw new OverreadError('device/unavailable', `Training needs WebGPU or WebGL on a GPU; here is ${backend} on ${adapter} (${reason}). Use a machine with a GPU, or ask for a slow device by name.`, { expected: ['webgpu', 'webgl'], got: backend });
}
