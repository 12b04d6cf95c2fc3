import { stackGeometry } from '../../dicom/geometry.ts';
import { OverreadError } from '../../errors.ts';
import type { ImageReference, InstanceReference } from '../../image/image.ts';
import type { SourceInstance } from '../source.ts';

/** One frame of a source. */
export type SourceFrame = SourceInstance & { readonly frame: number };

/**
 * The grid of source frames, in slice order: what a result that is read back lives on.
 * @param pixelSpacing [row, column] mm, where the object states it and the source does not
 * @throws OverreadError `input/geometry` for slices that make no volume
 */
export function gridOf(frames: readonly SourceFrame[], pixelSpacing?: readonly number[]): ImageReference {
  const [first] = frames as readonly [SourceFrame];
  const spacing = pixelSpacing ?? first.pixelSpacing;
  const spacingMm = spacing?.length === 2 ? ([spacing[1]!, spacing[0]!] as const) : undefined;
  const placed = spacingMm !== undefined && frames.every(({ planes, frame }) => planes[frame - 1]);
  if (!placed && frames.length > 1) {
    throw new OverreadError('input/geometry', `Expected frames that say where they lie, got ${frames.length} that do not. They are no volume.`, { expected: 'a plane for each frame', got: frames.length });
  }
  const geometry = placed ? stackGeometry(frames.map(frame => ({ ...frame.planes[frame.frame - 1]!, spacingMm: spacingMm, name: frame.sopInstanceUID }))) : undefined;
  const ordered = geometry ? geometry.order.map(i => frames[i]!) : frames;
  const slide = first.slide;
  return {
    sources: ordered.map(referenceTo),
    modality: first.modality,
    shape: slide ? [Number(slide.TotalPixelMatrixColumns), Number(slide.TotalPixelMatrixRows), 1] : [first.columns, first.rows, ordered.length],
    channels: slide ? 3 : 1,
    attributes: { sopClassUID: first.sopClassUID },
    ...(geometry && { indexToPatient: geometry.indexToPatient }),
    ...((geometry || slide) && first.frameOfReferenceUID !== undefined && { frameOfReferenceUID: first.frameOfReferenceUID }),
    ...(spacingMm && { spacingMm, spacingSource: 'given' as const }),
    ...(geometry?.sliceSpacingMm !== undefined && { sliceSpacingMm: geometry.sliceSpacingMm }),
  };
}

export function referenceTo({ studyInstanceUID, seriesInstanceUID, sopInstanceUID, frame }: SourceFrame): InstanceReference {
  return { studyInstanceUID, seriesInstanceUID, sopInstanceUID, frame };
}

/** Every frame of these instances. */
export function framesOf(instances: readonly SourceInstance[]): SourceFrame[] {
  return instances.flatMap(instance => Array.from({ length: instance.slide ? 1 : instance.numberOfFrames }, (_, i) => ({ ...instance, frame: i + 1 })));
}

/**
 * The instances that an object refers to, of those at hand.
 * @throws OverreadError `input/inconsistent` when one is not: a result is shown on its own images or not at all
 */
export function referenced(uids: readonly string[], sources: readonly SourceInstance[]): SourceInstance[] {
  return [...new Set(uids)].map(uid => {
    const found = sources.find(({ sopInstanceUID }) => sopInstanceUID === uid);
    if (found) return found;
    throw new OverreadError('input/inconsistent', `The object was made from the image ${uid}, which is not in this study. It is not shown.`, { expected: uid, got: 'nothing' });
  });
}
