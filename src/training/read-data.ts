import { OverreadError, toOverreadError } from '../errors.ts';
import type { ModelManifest } from '../manifest.ts';
import { taskOf } from '../tasks/index.ts';
import { isLabelled } from './accepts.ts';
import type { DatasetFiles, DatasetItem } from './dataset.ts';
import { described, imagesOf } from './dataset-images.ts';
import { exampleOf, type Example } from './examples.ts';
import type { Recipe } from './recipe.ts';
import { nearDuplicates, pictureHash, splitByIds, splitByPatient, type Split } from './split.ts';

export interface TrainingData {
  readonly items: Split<DatasetItem>;
  readonly examples: Split<Example>;
  /** Items that the model refuses to read; they are left out. */
  readonly refused: readonly { readonly id: string; readonly code: string; readonly message: string }[];
  /** Pairs across the split that look alike. */
  readonly alike: readonly (readonly [train: string, validation: string])[];
}

/**
 * Reads the labelled items of a data set as the model reads them, split by patient.
 * @param given ids of items or patients of both sides; by the recipe's share and seed when left out
 * @throws OverreadError `dataset/invalid`
 */
export async function readTrainingData(files: DatasetFiles, manifest: ModelManifest, recipe: Recipe, given: { readonly train: readonly string[]; readonly validation: readonly string[] } | undefined): Promise<TrainingData> {
  const { dataset } = files;
  const labelled = dataset.items.filter(item => isLabelled(manifest, item));
  if (labelled.length === 0) throw new OverreadError('dataset/invalid', `Expected items with ${manifest.task === 'segment' ? 'a mask or instances' : `labels of ${manifest.output.targets.map(({ label }) => label).join(', ')}`} in '${dataset.name}', got none of ${dataset.items.length}. Label some.`, { got: 0 });
  const items = given ? splitByIds(labelled, given) : splitByPatient(labelled, recipe.validation.share, recipe.seed);
  const refused: { id: string; code: string; message: string }[] = [];
  const read = async (of: readonly DatasetItem[]): Promise<Example[]> => {
    const examples: Example[] = [];
    for (const item of of) {
      try {
        const [entry] = imagesOf(item, manifest, { ofPixels: manifest.task === 'segment' });
        const image = described(await files.image(entry!.path), entry!, item, manifest);
        taskOf(manifest).accept([image], manifest);
        const truth = {
          mask: item.mask === undefined ? undefined : await files.image(item.mask),
          instances: item.instances === undefined ? undefined : await files.image(item.instances),
        };
        examples.push(exampleOf(item, image, truth, manifest, { maskClasses: dataset.maskClasses, borderWeight: recipe.borderWeight }));
      } catch (error) {
        const { code, message } = toOverreadError(error);
        if (!code.startsWith('input/')) throw error;
        refused.push({ id: item.id, code, message });
      }
    }
    return examples;
  };
  const examples = { train: await read(items.train), validation: await read(items.validation) };
  const hashed = (of: readonly Example[]) => of.map(({ id, picture: values, columns, rows, channels }) => ({ id, hash: pictureHash({ values, columns, rows, channels }) }));
  return { items, examples, refused, alike: nearDuplicates(hashed(examples.train), hashed(examples.validation)) };
}
