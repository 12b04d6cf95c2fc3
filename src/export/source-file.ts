import { jsonOf, vrOfTag } from '../dicom/dicomjson.ts';
import { readPart10 } from '../dicom/elements.ts';
import { inflateRaw } from '../dicom/parse.ts';
import { naturalised, sourceInstance, type SourceInstance } from './source.ts';

/** What a writer needs of a source that is a file. @throws OverreadError `input/*` */
export function sourceOfFile(bytes: Uint8Array): SourceInstance {
  return sourceInstance(naturalised(jsonOf(readPart10(bytes, { vrOf: vrOfTag, inflateRaw }))));
}
