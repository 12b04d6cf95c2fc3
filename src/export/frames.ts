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
  /** Absent where the source has no frame of reference: a projection. */
  readonly position?: readonly number[];
}

export interface PlaneSet {
  readonly planes: readonly SourcePlane[];
  /** Functional groups that all frames share: spacing, and orientation where they are placed. */
  readonly shared: DicomObject;
  readonly placed: boolean;
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
  const placed = first.frameOfReferenceUID !== undefined && image.indexToPatient !== undefined && sources.every(planeOf);
  const { spacingMm, sliceSpacingMm } = image;
  const measures = spacingMm && {
    PixelSpacing: [spacingMm[1], spacingMm[0]],
    ...(placed && { SliceThickness: first.sliceThicknessMm ?? sliceSpacingMm ?? 1 }),
    ...(placed && sliceSpacingMm !== undefined && { SpacingBetweenSlices: sliceSpacingMm }),
  };
  return {
    placed,
    planes: sources.map(source => ({ source, ...(placed && { position: planeOf(source)!.imagePositionPatient }) })),
    shared: {
      ...(measures && { PixelMeasuresSequence: [measures] }),
      ...(placed && { PlaneOrientationSequence: [{ ImageOrientationPatient: [...planeOf(first)!.imageOrientationPatient] }] }),
    },
    frameOfReference: placed ? { FrameOfReferenceUID: first.frameOfReferenceUID!, PositionReferenceIndicator: first.positionReferenceIndicator ?? '' } : {},
  };
}

/** Functional groups of a frame on a plane: its place, and the frame that it was made from. */
export function planeGroups({ source, position }: SourcePlane, derivation: DicomObject): DicomObject {
  return {
    ...(position && { PlanePositionSequence: [{ ImagePositionPatient: [...position] }] }),
    DerivationImageSequence: derivationImage([source], derivation),
  };
}
