import { commonModules, SopClass, type InstanceIdentity } from './identity.ts';
import type { DicomObject } from './part10.ts';
import { colourPixelModule, greyPixelModule, lossyAttributes, type ColourPixels, type GreyPixels, type LossySource } from './pixels.ts';

export interface CaptureOptions {
  /** [row spacing, column spacing] */
  readonly spacingMm?: readonly [row: number, column: number];
  readonly bodyPart?: string;
  readonly lossy?: LossySource;
}

/** Any picture as Secondary Capture (PS3.3 A.8): says nothing of how it was made. */
export function secondaryCapture(identity: InstanceIdentity, image: GreyPixels | ColourPixels, options: CaptureOptions = {}): DicomObject {
  return {
    ...commonModules(SopClass.secondaryCapture, identity),
    ConversionType: 'WSD',
    ImageType: ['DERIVED', 'SECONDARY'],
    PatientOrientation: '',
    Laterality: options.bodyPart ? undefined : '',
    BodyPartExamined: options.bodyPart,
    ...('rgb' in image ? colourPixelModule(image) : { ...greyPixelModule(image), PresentationLUTShape: 'IDENTITY' }),
    PixelSpacing: options.spacingMm && [...options.spacingMm],
    ...lossyAttributes(options.lossy),
    BurnedInAnnotation: 'NO',
  };
}

/** A photograph through a microscope: VL Microscopic Image Storage (PS3.3 A.32.2), stained with haematoxylin and eosin. */
export function microscopicImage(identity: InstanceIdentity, image: ColourPixels, options: CaptureOptions = {}): DicomObject {
  return {
    ...commonModules(SopClass.vlMicroscopic, identity),
    ImageType: ['ORIGINAL', 'PRIMARY'],
    PatientOrientation: '',
    AcquisitionContextSequence: [],
    Laterality: options.bodyPart ? undefined : '',
    BodyPartExamined: options.bodyPart,
    ...colourPixelModule(image),
    PixelSpacing: options.spacingMm && [...options.spacingMm],
    ...lossyAttributes(options.lossy),
    BurnedInAnnotation: 'NO',
  };
}
