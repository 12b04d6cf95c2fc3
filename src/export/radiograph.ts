import { OverreadError } from '../errors.ts';
import { code, commonModules, SopClass, type InstanceIdentity } from './identity.ts';
import type { DicomObject } from './part10.ts';
import { greyPixelModule, lossyAttributes, type GreyPixels, type LossySource } from './pixels.ts';

export type RadiographView = 'PA' | 'AP' | 'LL' | 'RL' | 'LLD' | 'RLD' | 'LLO' | 'RLO';
export const RADIOGRAPH_VIEWS: readonly RadiographView[] = ['PA', 'AP', 'LL', 'RL', 'LLD', 'RLD', 'LLO', 'RLO'];

export interface RadiographOptions {
  /** DX needs a spacing; CR does without. */
  readonly kind: 'DX' | 'CR';
  readonly view?: RadiographView;
  /** At the detector: [row spacing, column spacing], as DICOM orders them. */
  readonly spacingMm?: readonly [row: number, column: number];
  readonly bodyPart?: string;
  /** Store as MONOCHROME1, the pixels turned over. */
  readonly monochrome1?: boolean;
  readonly window?: { readonly center: number; readonly width: number };
  /** Of a source that was compressed with loss. */
  readonly lossy?: LossySource;
}

/** Row and column direction of a chest film hung as readers hang it. */
const ORIENTATION: Partial<Record<RadiographView, readonly [string, string]>> = {
  PA: ['L', 'F'],
  AP: ['L', 'F'],
  LL: ['P', 'F'],
  RL: ['A', 'F'],
};

/** CID 4010. */
const VIEW_CODE: Partial<Record<RadiographView, readonly [string, string, string]>> = {
  PA: ['272479007', 'SCT', 'postero-anterior'],
  AP: ['399348003', 'SCT', 'antero-posterior'],
  LL: ['399173006', 'SCT', 'left lateral'],
  RL: ['399198007', 'SCT', 'right lateral'],
};

/**
 * A projection radiograph, Digital X-Ray Image Storage – For Presentation or Computed Radiography (PS3.3 A.26, A.2).
 * @throws OverreadError `config/invalid` for a DX without a spacing, which that object must have
 */
export function radiograph(identity: InstanceIdentity, image: GreyPixels, options: RadiographOptions): DicomObject {
  const dx = options.kind === 'DX';
  const { spacingMm, view, monochrome1 = false } = options;
  if (dx && !spacingMm) {
    throw new OverreadError('config/invalid', 'A DX image must say its pixel spacing, got none. Give the spacing in mm, or write CR, which may go without.', { expected: 'spacing in mm', got: undefined });
  }
  const bits = image.bitsStored ?? image.pixels.BYTES_PER_ELEMENT * 8;
  const window = options.window ?? { center: 2 ** (bits - 1), width: 2 ** bits };
  const top = 2 ** bits - 1;
  const orientation = view && ORIENTATION[view];
  const chest = options.bodyPart === 'CHEST';
  return {
    ...commonModules(dx ? SopClass.dxForPresentation : SopClass.cr, identity),
    ImageType: ['DERIVED', 'PRIMARY'],
    AcquisitionNumber: 1,
    AcquisitionDate: identity.study.studyDate,
    AcquisitionTime: identity.study.studyTime,
    BodyPartExamined: options.bodyPart ?? '',
    Laterality: dx || options.bodyPart ? undefined : '',
    ViewPosition: view ?? '',
    PatientOrientation: orientation ? [...orientation] : '',
    ...greyPixelModule(image, monochrome1),
    PresentationLUTShape: monochrome1 ? 'INVERSE' : 'IDENTITY',
    WindowCenter: monochrome1 ? top - window.center + 1 : window.center,
    WindowWidth: window.width,
    ...lossyAttributes(options.lossy),
    BurnedInAnnotation: 'NO',
    ImagerPixelSpacing: spacingMm && [...spacingMm],
    PixelSpacing: spacingMm && [...spacingMm],
    ...(dx ? digitalXRay(chest, monochrome1, view) : {}),
  };
}

function digitalXRay(chest: boolean, monochrome1: boolean, view: RadiographView | undefined): DicomObject {
  return {
    PresentationIntentType: 'FOR PRESENTATION',
    ImageLaterality: 'U',
    AnatomicRegionSequence: chest ? [code('51185008', 'SCT', 'Chest')] : [],
    PixelIntensityRelationship: 'LOG',
    PixelIntensityRelationshipSign: monochrome1 ? 1 : -1,
    RescaleIntercept: 0,
    RescaleSlope: 1,
    RescaleType: 'US',
    DetectorType: '',
    DetectorConfiguration: '',
    PositionerType: '',
    ViewCodeSequence: view && VIEW_CODE[view] ? [{ ...code(...VIEW_CODE[view]), ViewModifierCodeSequence: [] }] : undefined,
    AcquisitionContextSequence: [],
  };
}
