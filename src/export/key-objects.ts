import { isInstanceReference } from '../image/image.ts';
import { sourcesOf, type Result } from '../results/result.ts';
import { codeItem, container, imageItem, textItem } from './content.ts';
import { DerivedClass, derivedModules, provenance, referencedImage, sourceOf, sourcesIn, type ExportContext } from './derived.ts';
import type { DicomObject } from './part10.ts';
import { evidence } from './report.ts';

/**
 * Key Object Selection (TID 2010) of the images behind a result, so that a reader without a viewer of ours finds them.
 * @throws OverreadError as `sourceOf`
 */
export function keyObjects(result: Result, context: ExportContext): DicomObject {
  const references = sourcesOf(result).filter(isInstanceReference);
  const instances = sourcesIn(references, context);
  const { RelationshipType: _, ...root } = container('CONTAINS', ['113000', 'DCM', 'Of Interest'], [
    codeItem('HAS OBS CONTEXT', ['121005', 'DCM', 'Observer Type'], ['121007', 'DCM', 'Device']),
    textItem('HAS OBS CONTEXT', ['121013', 'DCM', 'Device Observer Name'], result.model.name),
    textItem('CONTAINS', ['113012', 'DCM', 'Key Object Description'], provenance(result)),
    ...references.map(reference => imageItem('CONTAINS', undefined, referencedImage(sourceOf(reference, context)))),
  ], '2010');
  return {
    ...derivedModules(result, instances, { sopClassUID: DerivedClass.keyObjectSelection, modality: 'KO', description: `${result.model.name} ${result.model.version}: images`, seriesNumber: 9500 }),
    ReferencedPerformedProcedureStepSequence: [],
    CurrentRequestedProcedureEvidenceSequence: [evidence(instances, [])],
    ...root,
  };
}
