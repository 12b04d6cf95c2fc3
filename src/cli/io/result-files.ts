import { createHash } from 'node:crypto';
import path from 'node:path';
import { OverreadError } from '../../errors.ts';
import { affineOf } from '../../export/nifti.ts';
import { isInstanceReference, type Image } from '../../image/image.ts';
import type { LabelmapResult, Result } from '../../results/result.ts';
import { niftiGz } from './nifti.ts';
import { overlayPng, type Outline } from './overlay.ts';
import { greyPng, greyPng16 } from './png.ts';
import { writeFile } from './write-file.ts';

/**
 * Writes a labelmap under `folder`: a single plane as 8-bit grey PNG, a volume as NIfTI; a pixel's value is the segment
 * number. The name is made of the input's, of a hash of its whole path, frame and model, so that no two collide.
 * @returns the file, or undefined for a result that has no pixels to write
 */
export function writeLabelmap(result: Result, folder: string, input: string): string | undefined {
  if (result.kind !== 'labelmap') return undefined;
  const { shape } = result.source;
  const single = shape[2] === 1;
  const file = path.join(folder, `${resultStem(result, input)}${single ? '.png' : '.nii.gz'}`);
  writeFile(file, single ? greyPng(result.labels, shape[0], shape[1]) : niftiGz({ shape, values: result.labels, indexToPatient: affineOf(result.source) }));
  return file;
}

/**
 * Writes the objects of a single plane beside the labelmap, as 16-bit grey PNG: 0 background, else an object's number.
 * @returns the file, or undefined for a result without objects
 * @throws OverreadError `input/refused` for more objects than 16 bits number
 */
export function writeInstances(result: Result, folder: string, input: string): string | undefined {
  if (result.kind !== 'labelmap' || !result.instances) return undefined;
  const { labels, count } = result.instances;
  if (count > MAX_OBJECTS) {
    throw new OverreadError('input/refused', `Expected at most ${MAX_OBJECTS} objects for a 16-bit PNG, got ${count}. Leave --instances away, or cut the picture.`, { expected: MAX_OBJECTS, got: count });
  }
  const [columns, rows] = result.source.shape;
  const file = path.join(folder, `${resultStem(result, input)}.instances.png`);
  writeFile(file, greyPng16(Uint16Array.from(labels), columns, rows));
  return file;
}

const MAX_OBJECTS = 0xffff;

/** Writes the plane with the segments outlined, beside the labelmap, for a person to look at. */
export function writeOverlay(result: Result, image: Image, folder: string, input: string): string | undefined {
  if (result.kind !== 'labelmap' || image.shape[2] !== 1) return undefined;
  const file = path.join(folder, `${resultStem(result, input)}.overlay.png`);
  writeFile(file, overlayPng(image, [segmentOutline(result)]));
  return file;
}

/** The segments in their targets' colours, or in yellow. */
export function segmentOutline({ labels, segments }: LabelmapResult): Outline {
  const colors = new Map(segments.map(({ segmentNumber, target }) => [segmentNumber, target.color]));
  return { labels, color: label => colors.get(label) ?? [255, 220, 0] };
}

/** A file's name without its end: of the input's name, and of a hash of its whole path, frame and model. */
export function resultStem({ source, model }: Result, input: string): string {
  const [first] = source.sources;
  const frame = first && isInstanceReference(first) && source.sources.length === 1 ? first.frame : 1;
  const hash = createHash('sha256').update(JSON.stringify([path.resolve(input), frame, model.sha256])).digest('hex').slice(0, 8);
  const name = path.basename(input).replace(/\.(nii\.gz|[A-Za-z0-9]{1,5})$/, '').replace(/[^A-Za-z0-9_-]+/g, '_').slice(0, 80);
  return `${name || 'image'}${frame > 1 ? `-frame${frame}` : ''}-${hash}.${model.id}`;
}
