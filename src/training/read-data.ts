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
  const items = given ? splitByIds(labelled, given) : splitFor(labelled, manifest, recipe);
  checkMeasurable(items, manifest);
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

/** Splits that are tried to have every finding on both sides. */
const TRIED = 64;

/** By the recipe's seed; of scores the first split from there on that holds back the most findings with patients of both kinds. */
function splitFor(items: readonly DatasetItem[], manifest: ModelManifest, { validation: { share }, seed }: Recipe): Split<DatasetItem> {
  const first = splitByPatient(items, share, seed);
  if (manifest.task === 'segment') return first;
  const measurable = ({ train, validation }: Split<DatasetItem>) => manifest.output.targets.filter(({ label }) => hasBoth(train, label) && hasBoth(validation, label)).length;
  let [best, most] = [first, measurable(first)];
  for (let i = 1; i < TRIED && most < manifest.output.targets.length; i++) {
    const split = splitByPatient(items, share, seed + i);
    const findings = measurable(split);
    if (findings > most) [best, most] = [split, findings];
  }
  return best;
}

function hasBoth(items: readonly DatasetItem[], label: string): boolean {
  return [0, 1].every(value => items.some(({ labels }) => labels?.[label] === value));
}

/** @throws OverreadError `dataset/invalid` where no area under a curve could be taken of what is held back */
function checkMeasurable({ train, validation }: Split<DatasetItem>, { task, output: { targets } }: ModelManifest): void {
  if (task === 'segment' || targets.some(({ label }) => hasBoth(validation, label))) return;
  // Of one class altogether the trainer says more.
  if (!targets.some(({ label }) => hasBoth([...train, ...validation], label))) return;
  throw new OverreadError('dataset/invalid', `Expected held-back patients with and without one of ${targets.map(({ label }) => label).join(', ')}, got of each the one or the other only (${validation.length} items): nothing could be measured, and no step chosen. Collect more patients of both kinds.`, { got: validation.length });
}
