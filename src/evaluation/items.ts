import { OverreadError, toOverreadError } from '../errors.ts';
import type { Image } from '../image/image.ts';
import type { ModelManifest } from '../manifest.ts';
import type { ModelIdentity, Result } from '../results/result.ts';
import { taskOf } from '../tasks/index.ts';
import { referenceFirst } from '../tasks/modalities.ts';
import type { DatasetFiles, DatasetItem } from '../training/dataset.ts';
import { described, imagesOf } from '../training/dataset-images.ts';
import { countYardstick } from './counts.ts';
import { maskYardstick, type Judged } from './masks.ts';
import type { EvalReport, ItemReport, Yardstick } from './report.ts';
import { scoreYardstick } from './scores.ts';

/** What is measured: a model that stands ready on a device. */
export interface MeasuredModel {
  readonly manifest: ModelManifest;
  readonly identity: ModelIdentity;
  /** @param images one, or the views of one study */
  run(images: readonly Image[]): Promise<Result>;
}

export interface EvalItemsOptions {
  readonly runner: MeasuredModel;
  readonly folder: DatasetFiles;
  readonly patients?: ReadonlySet<string>;
  readonly ids?: ReadonlySet<string>;
  /** How many of the worst masks (by Dice) to hold on to. */
  readonly keepWorst: number;
  /** Of counts: within how many pixels a marker is a cell's, in place of half a median diameter. */
  readonly matchRadius?: number;
  readonly onDone?: (id: string, index: number, of: number, said: string) => void;
}

/**
 * Runs the model on the items that carry the truth that its task needs, and measures what it gives.
 * @throws OverreadError `dataset/invalid` when no item does, or a truth does not fit its picture; a fault of the model
 *   or the device ends it too. An item that the model refuses is reported and not counted.
 */
export async function evalItems(options: EvalItemsOptions): Promise<{ report: EvalReport; worst: readonly Judged[] }> {
  const { runner, folder, onDone } = options;
  const worst: Judged[] = [];
  const yardstick = yardstickFor(options, worst);
  const items = chosenItems(options, yardstick);
  const perItem: ItemReport[] = [];
  for (const [i, item] of items.entries()) {
    const { id, patientId } = item;
    try {
      const images: Image[] = [];
      for (const entry of imagesOf(item, runner.manifest, yardstick)) images.push(described(await folder.image(entry.path), entry, item, runner.manifest));
      // The result lies on the first image's grid, and so does the truth.
      const read = runner.manifest.input.modalities ? referenceFirst(images) : images;
      const { report, said } = await yardstick.judge(item, read[0]!, () => runner.run(read));
      perItem.push({ id, patientId, ...report });
      onDone?.(id, i + 1, items.length, said);
    } catch (error) {
      const { code, message } = toOverreadError(error);
      if (!code.startsWith('input/')) throw error;
      perItem.push({ id, patientId, error: { code, message } });
      onDone?.(id, i + 1, items.length, `${code}: ${message}`);
    }
  }
  const { id, version, sha256 } = runner.identity;
  const n = perItem.filter(item => !item.error).length;
  return { report: { model: { id, version, sha256 }, dataset: folder.dataset.name, n, ...yardstick.summary(), perItem }, worst };
}

function yardstickFor({ runner: { manifest }, folder, keepWorst, matchRadius }: EvalItemsOptions, worst: Judged[]): Yardstick {
  const { kind } = taskOf(manifest);
  if (kind === 'labelmap') return maskYardstick(folder, keepWorst, worst);
  if (kind === 'points') {
    if (keepWorst > 0) throw new OverreadError('cli/usage', `Expected --worst with a model that gives masks, got points from ${manifest.id}. Leave --worst and --out away.`);
    return countYardstick(folder, manifest.output.targets.map(({ label }) => label), matchRadius);
  }
  if (kind !== 'scores') throw new OverreadError('cli/usage', `Expected a model that gives a labelmap, points or scores, got ${kind} from ${manifest.id}. eval measures no others.`);
  if (keepWorst > 0) throw new OverreadError('cli/usage', `Expected --worst with a model that gives masks, got scores from ${manifest.id}. Leave --worst and --out away.`);
  return scoreYardstick(manifest);
}

function chosenItems({ folder: { dataset }, patients, ids }: EvalItemsOptions, { wants, has }: Yardstick): DatasetItem[] {
  const withTruth = dataset.items.filter(has);
  const chosen = withTruth.filter(item => (!patients || patients.has(item.patientId)) && (!ids || ids.has(item.id)));
  if (chosen.length) return chosen;
  const why = withTruth.length ? 'none of them is in the given list' : `none of the ${dataset.items.length} has ${wants}`;
  throw new OverreadError('dataset/invalid', `Expected items to measure the model against in '${dataset.name}', got ${why}. Choose another data set or list.`, { expected: wants, got: why });
}
