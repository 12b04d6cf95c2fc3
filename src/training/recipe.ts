import { z } from '../zod.ts';
import { OverreadError } from '../errors.ts';

const share = z.number().min(0).max(1);
const positive = z.number().positive();
const count = z.number().int().positive();

const augmentation = z.strictObject({
  /** Mirrored left to right, and upside down, half of the time each. */
  flip: z.enum(['none', 'horizontal', 'both']).default('none'),
  /** By a multiple of 90°, each as likely. */
  quarterTurns: z.boolean().default(false),
  /** At most so far either way. */
  rotateDegrees: z.number().min(0).max(180).default(0),
  /** 0.2: from 1/1.2 to 1.2 times as large. */
  scale: z.number().min(0).max(4).default(0),
  /** At most this share of the patch along each side. */
  shift: share.default(0),
  /** Elastic (Simard 2003): standard deviation of the displacement of grid points that stand `gridPixels` apart, pixels. */
  elastic: z.strictObject({ pixels: z.number().min(0), gridPixels: positive.default(32) }).optional(),
  /** In parts of the model's value range. */
  intensity: z.strictObject({ gain: share.default(0), offset: share.default(0), noise: share.default(0) }).optional(),
  /** Of red, green and blue: haematoxylin, eosin and the rest (Ruifrok 2001) each times 1 ± and plus ± so much (Tellez 2018). */
  stain: share.optional(),
});
export type Augmentation = z.infer<typeof augmentation>;

const loss = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('cross-entropy') }),
  z.strictObject({ kind: z.literal('dice') }),
  z.strictObject({ kind: z.literal('dice-cross-entropy'), diceShare: positive.default(1) }),
  z.strictObject({ kind: z.literal('focal'), gamma: z.number().min(1).default(2) }),
]);
export type LossRecipe = z.infer<typeof loss>;

const optimiser = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('sgd'), momentum: z.number().min(0).lt(1).default(0.9), weightDecay: z.number().min(0).default(0) }),
  z.strictObject({ kind: z.literal('adam'), weightDecay: z.number().min(0).default(0) }),
  z.strictObject({ kind: z.literal('adamw'), weightDecay: z.number().min(0).default(0.01) }),
]);
export type OptimiserRecipe = z.infer<typeof optimiser>;

const schedule = z.strictObject({
  kind: z.enum(['constant', 'cosine', 'plateau']).default('constant'),
  /** The rate rises to its full height over the first steps. */
  warmUpSteps: z.number().int().min(0).default(0),
  /** Plateau: after so many validations without a better one the rate is multiplied by `factor`. */
  patience: count.default(3),
  factor: z.number().gt(0).lt(1).default(0.5),
});
export type ScheduleRecipe = z.infer<typeof schedule>;

/** What is trained and how: `overread train --recipe FILE`, and the panel. */
const recipeSchema = z.strictObject({
  schemaVersion: z.literal(1),
  layers: z.enum(['head', 'last-block', 'all']).default('all'),
  norms: z.enum(['frozen', 'scale', 'trained']).default('frozen'),
  loss,
  /** Of masks with instances: U-Net's weights of the borders between objects, added to the loss so high. */
  borderWeight: positive.optional(),
  /**
   * Of classifiers: right for the right reasons. Its loss is added, times `weight`. By masks of pictures that have one, or
   * (reversal) by the sites of the items, which the representation must not tell apart.
   */
  guidance: z.strictObject({ kind: z.enum(['rrr', 'gradmask', 'activdiff', 'reversal']), weight: positive }).optional(),
  optimiser,
  rate: positive,
  schedule: schedule.default({ kind: 'constant', warmUpSteps: 0, patience: 3, factor: 0.5 }),
  steps: count,
  /** Patches or pictures of a step. */
  batch: count,
  /** Of a step, so many batches' derivatives are added before the weights change. */
  accumulate: count.default(1),
  /** Derivatives are shortened to at most this length. */
  clipNorm: positive.optional(),
  /** [rows, columns] of the patches that a model which reads in tiles is shown; its own input size when left out. */
  patch: z.tuple([count, count]).optional(),
  sampler: z.enum(['uniform', 'balanced', 'cased']).default('uniform'),
  augmentation: augmentation.default({ flip: 'none', quarterTurns: false, rotateDegrees: 0, scale: 0, shift: 0 }),
  validation: z.strictObject({
    /** Share of the patients, where no split is given. */
    share: z.number().gt(0).lt(1).default(0.25),
    /** After so many steps. */
    every: count.default(50),
    /** Training ends after so many validations without a better one. */
    patience: count.optional(),
  }).default({ share: 0.25, every: 50 }),
  /** A checkpoint is written after so many steps. */
  checkpointEvery: count.default(50),
  seed: z.number().int().min(0).default(1),
  /** What a step may take on the device; a batch that takes more is computed in parts. */
  memoryMiB: positive.default(2048),
});
export type Recipe = z.infer<typeof recipeSchema>;

/**
 * Checks a recipe.
 * @param where its address, for the message
 * @throws OverreadError `config/invalid`, with the path of the fields that are wrong
 */
export function parseRecipe(json: unknown, where: string): Recipe {
  const parsed = recipeSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(issue => `${issue.path.join('.') || 'the file'}: ${issue.message}`);
  throw new OverreadError('config/invalid', `The recipe ${where} does not fit the schema: ${problems.join('; ')}. Mend these fields.`, { expected: 'recipe, schema version 1', got: problems, where });
}
