import { OverreadError } from '../errors.ts';
import type { ImageReference } from '../image/image.ts';
import { derivationImage, sourceOf, type ExportContext } from './derived.ts';
import type { DicomObject } from './part10.ts';
import type { SourceInstance } from './source.ts';

/** Attribute tags as dcmjs takes them. */
const tag = (hex: string): number => Number.parseInt(hex, 16);

export interface Dimension {
  readonly pointer: string;
  readonly group: string;
  readonly label: string;
}
export const SEGMENT_DIMENSION: Dimension = { pointer: '0062000B', group: '0062000A', label: 'Segment' };
export const POSITION_DIMENSION: Dimension = { pointer: '00200032', group: '00209113', label: 'Position' };
export const TILE_DIMENSIONS: readonly Dimension[] = [
  { pointer: '0048021F', group: '0048021A', label: 'Row' },
  { pointer: '0048021E', group: '0048021A', label: 'Column' },
];
/** Where frames have no place: their order in the stack. */
export const STACK_DIMENSION: Dimension = { pointer: '00209057', group: '00209111', label: 'In-stack position' };

/** Multi-frame Dimension module. */
export function dimensions(of: readonly Dimension[], uid: string): DicomObject {
  return {
    DimensionOrganizationSequence: [{ DimensionOrganizationUID: uid }],
    DimensionIndexSequence: of.map(({ pointer, group, label }) => ({
      DimensionOrganizationUID: uid,
      DimensionIndexPointer: tag(pointer),
      FunctionalGroupPointer: tag(group),
      DimensionDescriptionLabel: label,
    })),
  };
}

/** One plane of a result, and the frame of the source that it lies on. */
export interface SourcePlane {
  readonly source: SourceInstance & { readonly frame: number };
  /** Functional group of its place; absent where the source has no frame of reference: a projection. */
  readonly position?: DicomObject;
}

export interface PlaneSet {
  readonly planes: readonly SourcePlane[];
  /** Functional groups that all frames share: spacing, and orientation where they are placed. */
  readonly shared: DicomObject;
  readonly placed: boolean;
  /** By what frames are told apart beside their segment. */
  readonly dimensions: readonly Dimension[];
  /** Attributes of the whole object: how its frames make a volume or a slide. */
  readonly organisation: DicomObject;
  /** Frame of Reference module; none where frames are not placed. */
  readonly frameOfReference: DicomObject;
}

/**
 * The planes of a result, in its slice order, each where the source's own frame says that it lies: never by an even step
 * that the source does not have.
 * @throws OverreadError as `sourceOf`
 */
export function planesOf(image: ImageReference, context: ExportContext): PlaneSet {
  const sources = image.sources.map(reference => sourceOf(reference, context));
  const planeOf = ({ planes, frame }: (typeof sources)[number]) => planes[frame - 1];
  const first = sources[0]!;
  if (first.slide && first.frameOfReferenceUID !== undefined && image.spacingMm) return slidePlane(image, first);
  const placed = first.frameOfReferenceUID !== undefined && image.indexToPatient !== undefined && sources.every(planeOf);
  const { spacingMm, sliceSpacingMm } = image;
  const measures = spacingMm && {
    PixelSpacing: [spacingMm[1], spacingMm[0]],
    ...(placed && { SliceThickness: first.sliceThicknessMm ?? sliceSpacingMm ?? 1 }),
    ...(placed && sliceSpacingMm !== undefined && { SpacingBetweenSlices: sliceSpacingMm }),
  };
  return {
    placed,
    dimensions: placed ? [POSITION_DIMENSION] : [STACK_DIMENSION],
    organisation: placed ? { DimensionOrganizationType: '3D' } : { PatientOrientation: first.patientOrientation ? [...first.patientOrientation] : '' },
    planes: sources.map(source => ({ source, ...(placed && { position: { PlanePositionSequence: [{ ImagePositionPatient: [...planeOf(source)!.imagePositionPatient] }] } }) })),
    shared: {
      ...(measures && { PixelMeasuresSequence: [measures] }),
      ...(placed && { PlaneOrientationSequence: [{ ImageOrientationPatient: [...planeOf(first)!.imageOrientationPatient] }] }),
    },
    frameOfReference: placed ? { FrameOfReferenceUID: first.frameOfReferenceUID!, PositionReferenceIndicator: first.positionReferenceIndicator ?? '' } : {},
  };
}

/** One frame over a whole level of a slide. Its source is all of the level's frames: no frame number is given. */
function slidePlane(image: ImageReference, source: SourcePlane['source']): PlaneSet {
  const { organisation, shared, positionAt, frameOfReference } = slideGeometry(image, source);
  return {
    placed: true,
    dimensions: TILE_DIMENSIONS,
    organisation,
    planes: [{ source: { ...source, numberOfFrames: 1 }, position: positionAt(0, 0) }],
    shared,
    frameOfReference,
  };
}

/**
 * How tiles of a result on a level of a slide lie.
 * @throws OverreadError `input/inconsistent` for a slide that does not say where its total pixel matrix begins
 */
export function slideGeometry({ shape: [columns, rows], spacingMm }: ImageReference, source: SourceInstance) {
  const { slide = {}, frameOfReferenceUID, sliceThicknessMm } = source;
  const [origin] = (slide.TotalPixelMatrixOriginSequence ?? []) as readonly DicomObject[];
  const orientation = slide.ImageOrientationSlide as readonly (number | string)[] | undefined;
  if (!origin || orientation?.length !== 6 || !spacingMm || frameOfReferenceUID === undefined) {
    throw new OverreadError('input/inconsistent', `The slide ${source.sopInstanceUID} does not say where its pixels lie (TotalPixelMatrixOriginSequence, ImageOrientationSlide, PixelSpacing, FrameOfReferenceUID). Mend the file.`, { expected: 'the place of the total pixel matrix', got: 'nothing' });
  }
  const [x0, y0] = [Number(origin.XOffsetInSlideCoordinateSystem), Number(origin.YOffsetInSlideCoordinateSystem)];
  const along = orientation.map(Number);
  /** Slide mm of a pixel's centre. */
  const place = (x: number, y: number): [number, number, number] => {
    const [u, v] = [x * spacingMm[0], y * spacingMm[1]];
    return [x0 + along[0]! * u + along[3]! * v, y0 + along[1]! * u + along[4]! * v, along[2]! * u + along[5]! * v];
  };
  return {
    place,
    organisation: { ...slide, DimensionOrganizationType: 'TILED_SPARSE', TotalPixelMatrixColumns: columns, TotalPixelMatrixRows: rows } as DicomObject,
    frameOfReference: { FrameOfReferenceUID: frameOfReferenceUID, PositionReferenceIndicator: 'SLIDE_CORNER' } as DicomObject,
    shared: {
      PixelMeasuresSequence: [{ PixelSpacing: [spacingMm[1], spacingMm[0]], SliceThickness: sliceThicknessMm ?? 0.001 }],
      PlaneOrientationSequence: [{ ImageOrientationPatient: along }],
    } as DicomObject,
    positionAt(x: number, y: number): DicomObject {
      const [X, Y, Z] = place(x, y);
      return {
        PlanePositionSlideSequence: [{
          ColumnPositionInTotalImagePixelMatrix: x + 1, RowPositionInTotalImagePixelMatrix: y + 1,
          XOffsetInSlideCoordinateSystem: X, YOffsetInSlideCoordinateSystem: Y, ZOffsetInSlideCoordinateSystem: Z,
        }],
      };
    },
  };
}

/** Functional groups of a frame on a plane: its place, and the frame that it was made from. */
export function planeGroups({ source, position }: SourcePlane, derivation: DicomObject): DicomObject {
  return {
    ...position,
    DerivationImageSequence: derivationImage([source], derivation),
  };
}
