import path from 'node:path';
import { OverreadError } from '../../errors.ts';
import type { InstanceIdentity } from '../../export/identity.ts';
import { encodePart10, type DicomObject } from '../../export/part10.ts';
import type { LossySource } from '../../export/pixels.ts';
import { radiograph } from '../../export/radiograph.ts';
import { secondaryCapture } from '../../export/secondary-capture.ts';
import { freshUid } from '../../export/uid.ts';
import { kindOfFile } from '../../image/file-image.ts';
import type { Image } from '../../image/image.ts';
import { writeFile } from '../io/write-file.ts';
import type { DicomizeContext, DicomizeTarget, WrittenSeries } from './options.ts';
import { greyOfColour, greyPicture } from './stored-values.ts';

/**
 * A PNG or JPEG as one instance: a radiograph when a view, DX or CR is asked for, else Secondary Capture.
 * @throws OverreadError `input/refused`, `cli/usage`
 */
export function wrapPicture(image: Image, bytes: Uint8Array, target: DicomizeTarget, context: DicomizeContext): WrittenSeries {
  const { view, spacingMm, bodyPart } = context;
  const modality = context.modality ?? (view ? (spacingMm ? 'DX' : 'CR') : 'OT');
  if (modality === 'MR' || modality === 'CT') {
    throw new OverreadError('cli/usage', `Expected --modality DX, CR or OT for the picture ${target.file}, got ${modality}: it has no place in the patient.`, { expected: ['DX', 'CR', 'OT'], got: modality });
  }
  if (modality === 'DX' && !spacingMm) {
    throw new OverreadError('cli/usage', 'Expected --spacing with --modality DX: such an image must say its pixel spacing. Give it, or take --modality CR.', { expected: '--spacing', got: undefined });
  }
  const identity: InstanceIdentity = {
    study: context.study,
    series: { seriesInstanceUID: freshUid(), seriesNumber: target.seriesNumber, seriesDescription: target.name.slice(0, 64), modality },
    sopInstanceUID: freshUid(),
    instanceNumber: 1,
  };
  const [columns, rows] = image.shape;
  const lossy: LossySource | undefined = kindOfFile(bytes) === 'jpeg'
    ? { ratio: (columns * rows * image.channels * (image.representableRange[1] > 255 ? 2 : 1)) / bytes.length, method: 'ISO_10918_1' }
    : undefined;
  let object: DicomObject;
  if (modality === 'OT') {
    const source = image.channels === 3 ? { columns, rows, rgb: Uint8Array.from(image.pixels) } : { columns, rows, ...greyPicture(image) };
    object = secondaryCapture(identity, source, { spacingMm, bodyPart, lossy });
  } else {
    const grey = image.channels === 3 ? { pixels: greyOfColour(image, target.file), bitsStored: 8 } : greyPicture(image);
    object = radiograph(identity, { columns, rows, ...grey }, { kind: modality, view, spacingMm, bodyPart, lossy });
  }
  const file = path.join(context.out, `${target.name}.dcm`);
  writeFile(file, encodePart10(object));
  return { source: target.file, seriesInstanceUID: identity.series.seriesInstanceUID, modality, sopInstanceUIDs: [identity.sopInstanceUID], files: [file] };
}
