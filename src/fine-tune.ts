import { compared, comparedMeans, comparedReliability, type Compared } from './evaluation/compared.ts';
import { evalItems } from './evaluation/items.ts';
import type { EvalReport } from './evaluation/report.ts';
import { isRankedByLogit } from './evaluation/scores.ts';
import { infer } from './infer.ts';
import type { TrainingRecord } from './manifest.ts';
import type { Device } from './runtime/device.ts';
import type { TfjsRuntime } from './runtime/runtime.ts';
import { sha256 } from './runtime/sha256.ts';
import type { VerifiedModel } from './runtime/verified.ts';
import { checkTrainable } from './training/accepts.ts';
import { cardOf, SALIENCY_METRIC } from './training/card.ts';
import type { CheckpointStore, CurvePoint } from './training/checkpoint.ts';
import type { DatasetFiles } from './training/dataset.ts';
import type { Example } from './training/examples.ts';
import { tunedFiles, tunedManifest, verifiedFolder, type ModelFolder } from './training/publish.ts';
import { readTrainingData, type TrainingData } from './training/read-data.ts';
import type { Recipe } from './training/recipe.ts';
import { saliencyInMasks } from './training/saliency-in-mask.ts';
import { train, type Trained, type TrainingEvent, type TrainingTurns } from './training/trainer.ts';

export interface FineTuneJob {
  /** The model where training starts. */
  readonly verified: VerifiedModel;
  readonly recipe: Recipe;
  readonly data: DatasetFiles;
  /** Ids of items or patients of both sides; by the recipe's share of patients when left out. */
  readonly split?: { readonly train: readonly string[]; readonly validation: readonly string[] } | undefined;
  /** Of the new model. */
  readonly id: string;
  readonly name?: string | undefined;
  readonly checkpoints?: CheckpointStore | undefined;
  readonly onEvent?: ((event: FineTuneEvent) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** As of `TrainingJob`. */
  readonly allowSlow?: boolean | undefined;
}

/** What a listener hears, in this order: the data, the training, the measuring. */
export type FineTuneEvent =
  | ({ readonly kind: 'data'; readonly dataset: Pick<TrainingRecord['dataset'], 'train' | 'validation'> } & Pick<TrainingData, 'refused' | 'alike'>)
  | TrainingEvent
  | { readonly kind: 'measuring'; readonly done: number; readonly of: number };

/** What `report.json` holds. */
export interface TrainingReport extends TrainingRecord, Pick<Trained, 'ended' | 'failed'>, Pick<TrainingData, 'refused' | 'alike'> {
  /** Of this run's training, without what was done before it was resumed. */
  readonly seconds: number;
  readonly stepsPerSecond: number;
  readonly curve: readonly CurvePoint[];
  /** Of scores that are probabilities, by label, on the validation items. */
  readonly reliability?: ReturnType<typeof comparedReliability>;
}

/** A model folder that is not on a disk yet. */
export interface FineTuned extends ModelFolder {
  readonly card: string;
  readonly report: TrainingReport;
}

/**
 * Labelled pictures and a model → a model that was trained further on them, with what it gained on the patients that were held
 * back: the whole way, the same for the command line and the viewer. A run that was stopped goes on from its checkpoint.
 * @param turns whose turn it is while training; the runtime's own when left out
 * @throws OverreadError `job/cancelled` after a checkpoint of where it stood; `dataset/invalid`, `model/*`, `device/*`, `store/invalid`
 */
export async function fineTune(runtime: TfjsRuntime, job: FineTuneJob, turns: TrainingTurns = runtime): Promise<FineTuned> {
  const { verified, recipe, checkpoints, signal, allowSlow, onEvent } = job;
  checkTrainable(verified.manifest);
  const data = await readTrainingData(job.data, verified.manifest, recipe, job.split);
  const { examples, refused, alike } = data;
  onEvent?.({ kind: 'data', dataset: { train: sideOf(examples.train), validation: sideOf(examples.validation) }, refused, alike });
  const run = await runOf(verified, recipe, examples);
  let first: number | undefined;
  let started = performance.now();
  const outcome = await train(turns, {
    verified, recipe, examples, run, checkpoints, signal, allowSlow,
    onEvent: event => {
      if (event.kind === 'start' && first === undefined) [first, started] = [event.step, performance.now()];
      onEvent?.(event);
    },
  });
  const seconds = (performance.now() - started) / 1000;
  const files = await turns.turn(device => tunedFiles(device, verified, recipe, outcome));
  const unmeasured = recordOf(job, examples, outcome, {});
  const manifestWith = (record: TrainingRecord) => tunedManifest(verified.manifest, job.id, files, record, job.name);
  const tuned = await verifiedFolder({ manifest: await manifestWith(unmeasured), files });
  const both: EvalReport[] = [];
  for (const model of [verified, tuned]) both.push(await measure(runtime, model, job, examples.validation, both.length));
  const inMasks = recipe.guidance && (await turns.turn(device => saliencyCompared(device, verified, tuned, examples.validation)));
  const record = { ...unmeasured, metrics: { ...compared(both[0]!, both[1]!, isRankedByLogit(verified.manifest) ? 'logits' : 'probabilities'), ...(inMasks && { [SALIENCY_METRIC]: inMasks }) } };
  const manifest = await manifestWith(record);
  const report: TrainingReport = {
    ...record, ended: outcome.ended, ...(outcome.failed && { failed: outcome.failed }), seconds,
    stepsPerSecond: (outcome.stepsDone - (first ?? 0)) / seconds, refused, alike, curve: outcome.curve,
    ...(manifest.task === 'classify' && !manifest.output.operatingPointNormalisation && { reliability: comparedReliability(both[0]!, both[1]!) }),
  };
  return { manifest, files, card: cardOf(manifest.name, record, outcome), report };
}

async function saliencyCompared(device: Device, base: VerifiedModel, tuned: VerifiedModel, validation: readonly Example[]): Promise<Compared | undefined> {
  const [before, after] = [await saliencyInMasks(device, base, validation), await saliencyInMasks(device, tuned, validation)];
  const pairs = validation.flatMap(({ id, patientId }) => (before.has(id) && after.has(id) ? [{ patient: patientId, before: before.get(id)!, after: after.get(id)! }] : []));
  return pairs.length > 0 ? comparedMeans(pairs) : undefined;
}

/** A checkpoint belongs to a model, a recipe and labelled pictures: another mask of the same picture is another run. */
async function runOf({ identity }: VerifiedModel, recipe: Recipe, { train: fitted, validation }: TrainingData['examples']): Promise<string> {
  const digest = async ({ id, picture, truth, labels, weights }: Example) => [id, ...(await Promise.all([picture, truth, labels, weights].map(async of => (of ? sha256(new Uint8Array(of.buffer, of.byteOffset, of.byteLength)) : ''))))];
  const sides = await Promise.all([fitted, validation].map(side => Promise.all(side.map(digest))));
  return sha256(new TextEncoder().encode(JSON.stringify([identity.sha256, recipe, ...sides])));
}

/** A model on the validation pictures, as it is run at inference. What its gate thinks of them is not asked: they are labelled. */
async function measure(runtime: TfjsRuntime, verified: VerifiedModel, { data, signal, onEvent }: FineTuneJob, validation: readonly Example[], before: number): Promise<EvalReport> {
  const model = await runtime.open(verified, undefined, signal);
  const of = 2 * validation.length;
  onEvent?.({ kind: 'measuring', done: before * validation.length, of });
  try {
    const { report } = await evalItems({
      runner: { manifest: model.manifest, identity: model.identity, run: images => infer(runtime, model, images, { signal }) },
      folder: data, ids: new Set(validation.map(({ id }) => id)), keepWorst: 0,
      onDone: (_, index) => onEvent?.({ kind: 'measuring', done: before * validation.length + index, of }),
    });
    return report;
  } finally {
    model.dispose();
  }
}

function recordOf({ verified: { manifest, identity }, data: { dataset }, recipe }: FineTuneJob, examples: TrainingData['examples'], { step, stepsDone, device }: Trained, metrics: TrainingRecord['metrics']): TrainingRecord {
  return {
    parent: { id: manifest.id, version: manifest.version, sha256: identity.sha256 },
    dataset: { name: dataset.name, licence: dataset.licence, train: sideOf(examples.train), validation: sideOf(examples.validation) },
    recipe: { ...recipe },
    step,
    steps: stepsDone,
    backend: `${device.backend} (${device.adapter})`,
    metrics,
    trainedAt: new Date().toISOString(),
  };
}

function sideOf(of: readonly Example[]): { items: number; patients: number } {
  return { items: of.length, patients: new Set(of.map(({ patientId }) => patientId)).size };
}
