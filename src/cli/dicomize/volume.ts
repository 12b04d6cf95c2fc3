import path from 'node:path';
import { OverreadError } from '../../errors.ts';
import { ctSlice, mrSlice, type SlicePlane } from '../../export/cross-section.ts';
import type { InstanceIdentity, SeriesIdentity } from '../../export/identity.ts';
import { encodePart10 } from '../../export/part10.ts';
import { freshUid } from '../../export/uid.ts';
import type { Image } from '../../image/image.ts';
import { writeFile } from '../io/write-file.ts';
import type { DicomizeContext, DicomizeTarget, WrittenSeries } from './options.ts';
import { storedVolume } from './stored-values.ts';
import { volumePlanes } from './volume-planes.ts';

/**
 * A NIfTI volume as a series of MR or CT slices.
 * @throws OverreadError `input/geometry`, `cli/usage`
 */
export function wrapVolume(image: Image, target: DicomizeTarget, context: DicomizeContext): WrittenSeries {
  const modality = context.modality ?? 'MR';
  if (modality !== 'MR' && modality !== 'CT') {
    throw new OverreadError('cli/usage', `Expected --modality MR or CT for the volume ${target.file}, got ${modality}.`, { expected: ['MR', 'CT'], got: modality });
  }
  if (context.view || context.spacingMm) {
    throw new OverreadError('cli/usage', `--view and --spacing are for pictures, but ${target.file} is a volume, which says its own. Leave them out.`, { got: target.file });
  }
  const planes = volumePlanes(image, target.file);
  const { columns, rows, slices } = planes;
  const { stored, bitsStored, slope, intercept } = storedVolume(image.pixels, modality === 'CT');
  const series: SeriesIdentity = { seriesInstanceUID: freshUid(), seriesNumber: target.seriesNumber, seriesDescription: target.name.slice(0, 64), modality };
  const frameOfReferenceUID = frameOfReference(image, context.framesOfReference);
  const window = modality === 'CT' ? { center: 40, width: 400 } : windowOf(image.pixels);
  const rescale = modality === 'CT' || slope !== 1 || intercept !== 0 ? { slope, intercept } : undefined;
  const sopInstanceUIDs: string[] = [];
  const files: string[] = [];
  for (let slice = 0; slice < slices; slice++) {
    const pixels = new (stored.constructor as Uint16ArrayConstructor)(columns * rows);
    for (let row = 0, i = 0; row < rows; row++) for (let column = 0; column < columns; column++) pixels[i++] = stored[planes.index(slice, row, column)]!;
    const identity: InstanceIdentity = { study: context.study, series, sopInstanceUID: freshUid(), instanceNumber: slice + 1 };
    const where: SlicePlane = { ...planes, frameOfReferenceUID, imagePosition: planes.position(slice) };
    const write = modality === 'CT' ? ctSlice : mrSlice;
    const object = write(identity, { columns, rows, pixels, bitsStored }, where, { window, rescale, bodyPart: context.bodyPart });
    const file = path.join(context.out, target.name, `${String(slice + 1).padStart(4, '0')}.dcm`);
    writeFile(file, encodePart10(object));
    sopInstanceUIDs.push(identity.sopInstanceUID);
    files.push(file);
  }
  return { source: target.file, seriesInstanceUID: series.seriesInstanceUID, modality, sopInstanceUIDs, files };
}

function frameOfReference(image: Image, known: Map<string, string>): string {
  const grid = JSON.stringify([image.shape, image.indexToPatient]);
  const uid = known.get(grid) ?? freshUid();
  known.set(grid, uid);
  return uid;
}

/** From the 1st to the 99th percentile of what is not background. */
function windowOf(pixels: Float32Array): { readonly center: number; readonly width: number } {
  const step = Math.max(1, Math.floor(pixels.length / 200_000));
  const sample: number[] = [];
  const floor = pixels.reduce((low, value) => Math.min(low, value), Infinity);
  for (let i = 0; i < pixels.length; i += step) if (pixels[i]! > floor) sample.push(pixels[i]!);
  sample.sort((a, b) => a - b);
  const low = sample[Math.floor(sample.length * 0.01)] ?? floor;
  const high = sample[Math.floor(sample.length * 0.99)] ?? floor + 1;
  const width = Math.max(high - low, Number.EPSILON * Math.max(1, Math.abs(high)), 1e-6);
  return { center: Number(((low + high) / 2).toPrecision(6)), width: Number(width.toPrecision(6)) };
}
