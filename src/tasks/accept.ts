import { OverreadError } from '../errors.ts';
import type { Image } from '../image/image.ts';
import type { ModelManifest } from '../manifest.ts';
import { planChannels, refuseColour, refuseGrey } from '../tensor/channels.ts';

/**
 * Refuses an image that the manifest's input does not describe. What the image does not say (body part, view) is not
 * held against it.
 * @throws OverreadError `input/refused`, naming what the model reads and what the image is
 */
export function acceptPlane(image: Image, manifest: ModelManifest): void {
  const { name, input } = manifest;
  acceptKind(image, manifest);
  const slices = image.shape[2];
  if (slices !== 1) {
    throw refused(name, 'reads one plane', `a volume or a multi-frame image of ${slices} planes`, 1, slices);
  }
  if (planChannels(image, input) === 'luminance') refuseColour(image, input);
  if (input.colour) refuseGrey(image);
}

/** What holds for planes and for volumes. */
function acceptKind(image: Image, { name, input }: ModelManifest): void {
  const { bodyPartExamined, viewPosition } = image.attributes;
  if (!includes(input.modality, image.modality)) {
    throw refused(name, `reads images of modality ${or(input.modality)}`, `modality ${image.modality}`, input.modality, image.modality);
  }
  if (input.bodyPart && bodyPartExamined && !includes(input.bodyPart, bodyPartExamined)) {
    throw refused(name, `reads images of the body part ${or(input.bodyPart)}`, `body part ${bodyPartExamined}`, input.bodyPart, bodyPartExamined);
  }
  if (input.viewPosition && viewPosition && !includes(input.viewPosition, viewPosition)) {
    throw refused(name, `reads the view position ${or(input.viewPosition)}`, `view position ${viewPosition}`, input.viewPosition, viewPosition);
  }
}

/**
 * As {@link acceptPlane}, of a model that reads one picture.
 * @throws OverreadError `input/views` for several
 */
export function acceptOnePlane(images: readonly Image[], manifest: ModelManifest): void {
  const [image, ...others] = images;
  if (!image || others.length) {
    throw new OverreadError('input/views', `${manifest.name} reads one picture, got ${images.length}. Choose one.`, { expected: 1, got: images.length });
  }
  acceptPlane(image, manifest);
}

/**
 * As {@link acceptOnePlane}, of a model that reads volumes.
 * @throws OverreadError `input/refused`, `input/views`
 */
export function acceptVolume(images: readonly Image[], manifest: ModelManifest): void {
  const [image, ...others] = images;
  if (!image || others.length) {
    throw new OverreadError('input/views', `${manifest.name} reads one volume, got ${images.length}. Choose one series.`, { expected: 1, got: images.length });
  }
  acceptKind(image, manifest);
  const { shape, channels, indexToPatient } = image;
  if (channels !== 1) throw refused(manifest.name, 'reads volumes of one channel', 'in colour', 1, channels);
  if (shape[2] === 1) throw refused(manifest.name, 'reads volumes', `a single plane of ${shape[0]} × ${shape[1]}`, 'several slices', 1);
  if (!indexToPatient) throw refused(manifest.name, 'brings volumes to its own grid by their geometry', 'a volume without position and orientation', 'indexToPatient', undefined);
}

function refused(name: string, reads: string, is: string, expected: unknown, got: unknown): OverreadError {
  return new OverreadError('input/refused', `${name} ${reads}, but this image is ${is}. Choose another image or another model.`, { expected, got });
}

function includes(allowed: readonly string[], value: string): boolean {
  return allowed.some(a => a.toUpperCase() === value.trim().toUpperCase());
}

function or(values: readonly string[]): string {
  return values.join(' or ');
}
