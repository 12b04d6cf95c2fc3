import { decodeFrame } from '../dicom/decode.ts';
import { stackGeometry, type Slice } from '../dicom/geometry.ts';
import { readImageInstance, type ImageInstance } from '../dicom/instance.ts';
import type { PixelSpacing } from '../dicom/spacing.ts';
import type { SynthesisRule } from '../dicom/synthesis.ts';
import { OverreadError } from '../errors.ts';
import { channelsOf, framePixels } from './frame-pixels.ts';
import type { Image, ImageAttributes, SourceReference } from './image.ts';
import type { Range } from './modality-values.ts';

/** Shadows and photographs: a pixel has no one place in the patient, so a position that they state is not used. */
const PROJECTIONS = new Set(['CR', 'DX', 'DR', 'MG', 'IO', 'PX', 'XA', 'RF', 'RG', 'RTIMAGE', 'XC', 'GM', 'SM']);

export interface InstanceOptions {
  /** Take this frame only; counts from 1. */
  readonly frame?: number;
  /** Path or name: for messages, and as source where the instance has no UIDs. */
  readonly file?: string;
  /** Of the site, on what was synthesised. */
  readonly synthesisRules?: readonly SynthesisRule[];
}

/** One frame of an instance that was read. */
interface FrameOf {
  readonly instance: ImageInstance;
  readonly frameIndex: number;
  readonly file?: string;
}

/**
 * The image of a DICOM file: the picture, the frame asked for, or, for a multi-frame that states where its frames lie
 * (enhanced CT, MR, PET), the volume.
 * @throws OverreadError `input/*`; `input/geometry` for several frames that make no volume when none was asked for
 */
export async function imageFromInstance(bytes: Uint8Array, options: InstanceOptions = {}): Promise<Image> {
  return imageOf(readImageInstance(bytes, options.synthesisRules), options);
}

/** As {@link imageFromInstance}, of an instance that was read before. */
export async function imageOf(instance: ImageInstance, { frame, file }: InstanceOptions = {}): Promise<Image> {
  const { numberOfFrames } = instance.pixelFormat;
  if (frame !== undefined || numberOfFrames === 1) return imageOfFrames([{ instance, frameIndex: (frame ?? 1) - 1, file }]);
  if (!framesMakeVolume(instance)) {
    throw new OverreadError('input/geometry',
      `The file has ${numberOfFrames} frames and does not say where each lies, so they make no volume. Choose one, 1 to ${numberOfFrames}.`,
      { expected: 'a position for each frame', got: `${instance.planes.length} positions for ${numberOfFrames} frames` });
  }
  return imageOfFrames(Array.from({ length: numberOfFrames }, (_, frameIndex) => ({ instance, frameIndex, file })));
}

/** True when an instance of several frames says where each of them lies. */
export function framesMakeVolume(instance: ImageInstance): boolean {
  return instance.pixelFormat.numberOfFrames > 1 && hasPlanes(instance);
}

/** True for a single-frame slice that says where it lies: one of a volume. */
export function stacks(instance: ImageInstance): boolean {
  return instance.pixelFormat.numberOfFrames === 1 && hasPlanes(instance) && instance.spacing !== undefined;
}

/**
 * The volume of a series of single-frame instances, in any order; they are sorted by where they lie, not by number.
 * @param files bytes of each instance, with names for messages
 * @param synthesisRules of the site, on what was synthesised
 * @throws OverreadError `input/*`; `input/geometry` with the numbers when they make no volume
 */
export async function volumeFromInstances(files: readonly (Uint8Array | { readonly name: string; readonly bytes: Uint8Array })[], synthesisRules?: readonly SynthesisRule[]): Promise<Image> {
  return imageOfFrames(files.flatMap((f) => {
    const [bytes, file] = f instanceof Uint8Array ? [f] : [f.bytes, f.name];
    const instance = readImageInstance(bytes, synthesisRules);
    return Array.from({ length: instance.pixelFormat.numberOfFrames }, (_, frameIndex) => ({ instance, frameIndex, file }));
  }));
}

const hasPlanes = ({ planes, pixelFormat, modality }: ImageInstance): boolean =>
  planes.length === pixelFormat.numberOfFrames && !PROJECTIONS.has(modality);

const spacingOf = ({ instance, frameIndex }: FrameOf): PixelSpacing | undefined => instance.planes[frameIndex]?.spacing ?? instance.spacing;

async function imageOfFrames(frames: readonly FrameOf[]): Promise<Image> {
  const first = frames[0];
  if (!first) throw new OverreadError('input/geometry', 'Expected at least one slice, got none.', { expected: '≥ 1', got: 0 });
  if (frames.length > 1) checkOneSeries(frames);
  const spacing = spacingOf(first);
  const placed = frames.length > 1 || (hasPlanes(first.instance) && spacing !== undefined);
  const geometry = placed ? stackGeometry(frames.map(sliceOf)) : undefined;
  const sorted = geometry ? geometry.order.map((i) => frames[i]!) : frames;
  const { pixelFormat: { rows, columns }, modality, frameOfReferenceUID } = first.instance;
  const channels = channelsOf(first.instance);
  const plane = rows * columns * channels;
  let pixels: Float32Array | undefined;
  const ranges: Range[] = [];
  for (const [i, { instance, frameIndex }] of sorted.entries()) {
    const frame = await decodeFrame(instance, frameIndex);
    // Only now: a size that the file makes up has been found out.
    pixels ??= new Float32Array(plane * sorted.length);
    ranges.push(framePixels(instance, frameIndex, frame, pixels.subarray(i * plane, (i + 1) * plane)));
  }
  return {
    sources: sorted.map(referenceTo),
    modality,
    shape: [columns, rows, sorted.length],
    channels,
    attributes: attributesOf(first.instance),
    ...(geometry && { indexToPatient: geometry.indexToPatient }),
    ...(geometry && frameOfReferenceUID !== undefined && { frameOfReferenceUID }),
    ...(spacing && { spacingMm: spacing.mm, spacingSource: spacing.source }),
    ...(geometry?.sliceSpacingMm !== undefined && { sliceSpacingMm: geometry.sliceSpacingMm }),
    pixels: pixels!,
    representableRange: [Math.min(...ranges.map((r) => r[0])), Math.max(...ranges.map((r) => r[1]))],
  };
}

const nameOf = ({ instance, frameIndex, file }: FrameOf): string =>
  `${file ?? instance.sopInstanceUID ?? 'a slice'}${instance.pixelFormat.numberOfFrames > 1 ? ` frame ${frameIndex + 1}` : ''}`;

function sliceOf(frame: FrameOf): Slice {
  const plane = frame.instance.planes[frame.frameIndex];
  const spacing = spacingOf(frame);
  if (!plane || !spacing) {
    const missing = plane ? 'pixel spacing' : 'ImagePositionPatient and ImageOrientationPatient';
    throw new OverreadError('input/geometry', `Slices of a volume say where they lie, but ${nameOf(frame)} has no valid ${missing}. Open it by itself.`,
      { expected: missing, got: 'nothing', file: nameOf(frame) });
  }
  return { ...plane, spacingMm: spacing.mm, name: nameOf(frame) };
}

/** What must be the same in all slices of one volume, besides how they lie. */
function checkOneSeries(frames: readonly FrameOf[]): void {
  const same: readonly (readonly [what: string, of: (i: ImageInstance) => unknown])[] = [
    ['series', (i) => i.seriesInstanceUID],
    ['modality', (i) => i.modality],
    ['frame of reference', (i) => i.frameOfReferenceUID],
    ['size', (i) => `${i.pixelFormat.columns}×${i.pixelFormat.rows}`],
    ['number of channels', channelsOf],
  ];
  const first = frames[0]!;
  for (const [what, of] of same) {
    const other = frames.find((f) => of(f.instance) !== of(first.instance));
    if (!other) continue;
    const [expected, got] = [of(first.instance) ?? 'none', of(other.instance) ?? 'none'];
    throw new OverreadError('input/geometry', `Slices of one volume have one ${what}, but ${nameOf(first)} has ${expected} and ${nameOf(other)} ${got}. Choose one series.`, { expected, got });
  }
}

function referenceTo({ instance, frameIndex, file }: FrameOf): SourceReference {
  const { studyInstanceUID, seriesInstanceUID, sopInstanceUID } = instance;
  if (studyInstanceUID && seriesInstanceUID && sopInstanceUID) return { studyInstanceUID, seriesInstanceUID, sopInstanceUID, frame: frameIndex + 1 };
  if (file !== undefined) return { file };
  throw new OverreadError('input/inconsistent', 'The instance lacks its study, series or SOP instance UID, so a result could not refer to it. Mend the file.',
    { expected: 'three UIDs', got: { studyInstanceUID, seriesInstanceUID, sopInstanceUID } });
}

function attributesOf(instance: ImageInstance): ImageAttributes {
  const { patientID, viewPosition, bodyPartExamined, patientOrientation, seriesDescription, mr, synthesised, sopClassUID, transferSyntaxUID } = instance;
  const photometricInterpretation = instance.pixelFormat.photometricInterpretation;
  const all = { patientID, viewPosition, bodyPartExamined, patientOrientation, seriesDescription, mr, synthesised, sopClassUID, photometricInterpretation, transferSyntaxUID };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}
