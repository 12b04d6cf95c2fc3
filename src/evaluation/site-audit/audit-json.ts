import { z } from '../../zod.ts';
import { OverreadError } from '../../errors.ts';

const bounded = z.object({ value: z.number(), low: z.number().optional(), high: z.number().optional() });
const tested = z.object({ p: z.number(), adjusted: z.number() });
const separation = tested.extend({ mean: bounded, groups: z.array(bounded.extend({ name: z.string() })), pictures: z.number(), features: z.number() });
const group = z.object({ name: z.string(), pictures: z.number(), patients: z.number(), mean: z.array(z.number()), difference: z.array(z.number()), significant: z.array(z.number().int().nonnegative()) });
const factor = z.object({
  name: z.string(), kind: z.enum(['acquisition', 'label']), side: z.number().int().min(2).max(512), groups: z.array(group), remarks: z.array(z.string()),
  pixels: tested.optional(), fromPicture: separation.optional(), fromFeatures: separation.optional(),
}).refine(({ side, groups }) => groups.every(({ mean, difference }) => mean.length === side * side && difference.length === side * side), 'expected pictures of side² values');
const outcome = z.object({ factor: z.string(), group: z.string(), label: z.string(), pictures: z.number(), known: z.number(), positives: z.number(), score: bounded, auc: bounded.optional() });
const side = z.object({ factor: z.string(), groups: z.array(z.string()) });
const association = tested.extend({ rows: side, columns: side, v: bounded, table: z.array(z.array(z.number())) });

/** What is shown of an `audit.json`; whatever else it holds is kept out of the way. */
const auditSchema = z.object({
  overread: z.literal('audit'), source: z.string(), madeAt: z.string(),
  model: z.object({ id: z.string(), version: z.string() }).optional(),
  audit: z.object({ schemaVersion: z.literal(1), pictures: z.number(), patients: z.number(), factors: z.array(factor), outcomes: z.array(outcome), confounding: z.array(association) }),
});

export type ShownAudit = z.infer<typeof auditSchema>;
export type ShownFactor = ShownAudit['audit']['factors'][number];

/**
 * Reads what `overread audit` wrote.
 * @param where its name, for the message
 * @throws OverreadError `config/invalid` with the first field that is wrong
 */
export function readAudit(text: string, where: string): ShownAudit {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new OverreadError('config/invalid', `Expected the audit.json of 'overread audit', but ${where} is no JSON. Choose another file.`, { got: where }, cause);
  }
  const parsed = auditSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [first] = parsed.error.issues;
  throw new OverreadError('config/invalid', `Expected the audit.json of 'overread audit', but ${where} does not fit: ${first!.path.join('.') || 'the file'}: ${first!.message}. Choose another file, or make it again.`, { got: where });
}
