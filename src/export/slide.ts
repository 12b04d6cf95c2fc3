import { code, commonModules, SopClass, type InstanceIdentity } from './identity.ts';
import { srgbProfile } from './icc.ts';
import type { DicomObject } from './part10.ts';
import { colourDescription } from './pixels.ts';
import { seededUid } from './uid.ts';

/** One level of a tiled slide, its frames in the order of TILED_FULL: row by row of tiles. */
export interface SlideLevel {
  readonly totalColumns: number;
  readonly totalRows: number;
  readonly tileSize: number;
  /** Between pixel centres of this level, mm. */
  readonly spacingMm: number;
  /** 0 is the full resolution. */
  readonly level: number;
}

export interface SlideOptions {
  readonly frameOfReferenceUID: string;
  readonly pyramidUID: string;
  readonly containerIdentifier: string;
  /** Native RGB, or JPEG baseline whose ratio of sizes is told. */
  readonly encoding: { readonly kind: 'native' } | { readonly kind: 'jpeg'; readonly ratio: number };
}

export function tilesAcross(level: SlideLevel): number {
  return Math.ceil(level.totalColumns / level.tileSize);
}

export function tilesDown(level: SlideLevel): number {
  return Math.ceil(level.totalRows / level.tileSize);
}

/**
 * A VL Whole Slide Microscopy instance without its pixels (PS3.3 A.32.8): brightfield, haematoxylin and eosin. The
 * frames are appended by whoever writes the file, so that a large slide never stands in memory.
 */
export function slideLevelHeader(identity: InstanceIdentity, level: SlideLevel, options: SlideOptions): DicomObject {
  const { study } = identity;
  const frameType = ['ORIGINAL', 'PRIMARY', 'VOLUME', level.level === 0 ? 'NONE' : 'RESAMPLED'];
  const jpeg = options.encoding.kind === 'jpeg';
  const specimen = options.containerIdentifier;
  return {
    ...commonModules(SopClass.vlWholeSlide, identity),
    ImageType: frameType,
    AcquisitionDateTime: study.studyDate + study.studyTime,
    AcquisitionDuration: 60,
    AcquisitionContextSequence: [],
    VolumetricProperties: 'VOLUME',
    SpecimenLabelInImage: 'NO',
    FocusMethod: 'AUTO',
    ExtendedDepthOfField: 'NO',
    BurnedInAnnotation: 'NO',
    LossyImageCompression: jpeg ? '01' : '00',
    // Of one length whatever the ratio, so that it can be filled in later.
    LossyImageCompressionRatio: options.encoding.kind === 'jpeg' ? options.encoding.ratio.toFixed(2).padStart(10) : undefined,
    LossyImageCompressionMethod: jpeg ? 'ISO_10918_1' : undefined,
    FrameOfReferenceUID: options.frameOfReferenceUID,
    PositionReferenceIndicator: 'SLIDE_CORNER',
    PyramidUID: options.pyramidUID,
    ImagedVolumeWidth: level.totalColumns * level.spacingMm,
    ImagedVolumeHeight: level.totalRows * level.spacingMm,
    ImagedVolumeDepth: 5,
    TotalPixelMatrixColumns: level.totalColumns,
    TotalPixelMatrixRows: level.totalRows,
    TotalPixelMatrixFocalPlanes: 1,
    TotalPixelMatrixOriginSequence: [{ XOffsetInSlideCoordinateSystem: 20, YOffsetInSlideCoordinateSystem: 40 }],
    ImageOrientationSlide: [0, -1, 0, -1, 0, 0],
    ...colourDescription(level.tileSize, level.tileSize, jpeg ? 'YBR_FULL_422' : 'RGB'),
    NumberOfFrames: tilesAcross(level) * tilesDown(level),
    DimensionOrganizationType: 'TILED_FULL',
    DimensionOrganizationSequence: [{ DimensionOrganizationUID: seededUid('dimensions', options.pyramidUID) }],
    NumberOfOpticalPaths: 1,
    OpticalPathSequence: [
      {
        OpticalPathIdentifier: '1',
        IlluminationTypeCodeSequence: [code('111744', 'DCM', 'Brightfield illumination')],
        IlluminationColorCodeSequence: [code('414298005', 'SCT', 'Full Spectrum')],
        ICCProfile: srgbProfile(),
      },
    ],
    ContainerIdentifier: specimen,
    IssuerOfTheContainerIdentifierSequence: [],
    ContainerTypeCodeSequence: [code('433466003', 'SCT', 'Microscope slide')],
    SpecimenDescriptionSequence: [
      {
        SpecimenIdentifier: specimen,
        IssuerOfTheSpecimenIdentifierSequence: [],
        SpecimenUID: seededUid('specimen', specimen, study.studyInstanceUID),
        SpecimenPreparationSequence: [],
      },
    ],
    SharedFunctionalGroupsSequence: [
      {
        PixelMeasuresSequence: [{ PixelSpacing: [level.spacingMm, level.spacingMm], SliceThickness: 0.005 }],
        WholeSlideMicroscopyImageFrameTypeSequence: [{ FrameType: frameType }],
        OpticalPathIdentificationSequence: [{ OpticalPathIdentifier: '1' }],
      },
    ],
  };
}
