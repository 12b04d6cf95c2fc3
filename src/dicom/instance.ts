import type { DataSet } from './data-set.ts';
import type { DicomElement } from './elements.ts';
import { framePlanes, sharedSpacing, type Plane } from './functional-groups.ts';
import { mrAcquisition, type MrAcquisition } from './mr.ts';
import { modalityTransforms, type ModalityTransform } from './modality-transform.ts';
import { paletteOf, type Palette } from './palette.ts';
import { parseDicom } from './parse.ts';
import { pixelElement, readPixelFormat, type PixelFormat } from './pixel-format.ts';
import { chooseSpacing, type PixelSpacing } from './spacing.ts';
import { synthesisHeader, synthesisOf, type SynthesisRule } from './synthesis.ts';
import { type TransferSyntax, transferSyntaxOf } from './transfer-syntaxes.ts';
import { VIEW_CODES } from './view-codes.ts';

/** What we need of a SOP instance with an image, typed; frames are decoded later, by `decodeFrame`. */
export interface ImageInstance {
  readonly transferSyntaxUID: string;
  readonly transferSyntax: TransferSyntax;
  readonly studyInstanceUID?: string;
  readonly seriesInstanceUID?: string;
  readonly sopInstanceUID?: string;
  readonly sopClassUID?: string;
  readonly frameOfReferenceUID?: string;
  /** 'OT' when the file does not say. */
  readonly modality: string;
  readonly imageType: readonly string[];
  /** Why it counts as synthesised; absent where nothing says so. */
  readonly synthesised?: string;
  readonly patientID?: string;
  readonly seriesDescription?: string;
  readonly bodyPartExamined?: string;
  readonly viewPosition?: string;
  /** [towards the right of a row, towards the bottom of a column], such as ['L', 'F'] */
  readonly patientOrientation?: readonly string[];
  readonly instanceNumber?: number;
  /** Of MR instances. */
  readonly mr?: MrAcquisition;
  /** In-plane spacing of the whole instance; a frame's own, where it has one, is in its plane. */
  readonly spacing?: PixelSpacing;
  readonly sliceThicknessMm?: number;
  /** Where each frame lies in the patient, index 0 the first; empty when the instance does not say. */
  readonly planes: readonly Plane[];
  readonly pixelFormat: PixelFormat;
  /** One for all frames, or one a frame. */
  readonly modalityTransforms: readonly ModalityTransform[];
  /** Stored values [low, high] that stand for "no pixel was measured here". */
  readonly pixelPadding?: readonly [low: number, high: number];
  readonly palette?: Palette;
  readonly window?: { readonly center: number; readonly width: number };
  /** The element that holds the pixels, and the bytes it points into. */
  readonly pixelData: { readonly element: DicomElement; readonly set: DataSet };
}

/**
 * Reads what a model may need of a DICOM file that holds an image.
 * @param synthesisRules of the site, on what was synthesised
 * @throws OverreadError `input/unreadable`, `input/truncated`, `input/no-pixels`, `input/unsupported-transfer-syntax`,
 *   `input/unsupported-pixels`, `input/inconsistent`
 */
export function readImageInstance(bytes: Uint8Array, synthesisRules?: readonly SynthesisRule[]): ImageInstance {
  const { set, transferSyntaxUID } = parseDicom(bytes);
  const modality = set.string('00080060') ?? 'OT';
  const sopClassUID = set.string('00080016');
  const element = pixelElement(set, modality, sopClassUID);
  const transferSyntax = transferSyntaxOf(transferSyntaxUID);
  const pixelFormat = readPixelFormat(set, element);
  const { signed } = pixelFormat;
  const center = set.optionalNumbers('00281050')?.[0];
  const width = set.optionalNumbers('00281051')?.[0];
  const padding = set.pixelValue('00280120', signed);
  const paddingLimit = set.pixelValue('00280121', signed) ?? padding;
  return {
    transferSyntaxUID,
    transferSyntax,
    studyInstanceUID: set.string('0020000D'),
    seriesInstanceUID: set.string('0020000E'),
    sopInstanceUID: set.string('00080018'),
    sopClassUID,
    frameOfReferenceUID: set.string('00200052'),
    modality,
    imageType: set.strings('00080008') ?? [],
    synthesised: synthesisOf(synthesisHeader(set), synthesisRules),
    patientID: set.text('00100020'),
    seriesDescription: set.text('0008103E'),
    bodyPartExamined: set.string('00180015'),
    viewPosition: set.string('00185101') ?? viewFromCode(set),
    patientOrientation: set.strings('00200020'),
    instanceNumber: set.optionalNumbers('00200013')?.[0],
    ...(modality === 'MR' && { mr: mrAcquisition(set) }),
    spacing: chooseSpacing({
      pixelSpacing: set.optionalNumbers('00280030'),
      imagerPixelSpacing: set.optionalNumbers('00181164'),
      nominalScannedPixelSpacing: set.optionalNumbers('00182010'),
    }) ?? sharedSpacing(set),
    sliceThicknessMm: set.optionalNumbers('00180050')?.[0],
    planes: framePlanes(set, pixelFormat.numberOfFrames),
    pixelFormat,
    modalityTransforms: modalityTransforms(set, pixelFormat),
    ...(padding !== undefined && { pixelPadding: [Math.min(padding, paddingLimit!), Math.max(padding, paddingLimit!)] as const }),
    palette: pixelFormat.photometricInterpretation === 'PALETTE COLOR' ? paletteOf(set, signed) : undefined,
    ...(center !== undefined && width !== undefined && { window: { center, width } }),
    pixelData: { element, set },
  };
}

function viewFromCode(set: DataSet): string | undefined {
  const code = set.items('00540220')[0];
  return code && VIEW_CODES[code.string('00080100') ?? ''];
}
