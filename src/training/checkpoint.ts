import { OverreadError } from '../errors.ts';
import { sha256 } from '../runtime/sha256.ts';
import type { OptimiserState } from './optimiser.ts';
import type { CasedState } from './samplers/cased.ts';
import type { Progress } from './schedule.ts';

/** All that a run is made of between two steps. */
export interface TrainingState {
  /** Steps that are done. */
  readonly step: number;
  readonly weights: Float32Array;
  /** Running statistics of normalisation layers that learn. */
  readonly statistics: Float32Array;
  readonly optimiser: OptimiserState;
  readonly progress: Progress;
  /** Weights and statistics of the best validation. */
  readonly best?: { readonly weights: Float32Array; readonly statistics: Float32Array } | undefined;
  readonly sampler?: CasedState | undefined;
  readonly curve: readonly CurvePoint[];
}

export interface CurvePoint {
  readonly step: number;
  readonly loss?: number;
  readonly rate?: number;
  /** The higher the better: mean Dice of masks, mean area under the curve of scores. */
  readonly validation?: number;
}

/** Keeps one checkpoint; writing replaces the one before, whole or not at all. */
export interface CheckpointStore {
  /** @throws OverreadError `store/invalid` where there is no room or no right to write */
  write(bytes: Uint8Array): Promise<void>;
  read(): Promise<Uint8Array | undefined>;
}

const MAGIC = 'OVRTRN01';

interface Header {
  /** Of model, recipe and data: a checkpoint of another run is refused. */
  readonly run: string;
  readonly sha256: string;
  readonly arrays: readonly number[];
  readonly hasBest: boolean;
  readonly rest: { readonly step: number; readonly optimiserSteps: number; readonly progress: Omit<Progress, 'best'> & { readonly best: number | null }; readonly sampler?: CasedState | undefined; readonly curve: readonly CurvePoint[] };
}

/** A state as bytes: a magic word, a header as JSON, the numbers as they are. */
export async function writeState(state: TrainingState, run: string): Promise<Uint8Array> {
  const arrays = [state.weights, state.statistics, ...state.optimiser.moments, ...(state.best ? [state.best.weights, state.best.statistics] : [])];
  const body = new Uint8Array(arrays.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const array of arrays) {
    body.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), at);
    at += array.byteLength;
  }
  const { step, optimiser, progress, sampler, curve } = state;
  const header: Header = {
    run, sha256: await sha256(body), arrays: arrays.map(({ length }) => length), hasBest: state.best !== undefined,
    rest: { step, optimiserSteps: optimiser.steps, progress: { ...progress, best: Number.isFinite(progress.best) ? progress.best : null }, sampler, curve },
  };
  const text = new TextEncoder().encode(JSON.stringify(header));
  const bytes = new Uint8Array(MAGIC.length + 4 + text.length + body.length);
  bytes.set(new TextEncoder().encode(MAGIC));
  new DataView(bytes.buffer).setUint32(MAGIC.length, text.length, true);
  bytes.set(text, MAGIC.length + 4);
  bytes.set(body, MAGIC.length + 4 + text.length);
  return bytes;
}

/** @throws OverreadError `store/invalid` for bytes that are no whole checkpoint, or that of another run */
export async function readState(bytes: Uint8Array, run: string): Promise<TrainingState> {
  const bad = (expected: string, got: string) => new OverreadError('store/invalid', `Expected ${expected}, got ${got}. Start the training again, or give it another place for its checkpoint.`, { expected, got });
  if (new TextDecoder().decode(bytes.subarray(0, MAGIC.length)) !== MAGIC || bytes.length < MAGIC.length + 4) throw bad('a checkpoint of a training', 'other bytes');
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(MAGIC.length, true);
  let header: Header;
  try {
    header = JSON.parse(new TextDecoder().decode(bytes.subarray(MAGIC.length + 4, MAGIC.length + 4 + length))) as Header;
  } catch {
    throw bad('a whole checkpoint', 'a broken header');
  }
  if (header.run !== run) throw bad('a checkpoint of this model, recipe and data set', 'one of another training');
  const body = bytes.slice(MAGIC.length + 4 + length);
  if ((await sha256(body)) !== header.sha256) throw bad('a whole checkpoint', 'one whose numbers were changed or cut');
  let at = 0;
  const arrays = header.arrays.map(count => {
    const array = new Float32Array(body.buffer, body.byteOffset + at, count);
    at += array.byteLength;
    return array.slice();
  });
  const [weights, statistics, ...others] = arrays as [Float32Array, Float32Array, ...Float32Array[]];
  const best = header.hasBest ? { weights: others.at(-2)!, statistics: others.at(-1)! } : undefined;
  const { step, optimiserSteps, progress, sampler, curve } = header.rest;
  return {
    step, weights, statistics, best, sampler, curve, progress: { ...progress, best: progress.best ?? -Infinity },
    optimiser: { steps: optimiserSteps, moments: best ? others.slice(0, -2) : others },
  };
}
