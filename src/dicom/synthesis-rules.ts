import { z } from '../zod.ts';

const words = z.array(z.string().trim().min(1)).min(1);

const synthesisRule = z.strictObject({ imageTypes: words.optional(), descriptions: words.optional(), equipment: words.optional(), synthesised: z.boolean().optional() })
  .refine(({ imageTypes, descriptions, equipment }) => imageTypes ?? descriptions ?? equipment, 'expected at least one of imageTypes, descriptions and equipment: a rule without them would fit every image');

/** A site's rules on what counts as synthesised, as a configuration has them: one `SynthesisRule`, or a list. */
export const synthesisRulesSchema = z.union([synthesisRule, z.array(synthesisRule).min(1)]);
