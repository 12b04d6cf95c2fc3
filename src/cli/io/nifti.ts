import { gzipSync } from 'node:zlib';
import { niftiFile, type NiftiVolume } from '../../export/nifti.ts';

/** A gzipped NIfTI-1 file, as {@link niftiFile} writes it. */
export function niftiGz(volume: NiftiVolume): Buffer {
  return gzipSync(niftiFile(volume));
}
