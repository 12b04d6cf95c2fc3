import { readFileSync } from 'node:fs';
import path from 'node:path';
import { OverreadError } from '../../errors.ts';
import type { ExportContext } from '../../export/derived.ts';
import { dicomObjects } from '../../export/exporters.ts';
import { encodePart10 } from '../../export/part10.ts';
import { sourceOfFile } from '../../export/source-file.ts';
import { isInstanceReference, type Image } from '../../image/image.ts';
import type { Result } from '../../results/result.ts';
import { resultStem } from './result-files.ts';
import { writeFile } from './write-file.ts';

/** @throws OverreadError `input/refused` for a picture that is no DICOM image, to which no object could refer */
export function checkDicom(images: readonly Image[]): void {
  const other = images.flatMap(({ sources }) => sources).find(source => !isInstanceReference(source));
  if (!other || isInstanceReference(other)) return;
  throw new OverreadError('input/refused', `A DICOM object refers to DICOM images, but ${other.file} is none. Wrap it first (overread dicomize), or leave --dicom away.`, { expected: 'a DICOM image', got: other.file });
}

/**
 * Writes the DICOM objects of a result under `folder`, with new UIDs every time: a mask and its measurements, a report of
 * scores or counts, with annotations on slides, a map.
 * @param image the plane or volume that the result lies on
 * @param reading the files that were read
 * @returns the files
 */
export function writeDicom(result: Result, image: Image, reading: { readonly files: readonly string[] }, { folder, input, algorithm }: { readonly folder: string; readonly input: string; readonly algorithm: ExportContext['algorithm'] }): string[] {
  const sources = [...new Set(reading.files)].map(file => sourceOfFile(readFileSync(file)));
  const stem = resultStem(result, input);
  const names = new Map<string, number>();
  return dicomObjects(result, { sources, algorithm }, { image }).map(object => {
    const kind = String(object.Modality);
    const n = (names.get(kind) ?? 0) + 1;
    names.set(kind, n);
    const file = path.join(folder, `${stem}.${kind}${n > 1 ? n : ''}.dcm`);
    writeFile(file, encodePart10(object));
    return file;
  });
}
