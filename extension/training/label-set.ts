import { OverreadError } from '../../src/errors.ts';
import type { Image } from '../../src/image/image.ts';
import type { ModelManifest } from '../../src/manifest.ts';
import type { Dataset, DatasetItem } from '../../src/training/dataset.ts';
import type { LabelItem, LabelSummary } from './label-item.ts';

/** What a training set is called in the record of the model that learns from it. */
export const SET_NAME = 'labels collected in the viewer';
const LICENCE = 'not stated';

/** Whether a labelled picture says something that the model can learn. */
export function teaches({ task, output: { targets }, input }: ModelManifest, { classes, findings = {}, modality }: LabelSummary): boolean {
  if (!input.modality.includes(modality)) return false;
  return task === 'segment' ? classes !== undefined : targets.some(({ label }) => findings[label] !== undefined);
}

/**
 * Labelled pictures as a data set of the format of `dataset.json`, with the files that it names.
 * @throws OverreadError `dataset/invalid` for a class of a mask that the model has no target for
 */
export function labelSet(items: readonly LabelItem[], manifest: ModelManifest): { readonly dataset: Dataset; readonly images: ReadonlyMap<string, Image> } {
  const images = new Map<string, Image>();
  const edge = manifest.output.instances?.edge;
  const targets = manifest.output.targets.map(({ label }) => label).filter(label => label !== edge);
  const file = (path: string, image: Image) => (images.set(path, image), path);
  const listed = items.map(({ summary, pixels }): DatasetItem => {
    const { id, patient, findings } = summary;
    const { image, mask, objects } = pixels;
    const plane = (values: ArrayLike<number>): Image => ({ ...image, channels: 1, pixels: Float32Array.from(values), representableRange: [0, 255] });
    return {
      id, patientId: patient, images: [{ path: file(`images/${id}`, image) }],
      ...(mask && { mask: file(`masks/${id}`, plane(manifest.task === 'segment' ? byTarget(objects && targets.length === 1 ? objects : mask, summary, targets, manifest.name) : mask)) }),
      ...(objects && { instances: file(`objects/${id}`, plane(objects)) }),
      ...(findings && { labels: { ...findings } }),
    };
  });
  return { dataset: { schemaVersion: 1, name: SET_NAME, licence: LICENCE, items: listed, ...(manifest.task === 'segment' && { maskClasses: ['Background', ...targets] }) }, images };
}

/** A mask by the numbers of the model's targets. A mask of one class is the only target's, whatever it is called. */
function byTarget(mask: Uint8Array | Int32Array, { classes = [], collectedAt, objects }: LabelSummary, targets: readonly string[], model: string): Uint8Array {
  const [, ...names] = classes;
  if (targets.length === 1 && (objects || names.length <= 1)) return Uint8Array.from(mask, label => Number(label > 0));
  const numbers = [0, ...names.map(name => targets.findIndex(target => target.toLowerCase() === name.toLowerCase()) + 1)];
  const stranger = mask.find(label => label > 0 && !numbers[label]);
  if (stranger !== undefined) {
    throw new OverreadError('dataset/invalid', `Expected masks of ${targets.join(', ')} to train ${model}, got '${classes[stranger] ?? `class ${stranger}`}' in the label of ${collectedAt}. Name its segment after the model's and add it again, or remove it.`, { expected: targets, got: classes[stranger] });
  }
  return Uint8Array.from(mask, label => numbers[label]!);
}
