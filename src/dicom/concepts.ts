import { z } from '../zod.ts';

/** A coded concept (PS3.3 8.8): `{ codeValue: '39607008', codingSchemeDesignator: 'SCT', codeMeaning: 'Lung' }`. */
export const codedConceptSchema = z.strictObject({
  codeValue: z.string().min(1),
  codingSchemeDesignator: z.string().min(1),
  codeMeaning: z.string().min(1),
});

export type CodedConcept = z.infer<typeof codedConceptSchema>;
