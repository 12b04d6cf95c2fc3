import { isInstanceReference } from '../image/image.ts';
import type { PointsResult } from '../results/points.ts';
import { algorithmItem, conceptItem, DerivedClass, derivedModules, lo, referencedSeries, sourceOf, sourcesIn, type ExportContext } from './derived.ts';
import { code } from './identity.ts';
import { littleEndianFloats } from './parametric-map.ts';
import type { DicomObject } from './part10.ts';
import { markersOf } from './report-counts.ts';
import { freshUid } from './uid.ts';

const CATEGORY = { codeValue: '4421005', codingSchemeDesignator: 'SCT', codeMeaning: 'Cell structure' };

/**
 * Markers as Microscopy Bulk Simple Annotations (PS3.3 A.87), a group for each class, with each marker's confidence.
 * Coordinates are of the total pixel matrix that was read, the first pixel's centre at (0.5, 0.5).
 * @throws OverreadError as `sourceOf`
 */
export function bulkAnnotations(result: PointsResult, context: ExportContext): DicomObject {
  const { classes, source, model, editedAt } = result;
  const sources = sourcesIn(source.sources, context);
  const [reference] = source.sources.filter(isInstanceReference);
  const { sopClassUID, sopInstanceUID } = sourceOf(reference!, context);
  const groups = classes.flatMap((counted, index) => {
    const points = markersOf(result, index);
    if (points.length === 0) return [];
    const confidences = result.confidences.filter((_, i) => result.classOf[i] === index);
    return [{ counted, points, confidences }];
  });
  return {
    ...derivedModules(result, sources, { sopClassUID: DerivedClass.bulkAnnotations, modality: 'ANN', description: `${model.name} ${model.version}: markers`, seriesNumber: 9400 }),
    ContentLabel: 'OVERREAD',
    ContentDescription: lo(model.notice),
    ContentCreatorName: context.user ?? '',
    ContentQualification: 'RESEARCH',
    Laterality: '',
    AnnotationCoordinateType: '2D',
    PixelOriginInterpretation: 'VOLUME',
    ReferencedImageSequence: [{ ReferencedSOPClassUID: sopClassUID, ReferencedSOPInstanceUID: sopInstanceUID }],
    ...referencedSeries(sources),
    AnnotationGroupSequence: groups.map(({ counted: { target }, points, confidences }, i) => ({
      AnnotationGroupNumber: i + 1,
      AnnotationGroupUID: freshUid(),
      AnnotationGroupLabel: lo(target.label),
      AnnotationGroupGenerationType: editedAt === undefined ? 'AUTOMATIC' : 'SEMIAUTOMATIC',
      AnnotationGroupAlgorithmIdentificationSequence: [algorithmItem(result, context, { editedAt })],
      AnnotationPropertyCategoryCodeSequence: [conceptItem(target.category ?? CATEGORY)],
      AnnotationPropertyTypeCodeSequence: [conceptItem(target.concept)],
      NumberOfAnnotations: points.length / 2,
      AnnotationAppliesToAllOpticalPaths: 'YES',
      GraphicType: 'POINT',
      PointCoordinatesData: littleEndianFloats(Float32Array.from(points, v => v + 0.5)),
      MeasurementsSequence: [{
        ConceptNameCodeSequence: [code('111012', 'DCM', 'Certainty of Finding')],
        MeasurementUnitsCodeSequence: [code('%', 'UCUM', 'Percent')],
        MeasurementValuesSequence: [{ FloatingPointValues: littleEndianFloats(confidences.map(v => 100 * v)) }],
      }],
    })),
  };
}
