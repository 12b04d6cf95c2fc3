import { OverreadError, toOverreadError } from '../errors.ts';
import { isInstanceReference, type Image } from '../image/image.ts';
import type { ModelManifest } from '../manifest.ts';
import { taskOf } from '../tasks/index.ts';
import { referenceFirst } from '../tasks/modalities.ts';
import type { DatasetImage, DatasetItem } from '../training/dataset.ts';
import type { DatasetFolder } from './dataset-folder.ts';
import { countYardstick } from './eval-counts.ts';
import { maskYardstick, type Judged } from './eval-masks.ts';
import type { EvalReport, ItemReport, Yardstick } from './eval-report.ts';
import { scoreYardstick } from './eval-scores.ts';
import { openFile } from './image-inputs.ts';
import type { ModelRunner } from './model-runner.ts';

export interface EvalItemsOptions {
  readonly runner: ModelRunner;
  readonly folder: DatasetFolder;
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
      for (const entry of imagesOf(item, runner.manifest, yardstick)) images.push(described(await openFile(folder.resolve(entry.path)), entry, item, runner.manifest));
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

/** Of several views of a labelled subject those that the model reads; a mask belongs to an only image. */
export function imagesOf({ id, images }: DatasetItem, { id: model, input }: ModelManifest, { ofPixels }: Pick<Yardstick, 'ofPixels'>): readonly DatasetImage[] {
  if (input.fusion) return images;
  const { modalities } = input;
  if (modalities) return seriesOf(id, images, model, modalities);
  const read = input.viewPosition?.map(view => view.toUpperCase());
  const fitting = images.length > 1 && !ofPixels ? images.filter(({ view }) => view !== undefined && read?.includes(view.toUpperCase())) : images;
  if (fitting.length === 1) return fitting;
  throw new OverreadError('input/refused', `Expected one image that ${model} reads in '${id}', got ${images.length} images, ${fitting.length} of which would do.`, { got: images.length });
}

/** Of a subject's MR series those that the model reads; the data set says which each is. */
function seriesOf(id: string, images: readonly DatasetImage[], model: string, modalities: readonly string[]): readonly DatasetImage[] {
  const read = images.filter(({ modality }) => modality !== undefined && modalities.includes(modality));
  if (read.length > 0) return read;
  throw new OverreadError('input/refused', `Expected at least one of ${modalities.join(', ')} for ${model} in '${id}', got none of them. Say images[].modality in the data set.`, { expected: modalities });
}

/** The image with what the data set knows of it, where the file itself does not say. */
export function described(image: Image, { view, modality }: DatasetImage, { id, patientId }: DatasetItem, { input: { modalities } }: ModelManifest): Image {
  const { attributes } = image;
  const mrModality = modalities?.find(name => name === modality);
  return {
    ...image,
    sources: image.sources.map(source => (isInstanceReference(source) ? source : { ...source, study: id })),
    modality: image.modality !== 'OT' || modality === undefined ? image.modality : mrModality ? 'MR' : modality,
    attributes: { ...attributes, patientID: attributes.patientID ?? patientId, viewPosition: attributes.viewPosition ?? view, ...(mrModality && { mrModality }) },
  };
}
