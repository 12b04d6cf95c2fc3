import { OverreadError } from '../errors.ts';
import { stopsOf } from '../results/probability-planes.ts';
import { sourcesOf, type LabelmapResult, type Segment } from '../results/result.ts';
import { cielabOf } from './cielab.ts';
import { algorithmItem, conceptItem, DerivedClass, derivedModules, lo, referencedSeries, sourcesIn, type ExportContext, type Made } from './derived.ts';
import { dimensions, planeGroups, planesOf, SEGMENT_DIMENSION, STACK_DIMENSION } from './frames.ts';
import { code } from './identity.ts';
import type { DicomObject } from './part10.ts';
import type { SourceInstance } from './source.ts';
import { freshUid } from './uid.ts';

export type SegmentationType = 'BINARY' | 'FRACTIONAL' | 'LABELMAP';

/** Probabilities are kept to half a percent: {@link stopsOf}. */
const FRACTIONS = 200;
const SEGMENTATION = code('113076', 'DCM', 'Segmentation');
const ANATOMICAL_STRUCTURE = { codeValue: '123037004', codingSchemeDesignator: 'SCT', codeMeaning: 'Anatomical Structure' };

/**
 * A mask as DICOM Segmentation (PS3.3 A.51), on volumes, single slices and projections. Frames without a pixel are left
 * out; an empty mask has one empty frame.
 * @param type `FRACTIONAL`: the probability of each segment in steps of half a percent, rounded down; needs the result's
 *   probabilities. `LABELMAP` (Label Map Segmentation Storage) is not yet known to many receivers
 * @throws OverreadError `input/refused` for sources that are no DICOM images, or `FRACTIONAL` without probabilities;
 *   `input/inconsistent`
 */
export function segmentation(result: LabelmapResult, context: ExportContext, type: SegmentationType = 'BINARY'): DicomObject {
  const { source, segments } = result;
  const sources = sourcesIn(source.sources, context);
  const { planes, shared, dimensions: where, organisation, frameOfReference } = planesOf(source, context);
  const [columns, rows, slices] = source.shape;
  const plane = columns * rows;
  const valuesOf = valuesBy(result, type);
  const numbers = type === 'LABELMAP' ? [undefined] : segments.map(({ segmentNumber }) => segmentNumber);
  const all = numbers.flatMap(segmentNumber => Array.from({ length: slices }, (_, slice) => ({ segmentNumber, slice, values: valuesOf(slice, segmentNumber) })));
  const full = all.filter(({ values }) => values.some(v => v !== 0));
  const frames = full.length > 0 ? full : all.slice(0, 1);
  const by = type === 'LABELMAP' ? where : [SEGMENT_DIMENSION, ...where];
  return {
    ...segmentationModules(result, { type, segments, sources, context, editedAt: result.editedAt, parameters: alsoRead(result, sources, context) }),
    ...frameOfReference,
    ...organisation,
    ...dimensions(by, freshUid()),
    SharedFunctionalGroupsSequence: [shared],
    PerFrameFunctionalGroupsSequence: frames.map(({ segmentNumber, slice }) => ({
      FrameContentSequence: [{
        ...(where.includes(STACK_DIMENSION) && { StackID: '1', InStackPositionNumber: slice + 1 }),
        DimensionIndexValues: [...(segmentNumber === undefined ? [] : [segmentNumber]), ...where.map(() => slice + 1)],
      }],
      ...planeGroups(planes[slice]!, SEGMENTATION),
      ...(segmentNumber !== undefined && { SegmentIdentificationSequence: [{ ReferencedSegmentNumber: segmentNumber }] }),
    })),
    ...segmentationPixels(type, columns, rows, frames.length),
    PixelData: type === 'BINARY' ? packBits(frames.map(({ values }) => values), plane) : bytesOf(frames.map(({ values }) => values), plane),
  };
}

/**
 * Series that were read beside the one that is segmented, as a parameter of the algorithm. They are not among the referenced series: of several, OHIF takes the
 * first on its list for the one that the frames lie on, and shows none of them. The report of measurements references them all.
 */
function alsoRead(result: LabelmapResult, segmented: readonly SourceInstance[], context: ExportContext): { readonly alsoReadSeries?: string } {
  const own = new Set(segmented.map(({ seriesInstanceUID }) => seriesInstanceUID));
  const others = new Set(sourcesIn(sourcesOf(result), context).map(({ seriesInstanceUID }) => seriesInstanceUID).filter(uid => !own.has(uid)));
  return others.size > 0 ? { alsoReadSeries: [...others].join(' ') } : {};
}

/** What every segmentation says, but its frames. */
export function segmentationModules(made: Made, { type, segments, sources, context, editedAt, parameters }: {
  readonly type: SegmentationType;
  readonly segments: readonly Segment[];
  readonly sources: readonly SourceInstance[];
  readonly context: ExportContext;
  readonly editedAt?: string;
  /** Further parameters of the algorithm. */
  readonly parameters?: Readonly<Record<string, string | number>>;
}): DicomObject {
  const lossy = sources.find(({ lossy: l }) => Object.keys(l).length > 0)?.lossy;
  return {
    ...derivedModules(made, sources, {
      sopClassUID: type === 'LABELMAP' ? DerivedClass.labelMapSegmentation : DerivedClass.segmentation,
      modality: 'SEG', description: `${made.model.name} ${made.model.version}`, seriesNumber: 9100,
    }),
    ImageType: ['DERIVED', 'PRIMARY'],
    ContentLabel: 'OVERREAD',
    ContentDescription: lo(made.model.notice),
    ContentCreatorName: context.user ?? '',
    ContentQualification: 'RESEARCH',
    BurnedInAnnotation: 'NO',
    LossyImageCompression: '00',
    ...lossy,
    SegmentationType: type,
    ...(type === 'FRACTIONAL' && { SegmentationFractionalType: 'PROBABILITY', MaximumFractionalValue: FRACTIONS }),
    SegmentsOverlap: type === 'FRACTIONAL' ? 'UNDEFINED' : 'NO',
    SegmentSequence: segments.map(segment => segmentItem(made, segment, context, editedAt, parameters)),
    ...referencedSeries(sources),
  };
}

function segmentItem(made: Made, { target, segmentNumber, threshold }: Segment, context: ExportContext, editedAt: string | undefined, parameters: Readonly<Record<string, string | number>> = {}): DicomObject {
  return {
    SegmentNumber: segmentNumber,
    SegmentLabel: lo(target.label),
    // A reader's brush makes it no longer the algorithm's alone.
    SegmentAlgorithmType: editedAt === undefined ? 'AUTOMATIC' : 'SEMIAUTOMATIC',
    SegmentAlgorithmName: lo(context.algorithm?.name ?? made.model.name),
    SegmentationAlgorithmIdentificationSequence: [algorithmItem(made, context, { threshold, editedAt, ...parameters })],
    SegmentedPropertyCategoryCodeSequence: [conceptItem(target.category ?? ANATOMICAL_STRUCTURE)],
    SegmentedPropertyTypeCodeSequence: [conceptItem(target.concept)],
    TrackingID: `${made.model.id} ${made.model.version} ${target.label}`,
    TrackingUID: freshUid(),
    ...(target.color && { RecommendedDisplayCIELabValue: cielabOf(target.color) }),
  };
}

export function segmentationPixels(type: SegmentationType, columns: number, rows: number, frames: number): DicomObject {
  const bits = type === 'BINARY' ? 1 : 8;
  return {
    SamplesPerPixel: 1,
    PhotometricInterpretation: 'MONOCHROME2',
    NumberOfFrames: frames,
    Rows: rows,
    Columns: columns,
    BitsAllocated: bits,
    BitsStored: bits,
    HighBit: bits - 1,
    PixelRepresentation: 0,
    ...(type === 'LABELMAP' && { PixelPaddingValue: 0 }),
  };
}

/** A frame's values, one a pixel: what is not 0 is written. */
function valuesBy({ labels, probabilities, segments, source: { shape } }: LabelmapResult, type: SegmentationType): (slice: number, segmentNumber: number | undefined) => Uint8Array {
  const plane = shape[0] * shape[1];
  const of = (slice: number): Uint8Array => labels.subarray(slice * plane, (slice + 1) * plane);
  if (type === 'LABELMAP') return slice => of(slice);
  if (type === 'BINARY') return (slice, segmentNumber) => of(slice).map(label => Number(label === segmentNumber));
  if (!probabilities) {
    throw new OverreadError('input/refused', 'A FRACTIONAL segmentation holds probabilities, but this result keeps none. Write it BINARY.', { expected: 'probabilities', got: 'none' });
  }
  const { values, operatingPoints } = probabilities;
  return (slice, segmentNumber) => {
    const i = segments.findIndex(segment => segment.segmentNumber === segmentNumber);
    const steps = [0, ...stopsOf(operatingPoints[i]!)].map(stop => Math.floor(stop * FRACTIONS + 1e-9));
    const from = i * labels.length + slice * plane;
    return values.subarray(from, from + plane).map(v => steps[v]!);
  };
}

/** Bits of all frames one after the other, the first pixel the lowest bit; frames need not begin at a byte (PS3.5 8.1.1). */
export function packBits(frames: readonly Uint8Array[], plane: number): ArrayBuffer {
  const out = evenBytes(Math.ceil((frames.length * plane) / 8));
  frames.forEach((values, frame) => {
    for (let i = 0, at = frame * plane; i < plane; i++, at++) if (values[i] !== 0) out[at >> 3]! |= 1 << (at & 7);
  });
  return out.buffer;
}

function bytesOf(frames: readonly Uint8Array[], plane: number): ArrayBuffer {
  const out = evenBytes(frames.length * plane);
  frames.forEach((values, frame) => out.set(values, frame * plane));
  return out.buffer;
}

function evenBytes(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(length + (length % 2));
}
