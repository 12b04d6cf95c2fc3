import { OverreadError } from '../errors.ts';
import type { ImageReference } from '../image/image.ts';
import { conceptItem, DerivedClass, derivedModules, lo, parametersOf, PRIVATE_SCHEME, referencedSeries, sourcesIn, type ExportContext, type Made } from './derived.ts';
import type { Code } from './content.ts';
import { dimensions, planeGroups, planesOf } from './frames.ts';
import { code } from './identity.ts';
import type { DicomObject } from './part10.ts';
import { freshUid } from './uid.ts';

/** What the values of a map are. */
export interface MapQuantity {
  readonly concept: Code;
  readonly unit: Code;
  /** At most 16 characters. */
  readonly label: string;
  readonly explanation: string;
  /** The target that it is of, and how it was made: `name=value`. */
  readonly parameters: Readonly<Record<string, string | number | undefined>>;
}

export interface MapValues {
  readonly source: ImageReference;
  /** Laid out as the image. */
  readonly values: Float32Array;
  /** What a colour map spans. */
  readonly range: readonly [min: number, max: number];
}

export const SALIENCY: Code = ['saliency', PRIVATE_SCHEME, 'Contribution to a score'];
export const PROBABILITY: Code = ['probability', PRIVATE_SCHEME, 'Probability'];
export const OBJECT_DENSITY: Code = ['object-density', PRIVATE_SCHEME, 'Objects per pixel'];
const NO_UNITS: Code = ['1', 'UCUM', 'no units'];
const DERIVATION = code('113085', 'DCM', 'Spatially-related frames extracted from the volume');

/**
 * Values on the source grid as a Parametric Map of 32-bit floats (PS3.3 A.75): saliency, probability, density.
 * @throws OverreadError `input/refused` for a picture without a frame of reference, such as a projection X-ray: the object
 *   must have one, and none is invented. Write Secondary Capture there
 */
export function parametricMap(made: Made, { source, values, range }: MapValues, quantity: MapQuantity, context: ExportContext): DicomObject {
  const sources = sourcesIn(source.sources, context);
  const { planes, placed, shared, dimensions: where, organisation, frameOfReference } = planesOf(source, context);
  if (!placed) {
    throw new OverreadError('input/refused', `A Parametric Map lies in a frame of reference, and the ${source.modality} image has none. Write it as Secondary Capture.`, { expected: 'FrameOfReferenceUID and planes', got: 'none' });
  }
  const [columns, rows] = source.shape;
  const frameType = frameTypeOf(planes.length);
  return {
    ...mapModules(made, sources, quantity, context),
    ImageType: frameType,
    ...frameOfReference,
    ...organisation,
    ...dimensions(where, freshUid()),
    SharedFunctionalGroupsSequence: [{ ...shared, ...mapGroups(frameType, quantity, values, range) }],
    PerFrameFunctionalGroupsSequence: planes.map((plane, slice) => ({
      FrameContentSequence: [{ DimensionIndexValues: where.map(() => slice + 1) }],
      ...planeGroups(plane, DERIVATION),
    })),
    ...floatPixels(columns, rows, planes.length, values),
  };
}

export const frameTypeOf = (_frames: number): string[] => ['DERIVED', 'PRIMARY', 'VOLUME', 'QUANTITY'];

export function mapModules(made: Made, sources: ReturnType<typeof sourcesIn>, quantity: MapQuantity, context: ExportContext): DicomObject {
  return {
    ...derivedModules(made, sources, { sopClassUID: DerivedClass.parametricMap, modality: 'OT', description: `${made.model.name} ${made.model.version}: ${quantity.explanation}`, seriesNumber: 9300 }),
    ContentLabel: quantity.label.toUpperCase().replace(/[^A-Z0-9_]/g, '_').slice(0, 16),
    ContentDescription: lo(made.model.notice),
    ContentCreatorName: context.user ?? '',
    ContentQualification: 'RESEARCH',
    BurnedInAnnotation: 'NO',
    RecognizableVisualFeatures: 'NO',
    LossyImageCompression: '00',
    ...sources.find(({ lossy }) => Object.keys(lossy).length > 0)?.lossy,
    ...(!sources[0]!.slide && { Laterality: '' }),
    PresentationLUTShape: 'IDENTITY',
    DerivationDescription: parametersOf(made, quantity.parameters).join('; ').slice(0, 1024),
    AcquisitionContextSequence: [],
    ...referencedSeries(sources),
  };
}

/** Functional groups that all frames of a map share: what its values are, and how they are shown. */
export function mapGroups(frameType: readonly string[], { concept, unit, label, explanation }: MapQuantity, values: Float32Array, range: readonly [number, number]): DicomObject {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const [min, max] = range;
  return {
    ParametricMapFrameTypeSequence: [{ FrameType: [...frameType] }],
    RealWorldValueMappingSequence: [{
      LUTExplanation: lo(explanation),
      LUTLabel: label.slice(0, 16),
      DoubleFloatRealWorldValueFirstValueMapped: low,
      DoubleFloatRealWorldValueLastValueMapped: high,
      RealWorldValueIntercept: 0,
      RealWorldValueSlope: 1,
      MeasurementUnitsCodeSequence: [code(...(unit ?? NO_UNITS))],
      QuantityDefinitionSequence: [{ ValueType: 'CODE', ConceptNameCodeSequence: [code('246205007', 'SCT', 'Quantity')], ConceptCodeSequence: [conceptItem({ codeValue: concept[0], codingSchemeDesignator: concept[1], codeMeaning: concept[2] })] }],
    }],
    PixelValueTransformationSequence: [{ RescaleIntercept: 0, RescaleSlope: 1, RescaleType: 'US' }],
    FrameVOILUTSequence: [{ WindowCenter: (min + max) / 2, WindowWidth: Math.max(max - min, 1e-6), VOILUTFunction: 'LINEAR_EXACT' }],
  };
}

export function floatPixels(columns: number, rows: number, frames: number, values: Float32Array): DicomObject {
  return {
    SamplesPerPixel: 1,
    PhotometricInterpretation: 'MONOCHROME2',
    NumberOfFrames: frames,
    Rows: rows,
    Columns: columns,
    BitsAllocated: 32,
    FloatPixelData: littleEndianFloats(values),
  };
}

export function littleEndianFloats(values: Float32Array): ArrayBuffer {
  const out = new DataView(new ArrayBuffer(4 * values.length));
  values.forEach((value, i) => out.setFloat32(4 * i, value, true));
  return out.buffer;
}
