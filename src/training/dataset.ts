import { z } from '../zod.ts';
import { OverreadError } from '../errors.ts';
import type { Image } from '../image/image.ts';

/**
 * A labelled data set: `dataset.json` and the files that it names. Unknown keys are kept out of the way, not refused:
 * sets carry notes of their own (a licence an item, a source).
 */
const relativePath = z
  .string()
  .min(1)
  .refine(path => !/^([/\\]|[A-Za-z]:)/.test(path) && !path.split(/[/\\]/).includes('..'), 'expected a path inside the data set, relative to dataset.json');

const datasetImageSchema = z.object({
  path: relativePath,
  /** As the set's source says it: 'PA', 'AP Supine', 'L'. */
  view: z.string().min(1).optional(),
  /** DICOM Modality ('DX'), or the sequence of an MR ('FLAIR'). */
  modality: z.string().min(1).optional(),
});

const boxSchema = z.object({ label: z.string().min(1), x: z.number(), y: z.number(), w: z.number().positive(), h: z.number().positive() });

const itemSchema = z.object({
  id: z.string().min(1),
  patientId: z.string().min(1),
  /** Where it was taken: a hospital, a scanner. */
  site: z.string().min(1).optional(),
  /** Maker and model of the device. */
  scanner: z.string().min(1).optional(),
  sex: z.string().min(1).optional(),
  /** In years. */
  age: z.number().nonnegative().optional(),
  /** Several images of an item are views or modalities of one subject. */
  images: z.array(datasetImageSchema).min(1),
  /** PNG or NIfTI with the class index of each pixel. */
  mask: relativePath.optional(),
  /** PNG: 0 is background, one number an object. */
  instances: relativePath.optional(),
  /** CSV of `x,y[,class]` in pixels. */
  dots: relativePath.optional(),
  labels: z.record(z.string(), z.number()).optional(),
  /** In pixels. */
  boxes: z.array(boxSchema).optional(),
});

const datasetSchema = z
  .object({
    schemaVersion: z.literal(1),
    name: z.string().min(1),
    licence: z.string().min(1),
    /** Names of the mask's class indices, background first. */
    maskClasses: z.array(z.string().min(1)).min(2).optional(),
    items: z.array(itemSchema).min(1),
  })
  .superRefine(({ items }, context) => {
    const seen = new Map<string, number>();
    items.forEach(({ id }, i) => {
      const first = seen.get(id);
      if (first === undefined) seen.set(id, i);
      else context.addIssue({ code: 'custom', path: ['items', i, 'id'], message: `expected an id of its own, got '${id}' of items.${first} again` });
    });
  });

export type Dataset = z.infer<typeof datasetSchema>;
export type DatasetItem = Dataset['items'][number];
export type DatasetImage = DatasetItem['images'][number];

/** A data set and the files that it names, wherever they lie. */
export interface DatasetFiles {
  readonly dataset: Dataset;
  /** @throws OverreadError `input/*` */
  image(path: string): Promise<Image>;
  /** @throws OverreadError `dataset/invalid` */
  text(path: string): Promise<string>;
}

const SHOWN_PROBLEMS = 5;

/**
 * Checks a `dataset.json`.
 * @param where its address, for the message
 * @throws OverreadError `dataset/invalid`, with the path of the fields that are wrong
 */
export function parseDataset(json: unknown, where: string): Dataset {
  const parsed = datasetSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(i => `${i.path.join('.') || 'the file'}: ${i.message}`);
  const more = problems.length > SHOWN_PROBLEMS ? `; and ${problems.length - SHOWN_PROBLEMS} more` : '';
  throw new OverreadError(
    'dataset/invalid',
    `The data set ${where} does not fit the format: ${problems.slice(0, SHOWN_PROBLEMS).join('; ')}${more}. Mend these fields.`,
    { expected: 'data set, schema version 1', got: problems, where },
  );
}
