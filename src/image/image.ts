import type { MrAcquisition, MrModality } from '../dicom/mr.ts';

/** Row-major 4×4: pixel index (column, row, slice), a pixel's centre, → LPS patient coordinates in mm. */
export type Affine = readonly number[];

/** Where one plane of an {@link Image} came from. `frame` counts from 1, as DICOM does. */
export interface InstanceReference {
  readonly studyInstanceUID: string;
  readonly seriesInstanceUID: string;
  readonly sopInstanceUID: string;
  readonly frame: number;
}

/** A picture that is no DICOM object (PNG, JPEG), by its path or name. */
export interface FileReference {
  readonly file: string;
  /** What it is a picture of, where whoever names the file knows: pictures of one item of a data set. */
  readonly study?: string;
}

export type SourceReference = InstanceReference | FileReference;

export type ViewPosition = 'PA' | 'AP' | 'LL' | 'RL' | string;

/** Attributes of the source that a model may ask for. Never a patient name. */
export interface ImageAttributes {
  readonly patientID?: string;
  readonly viewPosition?: ViewPosition;
  readonly bodyPartExamined?: string;
  /** Towards where a row and a column run, such as ['L', 'F']. */
  readonly patientOrientation?: readonly string[];
  readonly seriesDescription?: string;
  /** Of MR series. */
  readonly mr?: MrAcquisition;
  /** Which MR modality it is, where whoever gives the image says so. */
  readonly mrModality?: MrModality;
  /** Why it counts as synthesised, drawn by a network or translated from another modality; absent where nothing says so. */
  readonly synthesised?: string;
  readonly sopClassUID?: string;
  readonly photometricInterpretation?: string;
  readonly transferSyntaxUID?: string;
}

/** Which DICOM attribute the in-plane spacing was read from; the first two differ by magnification. */
export type SpacingSource = 'PixelSpacing' | 'ImagerPixelSpacing' | 'NominalScannedPixelSpacing' | 'SharedFunctionalGroups' | 'given';

/** Everything about an {@link Image} but its pixels: what a result keeps and lives on. */
export interface ImageReference {
  /** One entry per slice, in slice order. */
  readonly sources: readonly SourceReference[];
  readonly frameOfReferenceUID?: string;
  /** DICOM Modality ('DX', 'CT', ...); 'OT' for pictures that do not say. */
  readonly modality: string;
  /** [columns, rows, slices] */
  readonly shape: readonly [columns: number, rows: number, slices: number];
  /** 1: modality values; 3: RGB, interleaved, 0..255. */
  readonly channels: 1 | 3;
  /** Absent on projection radiographs and plain pictures. */
  readonly indexToPatient?: Affine;
  /** Distance between neighbouring pixel centres: along a row (column spacing), along a column (row spacing). Absent when unknown. */
  readonly spacingMm?: readonly [column: number, row: number];
  readonly spacingSource?: SpacingSource;
  /** Distance between neighbouring slices along the normal; absent on single slices. */
  readonly sliceSpacingMm?: number;
  readonly attributes: ImageAttributes;
}

/**
 * Pixels in modality values with geometry. `pixels` is laid out slice by slice, row by row, channels
 * interleaved: index ((slice·rows + row)·columns + column)·channels + channel. Values have the modality LUT or
 * rescale applied (CT: HU); MONOCHROME1 is already inverted (larger is always brighter); colour is RGB 0..255.
 */
export interface Image extends ImageReference {
  readonly pixels: Float32Array;
  /**
   * The range that stored values could take after the modality LUT ([0, 255] for 8 bits): what
   * torchxrayvision-style models scale by. Not the range that occurs.
   */
  readonly representableRange: readonly [min: number, max: number];
}

/** Gives images of one series, whatever holds them: the viewer's cache, a folder, a PACS. */
export interface ImageSource {
  open(seriesInstanceUID: string, signal?: AbortSignal): Promise<Image>;
}

/** The image without its pixels. */
export function referenceOf(image: ImageReference): ImageReference {
  const { sources, frameOfReferenceUID, modality, shape, channels, indexToPatient, spacingMm, spacingSource, sliceSpacingMm, attributes } = image;
  return {
    sources, modality, shape, channels, attributes,
    ...(frameOfReferenceUID !== undefined && { frameOfReferenceUID }),
    ...(indexToPatient && { indexToPatient }),
    ...(spacingMm && { spacingMm }),
    ...(spacingSource && { spacingSource }),
    ...(sliceSpacingMm !== undefined && { sliceSpacingMm }),
  };
}

export function isInstanceReference(source: SourceReference): source is InstanceReference {
  return 'sopInstanceUID' in source;
}
