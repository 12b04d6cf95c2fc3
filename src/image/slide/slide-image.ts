import type { DicomJson } from '../../dicom/dicomjson.ts';
import { JsonSet } from '../../dicom/json-set.ts';
import { checkedLinear, type ModalityTransform } from '../../dicom/modality-transform.ts';
import { readPixelFormat, type PixelFormat } from '../../dicom/pixel-format.ts';
import { synthesisHeader, synthesisOf, type SynthesisRule } from '../../dicom/synthesis.ts';
import { spacingFrom, type PixelSpacing } from '../../dicom/spacing.ts';
import { OverreadError } from '../../errors.ts';

/** VL Whole Slide Microscopy Image Storage. */
export const WHOLE_SLIDE = '1.2.840.10008.5.1.4.1.1.77.1.6';

/** Where one frame of a TILED_SPARSE image lies. */
export interface FramePosition {
  /** Of the frame's first pixel, from 0, in pixels of the total pixel matrix. */
  readonly x: number;
  readonly y: number;
  readonly zOffset?: number;
  readonly opticalPath?: string;
}

/** What we need of one instance of a slide (PS3.3 A.32.8): an image at one resolution, or a part of one. */
export interface SlideImage {
  readonly studyInstanceUID: string;
  readonly seriesInstanceUID: string;
  readonly sopInstanceUID: string;
  readonly modality: string;
  readonly frameOfReferenceUID?: string;
  readonly pyramidUID?: string;
  readonly patientID?: string;
  readonly seriesDescription?: string;
  /** Why it counts as synthesised; absent where nothing says so. */
  readonly synthesised?: string;
  /** What value 3 of Image Type says: VOLUME is a level; LABEL, OVERVIEW, THUMBNAIL are pictures beside it. */
  readonly flavour: string;
  /** Where the sender says it; each frame may say otherwise. */
  readonly transferSyntaxUID?: string;
  /** Of a frame. */
  readonly format: PixelFormat;
  readonly transform: ModalityTransform;
  readonly totalColumns: number;
  readonly totalRows: number;
  readonly focalPlanes: number;
  /** In the order in which TILED_FULL counts them. */
  readonly opticalPaths: readonly string[];
  readonly spacing?: PixelSpacing;
  readonly organisation: 'TILED_FULL' | 'TILED_SPARSE';
  /** Of TILED_SPARSE, one a frame. */
  readonly positions: readonly FramePosition[];
  /** Where the image is one part of a concatenation (PS3.3 C.7.6.16.1): its frames begin at `firstFrame`, from 0. */
  readonly concatenation?: { readonly uid: string; readonly firstFrame: number; readonly parts?: number };
}

/**
 * Reads an instance of a slide.
 * @param json DICOM JSON as a DICOMweb server sends it, or of a file's header
 * @param synthesisRules of the site, on what was synthesised
 * @throws OverreadError `input/refused` for another kind of object; `input/inconsistent`, `input/unsupported-pixels`
 */
export function readSlideImage(json: DicomJson, synthesisRules?: readonly SynthesisRule[]): SlideImage {
  const set = new JsonSet(json);
  const sopClassUID = set.string('00080016');
  if (sopClassUID !== WHOLE_SLIDE) {
    throw new OverreadError('input/refused', `Expected a VL Whole Slide Microscopy image, got an object of SOP class ${sopClassUID ?? '(none)'}. Choose a slide.`, { expected: WHOLE_SLIDE, got: sopClassUID });
  }
  const format = readPixelFormat(set, { tag: '7FE00010' });
  const shared = set.items('52009229')[0];
  const perFrame = set.items('52009230');
  const organisation = set.string('00209311') === 'TILED_FULL' ? 'TILED_FULL' : 'TILED_SPARSE';
  const opticalPaths = set.items('00480105').map((item, i) => item.string('00480106') ?? String(i + 1));
  const [, , flavour = 'VOLUME'] = set.strings('00080008') ?? [];
  const optional = {
    frameOfReferenceUID: set.string('00200052'),
    pyramidUID: set.string('00081019'),
    patientID: set.string('00100020'),
    seriesDescription: set.string('0008103E'),
    synthesised: synthesisOf(synthesisHeader(set), synthesisRules),
    transferSyntaxUID: set.string('00083002'),
    spacing: spacingFrom((shared?.items('00289110')[0] ?? perFrame[0]?.items('00289110')[0])?.optionalNumbers('00280030'), 'SharedFunctionalGroups'),
    concatenation: concatenationOf(set),
  };
  return {
    studyInstanceUID: needed(set, '0020000D', 'StudyInstanceUID'),
    seriesInstanceUID: needed(set, '0020000E', 'SeriesInstanceUID'),
    sopInstanceUID: needed(set, '00080018', 'SOPInstanceUID'),
    modality: set.string('00080060') ?? 'SM',
    flavour,
    format,
    transform: transformOf(set, shared),
    totalColumns: size(set, '00480006', 'TotalPixelMatrixColumns', format.numberOfFrames === 1 ? format.columns : undefined),
    totalRows: size(set, '00480007', 'TotalPixelMatrixRows', format.numberOfFrames === 1 ? format.rows : undefined),
    focalPlanes: set.uint16('00480303') ?? 1,
    opticalPaths: opticalPaths.length > 0 ? opticalPaths : ['1'],
    organisation,
    positions: organisation === 'TILED_FULL' ? [] : positionsOf(shared, perFrame, format),
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
  };
}

function needed(set: JsonSet, tag: string, keyword: string): string {
  const value = set.string(tag);
  if (value) return value;
  throw new OverreadError('input/inconsistent', `The slide's instance has no ${keyword}, so a result could not refer to it. Mend the file.`, { expected: keyword, got: 'nothing' });
}

function size(set: JsonSet, tag: string, keyword: string, otherwise: number | undefined): number {
  const value = set.number(tag, keyword) ?? otherwise;
  if (value !== undefined && Number.isInteger(value) && value > 0) return value;
  throw new OverreadError('input/inconsistent', `Expected ${keyword} of at least 1, got ${value ?? 'none'}: the size of the slide is not known. Mend the file.`, { attribute: keyword, expected: '≥ 1', got: value });
}

/** Colour has none; grey levels have a rescale of their own or one that all frames share. */
function transformOf(set: JsonSet, shared: JsonSet | undefined): ModalityTransform {
  const of = shared?.items('00289145')[0] ?? set;
  return checkedLinear(of.number('00281053', 'RescaleSlope') ?? 1, of.number('00281052', 'RescaleIntercept') ?? 0);
}

function concatenationOf(set: JsonSet): SlideImage['concatenation'] {
  const uid = set.string('00209161');
  if (uid === undefined) return undefined;
  const parts = set.number('00209163', 'InConcatenationTotalNumber');
  return { uid, firstFrame: set.number('00209228', 'ConcatenationFrameOffsetNumber') ?? 0, ...(parts !== undefined && { parts }) };
}

function positionsOf(shared: JsonSet | undefined, perFrame: readonly JsonSet[], { numberOfFrames }: PixelFormat): FramePosition[] {
  // One frame that is the whole image need not say where it lies.
  if (perFrame.length === 0 && numberOfFrames === 1) return [{ x: 0, y: 0 }];
  if (perFrame.length !== numberOfFrames) {
    throw new OverreadError('input/inconsistent', `Expected a place for each of ${numberOfFrames} tiles, or DimensionOrganizationType TILED_FULL, got ${perFrame.length} places. Mend the file.`, { expected: numberOfFrames, got: perFrame.length });
  }
  return perFrame.map((frame, i) => {
    const place = frame.items('0048021A')[0];
    const [column, row] = [place?.number('0048021E', 'ColumnPositionInTotalImagePixelMatrix'), place?.number('0048021F', 'RowPositionInTotalImagePixelMatrix')];
    if (column === undefined || row === undefined) {
      throw new OverreadError('input/inconsistent', `Expected the place of tile ${i + 1} in the total pixel matrix, got none. Mend the file.`, { expected: 'PlanePositionSlideSequence', got: 'nothing' });
    }
    const zOffset = place?.optionalNumbers('0040074A')?.[0];
    const opticalPath = (frame.items('00480207')[0] ?? shared?.items('00480207')[0])?.string('00480106');
    return { x: column - 1, y: row - 1, ...(zOffset !== undefined && { zOffset }), ...(opticalPath !== undefined && { opticalPath }) };
  });
}
