import { OverreadError } from '../errors.ts';
import { looksLikeDicom, startOf } from '../dicom/parse.ts';
import type { Image } from './image.ts';
import { imageFromInstance, type InstanceOptions } from './instance-image.ts';
import { imageFromJpeg, looksLikeJpeg } from './jpeg.ts';
import { imageFromNifti, looksLikeNifti } from './nifti.ts';
import { imageFromPng, looksLikePng } from './png.ts';

export type FileKind = 'dicom' | 'png' | 'jpeg' | 'nifti';

/** What a file is, by its first bytes and never by its name; undefined when it is none that we read. */
export function kindOfFile(bytes: Uint8Array): FileKind | undefined {
  if (looksLikePng(bytes)) return 'png';
  if (looksLikeJpeg(bytes)) return 'jpeg';
  if (looksLikeDicom(bytes)) return 'dicom';
  return looksLikeNifti(bytes) ? 'nifti' : undefined;
}

/**
 * The image of a DICOM, PNG, JPEG or NIfTI file.
 * @param name path or name: for messages, and the source of a file that is no DICOM
 * @param options of a DICOM file: the frame of a multi-frame, counts from 1; the site's rules on what was synthesised
 * @throws OverreadError `input/*`
 */
export async function imageFromFile(bytes: Uint8Array, name: string, options: Pick<InstanceOptions, 'frame' | 'synthesisRules'> = {}): Promise<Image> {
  switch (kindOfFile(bytes)) {
    case 'dicom': return imageFromInstance(bytes, { ...options, file: name });
    case 'png': return imageFromPng(bytes, name);
    case 'jpeg': return imageFromJpeg(bytes, name);
    case 'nifti': return imageFromNifti(bytes, name);
    default: throw unreadable(bytes, name);
  }
}

export function unreadable(bytes: Uint8Array, name: string): OverreadError {
  return new OverreadError('input/unreadable', `Expected a DICOM, PNG, JPEG or NIfTI file, but ${name} starts with ${startOf(bytes)}. Choose another file.`,
    { expected: ['dicom', 'png', 'jpeg', 'nifti'], got: startOf(bytes), file: name });
}
