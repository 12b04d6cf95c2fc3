import * as Comlink from 'comlink';
import type { Answer, SentTrainingJob, TrainingCalls } from './engine-protocol.ts';
import type { EngineFineTuneJob } from './engine.ts';
import { OverreadError, toOverreadError } from './errors.ts';
import type { FineTuned, FineTuneEvent } from './fine-tune.ts';
import type { Image } from './image/image.ts';
import type { CheckpointStore } from './training/checkpoint.ts';
import type { Dataset, DatasetFiles } from './training/dataset.ts';
import type { Recipe } from './training/recipe.ts';

/** A training as the page gives it to the worker. */
export interface EngineTrainingJob {
  /** Folder of the model where training starts; a relative one is meant from the page. */
  readonly location: string;
  readonly recipe: Recipe;
  readonly dataset: Dataset;
  /** Every picture and mask that the data set names, by its path. Pixels are handed over: the caller's arrays are empty afterwards. */
  readonly images: ReadonlyMap<string, Image>;
  /** Ids of items or patients of both sides; by the recipe's share of patients when left out. */
  readonly split?: { readonly train: readonly string[]; readonly validation: readonly string[] };
  /** Of the new model. */
  readonly id: string;
  readonly name?: string;
  /** Take WebAssembly or a software GPU, where the user asked for it. */
  readonly allowSlow?: boolean;
}

export interface TrainingCallOptions {
  readonly onEvent?: (event: FineTuneEvent) => void;
  /** On the page: what is there is gone on from. */
  readonly checkpoints?: CheckpointStore;
}

/** A training under way. */
export interface TrainingRun {
  /** Rejects with `job/cancelled` once it has paused and its checkpoint is written. */
  readonly result: Promise<FineTuned>;
  pause(): void;
}

/** The job in two parts: what can be cloned, and what the worker calls. */
export function sendTraining(jobId: string, { images, ...job }: EngineTrainingJob, { onEvent, checkpoints }: TrainingCallOptions) {
  const calls: TrainingCalls = {
    event: event => onEvent?.(event),
    readCheckpoint: () => answered(async () => checkpoints?.read()),
    writeCheckpoint: bytes => answered(async () => checkpoints?.write(bytes)),
  };
  const sent: SentTrainingJob = { jobId, ...job, images: [...images], keeps: checkpoints !== undefined };
  return { job: Comlink.transfer(sent, [...new Set([...images.values()].map(({ pixels }) => pixels.buffer))]), calls: Comlink.proxy(calls) };
}

/** The worker's half: pictures are at hand, checkpoints go to the page. */
export async function trainThrough(calls: TrainingCalls, { images, dataset, keeps, ...job }: SentTrainingJob, run: (job: EngineFineTuneJob) => Promise<FineTuned>): Promise<FineTuned> {
  let told: unknown;
  const checkpoints: CheckpointStore = {
    read: async () => value(await calls.readCheckpoint()),
    write: async bytes => value(await calls.writeCheckpoint(Comlink.transfer(bytes, [bytes.buffer]))),
  };
  try {
    return await run({
      ...job, data: filesOf(dataset, new Map(images)), ...(keeps && { checkpoints }),
      onEvent: event => {
        told = Promise.allSettled([told, calls.event(event)]);
      },
    });
  } finally {
    await told;
    (calls as unknown as { [Comlink.releaseProxy]?: () => void })[Comlink.releaseProxy]?.();
  }
}

function filesOf(dataset: Dataset, images: ReadonlyMap<string, Image>): DatasetFiles {
  const missing = (path: string) => new OverreadError('dataset/invalid', `Expected the file ${path} of '${dataset.name}', got none. Collect its item again.`, { expected: path });
  return {
    dataset,
    async image(path) {
      const image = images.get(path);
      if (!image) throw missing(path);
      return image;
    },
    text: path => Promise.reject(missing(path)),
  };
}

async function answered<T>(work: () => Promise<T>): Promise<Answer<T>> {
  try {
    return { ok: true, value: await work() };
  } catch (error) {
    return { ok: false, error: JSON.parse(JSON.stringify(toOverreadError(error))) as ReturnType<OverreadError['toJSON']> };
  }
}

function value<T>(answer: Answer<T>): T {
  if (answer.ok) return answer.value;
  throw toOverreadError(answer.error);
}
