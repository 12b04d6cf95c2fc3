import { isInstanceReference } from '../image/image.ts';
import { sourcesOf, type LabelmapResult, type Segment } from '../results/result.ts';
import { codeItem, container, imageItem, numberItem, textItem, uidItem, type Content } from './content.ts';
import { referencedImage, sourceOf, sourcesIn, type ExportContext } from './derived.ts';
import type { DicomObject } from './part10.ts';
import { gateVerdict } from './report-scores.ts';
import { groupName, segmentPlace } from './report-places.ts';
import { algorithm, closing, Concept, measurementReport, Own, Unit } from './report.ts';

/**
 * What the segments of a mask measure, as a structured report (TID 1500): area or volume and pixels, with the segment that
 * they were measured on, and how many objects there are where the model tells them apart.
 * @param segmentation as `segmentation` gave it for the same result
 * @throws OverreadError as `sourceOf`
 */
export function segmentsReport(result: LabelmapResult, segmentation: DicomObject, context: ExportContext): DicomObject {
  const { segments, model, outOfDistribution, modalities } = result;
  const references = sourcesOf(result).filter(isInstanceReference);
  sourcesIn(references, context);
  const sources = references.map(reference => sourceOf(reference, context));
  return measurementReport({
    made: result, context, sources,
    spatial: false,
    others: [segmentation],
    description: `${model.name} ${model.version}: measurements`,
    groups: segments.map((segment, index) => segmentGroup(segment, index, result, segmentation, context)),
    evaluations: [
      ...(modalities ? [textItem('CONTAINS', Own.remark, `MR modalities read: ${modalities.used.map(({ modality }) => modality).join(', ')}; missing: ${modalities.missing.join(', ') || 'none'}`)] : []),
      ...gateVerdict(outOfDistribution),
      ...closing(result, context),
    ],
  });
}

function segmentGroup({ target, segmentNumber, pixels, areaMm2, volumeMm3, threshold }: Segment, index: number, result: LabelmapResult, segmentation: DicomObject, context: ExportContext): Content {
  const how = algorithm(result, context, { threshold, editedAt: result.editedAt });
  const item = (segmentation.SegmentSequence as readonly DicomObject[]).find(({ SegmentNumber }) => SegmentNumber === segmentNumber)!;
  const reference = { ReferencedSOPClassUID: segmentation.SOPClassUID, ReferencedSOPInstanceUID: segmentation.SOPInstanceUID, ReferencedSegmentNumber: segmentNumber };
  const { instances } = result;
  const place = segmentPlace(result, segmentNumber, [index, result.segments.length], context);
  return container('CONTAINS', Concept.group, [
    textItem('HAS OBS CONTEXT', Concept.trackingId, item.TrackingID as string),
    uidItem('HAS OBS CONTEXT', Concept.trackingUid, item.TrackingUID as string),
    codeItem('CONTAINS', Concept.finding, target.concept),
    groupName(target.label),
    imageItem('CONTAINS', Concept.referencedSegment, reference),
    ...result.source.sources.map(source => imageItem('CONTAINS', Concept.sourceForSegmentation, referencedImage(sourceOf(source, context)))),
    ...(areaMm2 === undefined ? [] : [numberItem(Concept.area, areaMm2, Unit.mm2, [...how, ...place])]),
    ...(volumeMm3 === undefined ? [] : [numberItem(Concept.volume, volumeMm3, Unit.mm3, [...how, ...(areaMm2 === undefined ? place : [])])]),
    numberItem(Own.pixels, pixels, Unit.none, [...how, ...(areaMm2 === undefined && volumeMm3 === undefined ? place : [])]),
    ...(instances && segmentNumber === 1 ? [numberItem(Concept.count, instances.count, Unit.none, how)] : []),
  ], '1411');
}
