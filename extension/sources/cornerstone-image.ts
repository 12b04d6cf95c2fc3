import { applyTransform, checkedLinear } from '../../src/dicom/modality-transform.ts';
import type { SynthesisRule } from '../../src/dicom/synthesis.ts';
import { OverreadError, throwIfAborted, toOverreadError } from '../../src/errors.ts';
import type { Image } from '../../src/image/image.ts';
import { representableRange, type Range } from '../../src/image/modality-values.ts';
import { breathe } from '../../src/breathe.ts';
import { instanceReference } from '../identity.ts';
import type { Cornerstone, DicomInstance } from '../types/ohif.ts';
import { attributesOf, indexToPatientOf, numberOf, spacingOf } from './attributes.ts';
import { toModalityPixels, type PixelPlan } from './modality-pixels.ts';

type DecodedFrame = Awaited<ReturnType<Cornerstone['imageLoader']['loadAndCacheImage']>>;

/**
 * One frame of the viewer as an {@link Image} of one slice: modality values or RGB, larger is brighter, in a buffer of
 * our own, so that handing it to the worker takes nothing from the viewer's cache.
 * @param rules of the site, on what was synthesised
 * @throws OverreadError `input/no-pixels`, `input/unreadable`, `input/unsupported-pixels`, `job/cancelled`
 */
export async function readFrame(cornerstone: Cornerstone, imageId: string, signal?: AbortSignal, rules?: readonly SynthesisRule[]): Promise<Image> {
  const instance = cornerstone.metaData.get('instance', imageId) as DicomInstance | undefined;
  const source = instanceReference(instance);
  if (!instance || !source) {
    throw new OverreadError('input/no-pixels', 'Expected an image with its study, series and instance UIDs, got one that the viewer does not know. Open the study again.', { imageId });
  }
  const frame = await load(cornerstone, imageId);
  throwIfAborted(signal);
  const { rows, columns } = frame;
  const plan = planOf(frame, instance);
  const raw = frame.voxelManager?.getScalarData() as ArrayLike<number> | undefined;
  if (!raw || raw.length !== plan.pixels * plan.components) {
    throw new OverreadError(
      'input/inconsistent',
      `Expected ${columns} × ${rows} pixels of ${plan.components} values, got ${raw?.length ?? 0} values. Open the study again.`,
      { expected: plan.pixels * plan.components, got: raw?.length },
    );
  }
  const pixels = await toModalityPixels(raw, plan, breathe);
  throwIfAborted(signal);

  const spacing = spacingOf(instance);
  const indexToPatient = indexToPatientOf(instance, spacing?.spacingMm);
  return {
    sources: [source],
    ...(instance.FrameOfReferenceUID && { frameOfReferenceUID: instance.FrameOfReferenceUID }),
    modality: instance.Modality || 'OT',
    shape: [columns, rows, 1],
    channels: plan.components === 1 ? 1 : 3,
    ...(indexToPatient && { indexToPatient }),
    ...spacing,
    attributes: attributesOf(instance, rules),
    pixels,
    representableRange: plan.representableRange,
  };
}

async function load(cornerstone: Cornerstone, imageId: string): Promise<DecodedFrame> {
  try {
    return await cornerstone.imageLoader.loadAndCacheImage(imageId);
  } catch (error) {
    // The image loader rejects with objects of its own: { error, imageId }.
    const inner = (error as { error?: unknown } | null)?.error ?? error;
    throw new OverreadError('input/unreadable', `The viewer could not load this image (${toOverreadError(inner).message}). Open the study again, or another image.`, { imageId }, inner);
  }
}

function planOf(frame: DecodedFrame, instance: DicomInstance): PixelPlan {
  const pixels = frame.rows * frame.columns;
  const components = frame.numberOfComponents ?? (frame.color ? 3 : 1);
  if (frame.color || components > 1) {
    if (components !== 3 && components !== 4) {
      throw new OverreadError('input/unsupported-pixels', `Expected grey or RGB pixels, got ${components} values a pixel. Overread cannot read this image.`, { expected: [1, 3, 4], got: components });
    }
    return { pixels, components, slope: 1, intercept: 0, mirror: false, representableRange: [0, 255] };
  }
  if (instance.ModalityLUTSequence !== undefined) {
    throw new OverreadError('input/unsupported-pixels', 'Expected a linear modality rescale, got a Modality LUT Sequence, which the viewer does not apply. Overread cannot read this image here.', { expected: 'RescaleSlope', got: 'ModalityLUTSequence' });
  }
  const transform = checkedLinear(numberOf(instance.RescaleSlope) ?? 1, numberOf(instance.RescaleIntercept) ?? 0);
  const done = frame.preScale?.scaled === true || frame.isPreScaled === true;
  const range = representableRange({ bitsStored: numberOf(instance.BitsStored) ?? 16, signed: numberOf(instance.PixelRepresentation) === 1 }, transform);
  // Cornerstone leaves MONOCHROME1 as it is stored and inverts when it draws.
  const mirror = (instance.PhotometricInterpretation ?? frame.photometricInterpretation) === 'MONOCHROME1';
  const padding = paddingOf(instance, value => {
    const modality = Math.fround(applyTransform(transform, value));
    return Math.fround(mirror ? range[1] + range[0] - modality : modality);
  });
  return {
    pixels,
    components: 1,
    slope: done || transform.kind !== 'linear' ? 1 : transform.slope,
    intercept: done || transform.kind !== 'linear' ? 0 : transform.intercept,
    representableRange: range,
    mirror,
    ...(padding && { padding }),
  };
}

/** The range of pixels that were not measured, through `final`; undefined when the image states none. */
function paddingOf(instance: DicomInstance, final: (stored: number) => number): Range | undefined {
  const first = numberOf(instance.PixelPaddingValue);
  if (first === undefined) return undefined;
  const ends = [first, numberOf(instance.PixelPaddingRangeLimit) ?? first].map(final);
  return [Math.min(...ends), Math.max(...ends)];
}
