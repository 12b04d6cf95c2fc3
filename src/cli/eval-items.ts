import { OverreadError, toOverreadError, type ErrorCode } from '../errors.ts';
import type { Image } from '../image/image.ts';
import { bootstrapMean, type Estimate } from '../metrics/bootstrap.ts';
import type { LabelmapResult } from '../results/result.ts';
import type { DatasetImage, DatasetItem } from '../training/dataset.ts';
import type { DatasetFolder } from './dataset-folder.ts';
import { scoreMask, truthOf, type Scores } from './eval-masks.ts';
import { openFile } from './image-inputs.ts';
import type { ModelRunner } from './model-runner.ts';

/** What `overread eval --json` prints. */
export interface EvalReport {
  readonly model: { readonly id: string; readonly version: string; readonly sha256: string };
  readonly dataset: string;
  /** Items that were scored. */
  readonly n: number;
  readonly metrics: Readonly<Record<string, Estimate>>;
  readonly perItem: readonly ItemReport[];
}

/** The scores of an item, or why it has none. */
export type ItemReport = { readonly id: string; readonly patientId: string; readonly error?: { readonly code: ErrorCode; readonly message: string } } & {
  readonly [metric: string]: unknown;
};

/** A scored item with its pixels, for a picture of it. */
export interface Judged {
  readonly id: string;
  readonly image: Image;
  readonly truth: Uint8Array;
  readonly result: LabelmapResult;
  readonly scores: Scores;
}

export interface EvalItemsOptions {
  readonly runner: ModelRunner;
  readonly folder: DatasetFolder;
  readonly patients?: ReadonlySet<string>;
  readonly ids?: ReadonlySet<string>;
  /** How many of the worst items (by Dice) to hold on to. */
  readonly keepWorst: number;
  readonly onDone?: (id: string, index: number, of: number, said: string) => void;
}

/**
 * Runs the model on the items that carry the truth that its task needs, and scores them.
 * @throws OverreadError `dataset/invalid` when no item does, or a mask does not fit its picture; a fault of the model or
 *   the device ends it too. An item that the model refuses is reported and not counted.
 */
export async function evalItems(options: EvalItemsOptions): Promise<{ report: EvalReport; worst: readonly Judged[] }> {
  const { runner, folder, keepWorst, onDone } = options;
  const items = chosenItems(options);
  const perItem: ItemReport[] = [];
  const scored: { patientId: string; scores: Scores }[] = [];
  let worst: Judged[] = [];
  for (const [i, item] of items.entries()) {
    const { id, patientId } = item;
    try {
      const judged = await judge(item, folder, runner);
      scored.push({ patientId, scores: judged.scores });
      perItem.push({ id, patientId, ...judged.scores });
      worst = [...worst, judged].sort((a, b) => a.scores.dice! - b.scores.dice!).slice(0, keepWorst);
      onDone?.(id, i + 1, items.length, `dice ${judged.scores.dice!.toFixed(4)}`);
    } catch (error) {
      const { code, message } = toOverreadError(error);
      if (!code.startsWith('input/')) throw error;
      perItem.push({ id, patientId, error: { code, message } });
      onDone?.(id, i + 1, items.length, `${code}: ${message}`);
    }
  }
  const { id, version, sha256 } = runner.identity;
  return { report: { model: { id, version, sha256 }, dataset: folder.dataset.name, n: scored.length, metrics: estimates(scored), perItem }, worst };
}

function chosenItems({ folder: { dataset }, patients, ids }: EvalItemsOptions): DatasetItem[] {
  const withTruth = dataset.items.filter(item => item.mask !== undefined);
  const chosen = withTruth.filter(item => (!patients || patients.has(item.patientId)) && (!ids || ids.has(item.id)));
  if (chosen.length) return chosen;
  const why = withTruth.length ? 'none of them is in the given list' : `none of the ${dataset.items.length} has a mask`;
  throw new OverreadError('dataset/invalid', `Expected items with a mask in '${dataset.name}' to measure a segmentation against, got ${why}.`, { expected: 'mask', got: why });
}

async function judge(item: DatasetItem, { dataset, resolve }: DatasetFolder, runner: ModelRunner): Promise<Judged> {
  const [entry, ...others] = item.images;
  if (others.length) throw new OverreadError('input/refused', `Expected one image an item for ${runner.identity.id}, got ${item.images.length} in '${item.id}'.`, { got: item.images.length });
  const image = described(await openFile(resolve(entry!.path)), entry!);
  const where = `${item.mask} of item '${item.id}'`;
  const truth = truthOf(await openFile(resolve(item.mask!)), image, where, dataset.maskClasses);
  const result = await runner.run(image);
  if (result.kind !== 'labelmap') throw new OverreadError('cli/usage', `Expected a model that gives a labelmap, got ${result.kind} from ${runner.identity.id}. eval measures masks only so far.`);
  return { id: item.id, image, truth, result, scores: scoreMask(truth, result, dataset.maskClasses) };
}

/** The image with what the data set knows of it, where the file itself does not say. */
function described(image: Image, { view, modality }: DatasetImage): Image {
  return {
    ...image,
    modality: image.modality === 'OT' && modality !== undefined ? modality : image.modality,
    attributes: { ...image.attributes, viewPosition: image.attributes.viewPosition ?? view },
  };
}

function estimates(scored: readonly { patientId: string; scores: Scores }[]): Record<string, Estimate> {
  const [first] = scored;
  if (!first) return {};
  const patients = scored.map(s => s.patientId);
  return Object.fromEntries(Object.keys(first.scores).map(name => [name, bootstrapMean(scored.map(s => s.scores[name]!), patients)]));
}
