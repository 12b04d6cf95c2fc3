import { algorithmItem, derivedModules, DerivedClass, lo, localTime, parametersOf, PRIVATE_SCHEME, referencedImage, referencedSeries, type ExportContext, type Made } from './derived.ts';
import { codeItem, container, imageItem, personItem, textItem, uidItem, type Code, type Content } from './content.ts';
import type { DicomObject } from './part10.ts';
import type { SourceInstance } from './source.ts';
import { seededUid } from './uid.ts';

/** Concepts of a measurement report that DICOM defines. */
export const Concept = {
  report: ['126000', 'DCM', 'Imaging Measurement Report'],
  measurements: ['126010', 'DCM', 'Imaging Measurements'],
  group: ['125007', 'DCM', 'Measurement Group'],
  evaluations: ['C0034375', 'UMLS', 'Qualitative Evaluations'],
  trackingId: ['112039', 'DCM', 'Tracking Identifier'],
  trackingUid: ['112040', 'DCM', 'Tracking Unique Identifier'],
  finding: ['121071', 'DCM', 'Finding'],
  findingCategory: ['276214006', 'SCT', 'Finding category'],
  algorithmName: ['111001', 'DCM', 'Algorithm Name'],
  algorithmParameters: ['111002', 'DCM', 'Algorithm Parameters'],
  algorithmVersion: ['111003', 'DCM', 'Algorithm Version'],
  certainty: ['111012', 'DCM', 'Certainty of Finding'],
  count: ['C25463', 'NCIt', 'Count'],
  area: ['42798000', 'SCT', 'Area'],
  volume: ['118565006', 'SCT', 'Volume'],
  referencedSegment: ['121191', 'DCM', 'Referenced Segment'],
  sourceForSegmentation: ['121233', 'DCM', 'Source image for segmentation'],
  yes: ['373066001', 'SCT', 'Yes'],
  no: ['373067005', 'SCT', 'No'],
  comment: ['121106', 'DCM', 'Comment'],
} as const satisfies Readonly<Record<string, Code>>;

/** Ours, where DICOM, SNOMED CT and NCIt have none that says it. */
export const Own = {
  logit: ['logit', PRIVATE_SCHEME, 'Output of the network before calibration'],
  operatingPoint: ['operating-point', PRIVATE_SCHEME, 'Operating point'],
  atOrAbove: ['at-or-above', PRIVATE_SCHEME, 'At or above the operating point'],
  viewsUsed: ['views-used', PRIVATE_SCHEME, 'Views used'],
  viewsMissing: ['views-missing', PRIVATE_SCHEME, 'Views missing'],
  substitute: ['substitute', PRIVATE_SCHEME, 'In place of a missing view'],
  byPa: ['certainty-PA', PRIVATE_SCHEME, 'Certainty of finding by the PA view alone'],
  byLateral: ['certainty-L', PRIVATE_SCHEME, 'Certainty of finding by the lateral view alone'],
  byBoth: ['certainty-fused', PRIVATE_SCHEME, 'Certainty of finding by all views together'],
  gate: ['out-of-distribution', PRIVATE_SCHEME, 'Refused by the gate of the model'],
  gateScore: ['gate-score', PRIVATE_SCHEME, 'Score of the gate of the model'],
  gateThreshold: ['gate-threshold', PRIVATE_SCHEME, 'Threshold of the gate of the model'],
  gateReason: ['gate-reason', PRIVATE_SCHEME, 'Reason of the gate of the model'],
  notice: ['notice', PRIVATE_SCHEME, 'Notice'],
  markers: ['markers', PRIVATE_SCHEME, 'Number of markers'],
  intervalLow: ['interval-low', PRIVATE_SCHEME, 'Lower limit of the prediction interval'],
  intervalHigh: ['interval-high', PRIVATE_SCHEME, 'Upper limit of the prediction interval'],
  intervalLevel: ['interval-level', PRIVATE_SCHEME, 'Coverage of the prediction interval'],
  density: ['density', PRIVATE_SCHEME, 'Number of objects per area'],
  pixels: ['pixels', PRIVATE_SCHEME, 'Number of pixels'],
  remark: ['remark', PRIVATE_SCHEME, 'Remark'],
  labelPlace: ['label-place', PRIVATE_SCHEME, 'Place of the label, no region of the finding'],
  box: ['box', PRIVATE_SCHEME, 'Box around the segment on the image that has most of it'],
  totalInterval: ['total-interval', PRIVATE_SCHEME, 'Interval of the whole count'],
  readerVerdict: ['reader-verdict', PRIVATE_SCHEME, 'Verdict of the reader on the result'],
  readerReason: ['reader-reason', PRIVATE_SCHEME, 'Reason of the reader'],
} as const satisfies Readonly<Record<string, Code>>;

export const Unit = {
  percent: ['%', 'UCUM', 'Percent'],
  none: ['1', 'UCUM', 'no units'],
  mm2: ['mm2', 'UCUM', 'square millimeter'],
  mm3: ['mm3', 'UCUM', 'cubic millimeter'],
  perMm2: ['/mm2', 'UCUM', 'per square millimeter'],
} as const satisfies Readonly<Record<string, Code>>;

const VERDICTS = {
  accepted: ['accepted', PRIVATE_SCHEME, 'Accepted'],
  corrected: ['corrected', PRIVATE_SCHEME, 'Corrected'],
  rejected: ['rejected', PRIVATE_SCHEME, 'Rejected'],
} as const satisfies Readonly<Record<string, Code>>;

export interface ReportContent {
  readonly made: Made;
  /** Every image that stands behind it. */
  readonly sources: readonly (SourceInstance & { readonly frame?: number })[];
  readonly context: ExportContext;
  /** Measurement groups. */
  readonly groups: readonly Content[];
  /** Qualitative evaluations of the whole: views, gate, notice. */
  readonly evaluations: readonly Content[];
  readonly spatial: boolean;
  readonly description: string;
  /** Objects of ours that it refers to: a segmentation. */
  readonly others?: readonly DicomObject[];
}

/**
 * A measurement report (TID 1500), unverified, its observer the algorithm, and the reader where one gave a verdict.
 * Comprehensive 3D where it holds coordinates in space, else Enhanced.
 */
export function measurementReport({ made, sources, context, groups, evaluations, spatial, description, others = [] }: ReportContent): DicomObject {
  const written = localTime(made.createdAt);
  return {
    ...derivedModules(made, sources, { sopClassUID: spatial ? DerivedClass.comprehensive3dSr : DerivedClass.enhancedSr, modality: 'SR', description, seriesNumber: 9200 }),
    ReferencedPerformedProcedureStepSequence: [],
    CompletionFlag: 'COMPLETE',
    VerificationFlag: 'UNVERIFIED',
    ContentDate: written.date,
    ContentTime: written.time,
    PerformedProcedureCodeSequence: [],
    CurrentRequestedProcedureEvidenceSequence: [evidence([...sources], others)],
    ...rootContainer([
      codeItem('HAS CONCEPT MOD', ['121049', 'DCM', 'Language of Content Item and Descendants'], ['en', 'RFC5646', 'English']),
      ...observers(made, context),
      codeItem('HAS CONCEPT MOD', ['121058', 'DCM', 'Procedure reported'], ['363679005', 'SCT', 'Imaging procedure']),
      container('CONTAINS', ['111028', 'DCM', 'Image Library'], [
        container('CONTAINS', ['126200', 'DCM', 'Image Library Group'], sources.map(source => imageItem('CONTAINS', undefined, referencedImage({ ...source, frame: source.frame ?? 1 })))),
      ]),
      ...(groups.length > 0 ? [container('CONTAINS', Concept.measurements, groups)] : []),
      ...(evaluations.length > 0 ? [container('CONTAINS', Concept.evaluations, evaluations)] : []),
    ]),
  };
}

function rootContainer(children: readonly Content[]): DicomObject {
  const { RelationshipType: _, ...root } = container('CONTAINS', Concept.report, children, '1500');
  return root;
}

/** Observer context (TID 1002): the device first, then the person who gave a verdict. */
function observers({ model }: Made, { user, verdict }: ExportContext): Content[] {
  const context = 'HAS OBS CONTEXT';
  return [
    codeItem(context, ['121005', 'DCM', 'Observer Type'], ['121007', 'DCM', 'Device']),
    uidItem(context, ['121012', 'DCM', 'Device Observer UID'], deviceUid(model.sha256)),
    textItem(context, ['121013', 'DCM', 'Device Observer Name'], lo(model.name)),
    textItem(context, ['121014', 'DCM', 'Device Observer Manufacturer'], 'Overread'),
    textItem(context, ['121015', 'DCM', 'Device Observer Model Name'], `${model.id} ${model.version}`),
    textItem(context, ['121016', 'DCM', 'Device Observer Serial Number'], model.sha256),
    ...(user === undefined || !verdict ? [] : [
      codeItem(context, ['121005', 'DCM', 'Observer Type'], ['121006', 'DCM', 'Person']),
      personItem(context, ['121008', 'DCM', 'Person Observer Name'], user),
    ]),
  ];
}

/** The same weights are the same device. */
export const deviceUid = (sha256: string): string => seededUid('overread device', sha256);

/** Verdict and notice: what every report ends with. */
export function closing({ model }: Made, { verdict }: ExportContext): Content[] {
  return [
    textItem('CONTAINS', Own.notice, model.notice),
    ...(verdict ? [
      codeItem('CONTAINS', Own.readerVerdict, VERDICTS[verdict.decision]),
      ...(verdict.reason ? [textItem('CONTAINS', Own.readerReason, verdict.reason)] : []),
    ] : []),
  ];
}

/** Algorithm Identification (TID 4019), under each measurement. */
export function algorithm(made: Made, context: ExportContext, more: Readonly<Record<string, string | number | undefined>> = {}): Content[] {
  const { AlgorithmName, AlgorithmVersion } = algorithmItem(made, context);
  return [
    textItem('HAS CONCEPT MOD', Concept.algorithmName, AlgorithmName as string),
    textItem('HAS CONCEPT MOD', Concept.algorithmVersion, AlgorithmVersion as string),
    ...parametersOf(made, more).map(parameter => textItem('HAS CONCEPT MOD', Concept.algorithmParameters, parameter)),
  ];
}

/** Current requested procedure evidence: all images, and objects of ours, by study and series. */
export function evidence(sources: readonly SourceInstance[], others: readonly DicomObject[]): DicomObject {
  const own = others.map(({ SeriesInstanceUID, SOPClassUID, SOPInstanceUID }) => ({ seriesInstanceUID: SeriesInstanceUID, sopClassUID: SOPClassUID, sopInstanceUID: SOPInstanceUID }) as SourceInstance);
  const { ReferencedSeriesSequence } = referencedSeries([...sources, ...own]);
  return {
    StudyInstanceUID: sources[0]!.studyInstanceUID,
    ReferencedSeriesSequence: (ReferencedSeriesSequence as readonly DicomObject[]).map(({ SeriesInstanceUID, ReferencedInstanceSequence }) => ({ SeriesInstanceUID, ReferencedSOPSequence: ReferencedInstanceSequence })),
  };
}
