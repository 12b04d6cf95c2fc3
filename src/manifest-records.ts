import { z } from './zod.ts';

/** What a manifest says of where its model came from; see `manifest.ts`. */
export const SHA256 = z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 lower-case hexadecimal digits of a SHA-256');
export const modelId = z.string().regex(/^[a-z0-9][a-z0-9-]*$/, 'expected lower-case letters, digits and hyphens');

const measured = z.strictObject({ value: z.number(), low: z.number().optional(), high: z.number().optional() });

/** Of a model that Overread trained: from what, on what, how, and how well it does; no patient, no file. */
export const trainingRecord = z.strictObject({
  parent: z.strictObject({ id: modelId, version: z.string(), sha256: SHA256 }),
  dataset: z.strictObject({
    name: z.string().min(1),
    licence: z.string().min(1),
    train: z.strictObject({ items: z.number().int(), patients: z.number().int() }),
    validation: z.strictObject({ items: z.number().int(), patients: z.number().int() }),
  }),
  /** As `src/training/recipe.ts` reads it. */
  recipe: z.record(z.string(), z.unknown()),
  /** Of the weights that were kept, of all. */
  step: z.number().int(),
  steps: z.number().int(),
  backend: z.string().min(1),
  /** On the validation patients, with 95 % intervals over them: of this model, and against its parent on the same ones. */
  metrics: z.record(z.string(), z.strictObject({ base: measured, tuned: measured, difference: measured })),
  trainedAt: z.string().min(1),
});
export type TrainingRecord = z.infer<typeof trainingRecord>;

/** Of a model whose operating points were chosen anew on a site's own labelled pictures: nothing was trained. */
export const recalibrationRecord = z.strictObject({
  parent: z.strictObject({ id: modelId, version: z.string(), sha256: SHA256 }),
  dataset: z.strictObject({ name: z.string().min(1), licence: z.string().min(1), items: z.number().int(), patients: z.number().int() }),
  /** By label; what was reached is of the patients that the point was chosen on. */
  points: z.record(z.string(), z.strictObject({
    by: z.enum(['sensitivity', 'specificity', 'ppv']),
    least: z.number(),
    value: z.number(),
    before: z.number().optional(),
    positives: z.number().int(),
    negatives: z.number().int(),
    sensitivity: measured,
    specificity: measured,
    ppv: measured.optional(),
  })),
  at: z.string().min(1),
});
export type RecalibrationRecord = z.infer<typeof recalibrationRecord>;
