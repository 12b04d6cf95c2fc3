import { commonModules, SopClass, type InstanceIdentity } from './identity.ts';
import type { DicomObject } from './part10.ts';
import { greyPixelModule, type GreyPixels } from './pixels.ts';

export interface SlicePlane {
  readonly frameOfReferenceUID: string;
  /** LPS mm, centre of the first pixel. */
  readonly imagePosition: readonly [number, number, number];
  /** LPS unit vectors along a row, then down a column. */
  readonly imageOrientation: readonly [number, number, number, number, number, number];
  readonly spacingMm: readonly [row: number, column: number];
  /** Distance between slices; also given as the thickness. */
  readonly sliceSpacingMm: number;
}

export interface CrossSectionOptions {
  readonly window?: { readonly center: number; readonly width: number };
  readonly bodyPart?: string;
  /** Value = slope · stored + intercept; CT: HU. */
  readonly rescale?: { readonly slope: number; readonly intercept: number };
  readonly mr?: MrAcquisition;
}

/** How the sequence was made, as far as it is known. */
export interface MrAcquisition {
  readonly scanningSequence: 'SE' | 'IR' | 'GR' | 'EP' | 'RM';
  readonly sequenceName?: string;
  readonly repetitionTimeMs?: number;
  readonly echoTimeMs?: number;
  readonly inversionTimeMs?: number;
  readonly contrastAgent?: string;
}

function plane(where: SlicePlane): DicomObject {
  const { imagePosition: p, imageOrientation: o } = where;
  const normal = [o[1] * o[5] - o[2] * o[4], o[2] * o[3] - o[0] * o[5], o[0] * o[4] - o[1] * o[3]] as const;
  return {
    FrameOfReferenceUID: where.frameOfReferenceUID,
    PositionReferenceIndicator: '',
    ImagePositionPatient: [...p],
    ImageOrientationPatient: [...o],
    PixelSpacing: [...where.spacingMm],
    SliceThickness: where.sliceSpacingMm,
    SpacingBetweenSlices: where.sliceSpacingMm,
    SliceLocation: p[0] * normal[0] + p[1] * normal[1] + p[2] * normal[2],
  };
}

/** One MR slice (PS3.3 A.4). */
export function mrSlice(identity: InstanceIdentity, image: GreyPixels, where: SlicePlane, options: CrossSectionOptions = {}): DicomObject {
  const { mr, window, rescale } = options;
  return {
    ...commonModules(SopClass.mr, identity),
    ImageType: ['DERIVED', 'PRIMARY', 'OTHER'],
    ...plane(where),
    AcquisitionNumber: 1,
    BodyPartExamined: options.bodyPart,
    Laterality: options.bodyPart ? undefined : '',
    PatientPosition: 'HFS',
    ScanningSequence: mr?.scanningSequence ?? 'RM',
    SequenceVariant: 'NONE',
    ScanOptions: '',
    SequenceName: mr?.sequenceName,
    MRAcquisitionType: '2D',
    RepetitionTime: mr?.repetitionTimeMs ?? '',
    EchoTime: mr?.echoTimeMs ?? '',
    InversionTime: mr?.inversionTimeMs ?? (mr?.scanningSequence === 'IR' ? '' : undefined),
    EchoTrainLength: '',
    ContrastBolusAgent: mr?.contrastAgent,
    ...greyPixelModule(image),
    RescaleSlope: rescale?.slope,
    RescaleIntercept: rescale?.intercept,
    RescaleType: rescale && 'US',
    WindowCenter: window?.center,
    WindowWidth: window?.width,
  };
}

/** One CT slice (PS3.3 A.3); stored values become HU by the rescale. */
export function ctSlice(identity: InstanceIdentity, image: GreyPixels, where: SlicePlane, options: CrossSectionOptions = {}): DicomObject {
  const { window, rescale } = options;
  return {
    ...commonModules(SopClass.ct, identity),
    ImageType: ['DERIVED', 'PRIMARY', 'AXIAL'],
    ...plane(where),
    AcquisitionNumber: 1,
    BodyPartExamined: options.bodyPart,
    Laterality: options.bodyPart ? undefined : '',
    PatientPosition: 'HFS',
    KVP: '',
    ...greyPixelModule(image),
    RescaleSlope: rescale?.slope ?? 1,
    RescaleIntercept: rescale?.intercept ?? 0,
    RescaleType: 'HU',
    WindowCenter: window?.center,
    WindowWidth: window?.width,
  };
}
