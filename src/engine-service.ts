import * as Comlink from 'comlink';
import type { Answer, EngineService, WorkerOptions } from './engine-protocol.ts';
import { Engine } from './engine.ts';
import { tilesThrough } from './engine-tiles.ts';
import { trainThrough } from './engine-training.ts';
import { OverreadError, toOverreadError } from './errors.ts';
import type { Result } from './results/result.ts';
import type { OnProgress, Progress } from './runtime/types.ts';

/** The engine behind a message port: answers in place of exceptions, results as transferables. */
export function createEngineService(): EngineService {
  let engine: Engine | undefined;
  let debug = false;
  const loads = new Map<string, AbortController>();
  const live = () => (engine ??= new Engine());

  return {
    configure: (options: WorkerOptions) =>
      answer(async () => {
        if (engine) throw new OverreadError('internal', 'Expected the options before the first call, got them after. Please report this.');
        debug = options.debug === true;
        engine = new Engine(options);
      }),
    start: () => answer(() => live().start()),
    describe: location => answer(() => live().describe(location)),
    load: (jobId, location, onProgress) =>
      answer(async () => {
        const job = new AbortController();
        loads.set(jobId, job);
        try {
          return await reporting(onProgress, report => live().load(location, report, job.signal));
        } finally {
          loads.delete(jobId);
        }
      }),
    run: async (job, onProgress) => {
      const answered = await answer(() => reporting(onProgress, report => live().run(job, report)));
      return answered.ok ? Comlink.transfer(answered, buffersOf(answered.value)) : answered;
    },
    explain: async (job, onProgress) => {
      const answered = await answer(() => reporting(onProgress, report => live().explain(job, report)));
      return answered.ok ? Comlink.transfer(answered, answered.value.flatMap(buffersOf)) : answered;
    },
    runTiles: (job, calls) => answer(() => tilesThrough(calls, job, (received, listener) => live().runTiles(received, listener))),
    fineTune: (job, calls) => answer(() => trainThrough(calls, job, received => live().fineTune(received))),
    focus: (jobId, region) => answer(async () => live().focus(jobId, region)),
    cancel: jobId =>
      answer(async () => {
        loads.get(jobId)?.abort();
        live().cancel(jobId);
      }),
    unload: location => answer(async () => live().unload(location)),
    memory: () => answer(() => live().memory()),
    loseDevice: () =>
      answer(async () => {
        if (!debug) throw new OverreadError('config/invalid', 'Expected the option debug for loseDevice, got none. It is for tests.');
        await live().loseDevice();
      }),
    dispose: () => answer(async () => engine?.dispose()),
  };
}

async function answer<T>(work: () => Promise<T>): Promise<Answer<T>> {
  try {
    return { ok: true, value: await work() };
  } catch (error) {
    return { ok: false, error: cloneable(toOverreadError(error)) };
  }
}

/** Fields may hold what cannot be cloned into a message; JSON carries all that a person needs. */
function cloneable(error: OverreadError) {
  return JSON.parse(JSON.stringify(error.toJSON())) as ReturnType<OverreadError['toJSON']>;
}

/**
 * Gives the work a callback on the other side of the port: all that was reported has arrived there before the answer
 * leaves, and the callback's own port is closed.
 */
async function reporting<T>(onProgress: OnProgress | undefined, work: (report?: OnProgress) => Promise<T>): Promise<T> {
  if (!onProgress) return work();
  const under: unknown[] = [];
  try {
    return await work(progress => under.push((onProgress as (p: Progress) => unknown)(progress)));
  } finally {
    await Promise.allSettled(under);
    (onProgress as { [Comlink.releaseProxy]?: () => void })[Comlink.releaseProxy]?.();
  }
}

function buffersOf(result: Result): Transferable[] {
  switch (result.kind) {
    case 'labelmap':
      // The mask at the operating points is the labels' own memory.
      return [result.labels.buffer, ...(result.probabilities ? [result.probabilities.values.buffer] : []), ...(result.instances ? [result.instances.labels.buffer] : [])];
    case 'heatmap':
      return [result.values.buffer];
    case 'points':
      return [result.coordinates.buffer, result.classOf.buffer, result.confidences.buffer, ...(result.density ? [result.density.buffer] : [])];
    case 'scores':
      return [];
  }
}
