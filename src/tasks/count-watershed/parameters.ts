import { z } from '../../zod.ts';
import { OverreadError } from '../../errors.ts';

/** What of a picture is looked at. */
export const WATERSHED_CHANNELS = ['auto', 'brightness', 'darkness', 'red', 'green', 'blue', 'hematoxylin-eosin', 'eosin', 'hematoxylin-dab', 'dab'] as const;

/** The knobs of the classic count, with their defaults; lengths in pixels. */
export const watershedSchema = z.strictObject({
  /**
   * brightness, red, green and blue: cells are bright. darkness: cells are dark. hematoxylin-eosin and hematoxylin-dab: hematoxylin
   * of sections with that other stain; eosin and dab the other one. auto: hematoxylin-eosin of a picture in colour on a
   * bright ground, else brightness or darkness, whichever the ground is not.
   */
  channel: z.enum(WATERSHED_CHANNELS).default('auto'),
  /** Standard deviation of the Gaussian that the channel is smoothed with. */
  smoothing: z.number().min(0).max(100).default(1),
  /** Otsu's, or a value in the channel's own scale: 0..1 of the range that the picture can hold, or a stain's optical density. */
  threshold: z.union([z.literal('otsu'), z.number()]).default('otsu'),
  /** Two cells that touch have their middles at least so far apart. */
  minimumDistance: z.number().min(1).max(1000).default(5),
  /** Standard deviation of the Gaussian that the distances to the background are smoothed with: a rough outline has several summits. */
  distanceSmoothing: z.number().min(0).max(100).default(1),
  /** Sizes of what counts as a cell, in pixels. */
  minimumArea: z.number().min(0).default(20),
  maximumArea: z.number().positive().default(Number.MAX_SAFE_INTEGER),
}).refine(({ minimumArea, maximumArea }) => minimumArea <= maximumArea, { path: ['maximumArea'], message: 'expected at least minimumArea' });
export type WatershedParameters = z.infer<typeof watershedSchema>;

/** @throws OverreadError `config/invalid`, naming every knob that is wrong */
export function watershedParameters(given: unknown): WatershedParameters {
  const parsed = watershedSchema.safeParse(given ?? {});
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(issue => `${issue.path.join('.') || 'parameters'}: ${issue.message}`);
  throw new OverreadError('config/invalid', `Expected the parameters of a classic count, got others: ${problems.join('; ')}.`, { expected: Object.keys(watershedSchema.shape), got: problems });
}
