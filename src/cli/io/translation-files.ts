import path from 'node:path';
import type { TranslationAudit } from '../../evaluation/translation.ts';
import { affineOf } from '../../export/nifti.ts';
import type { Image } from '../../image/image.ts';
import { planesOf } from '../planes.ts';
import { niftiGz } from './nifti.ts';
import { pairPng, type Outline } from './overlay.ts';
import { greyPng } from './png.ts';
import { writeFile } from './write-file.ts';

/** Colours that the colour-blind tell apart (Okabe and Ito 2008): what is only in the real image, and only in the translated one. */
const COLOURS: Readonly<Record<number, readonly [number, number, number]>> = { 1: [230, 159, 0], 2: [86, 180, 233], 3: [230, 159, 0], 4: [86, 180, 233] };
const LESION = [240, 228, 66] as const;

/** Writes the masks and the changes on the real image's grid, and a picture of each change's slice: real, translated. */
export function writeAudit({ changes, masks, labels, translatedOnReal }: TranslationAudit, real: Image, folder: string): void {
  const { shape } = real;
  for (const [name, values] of [['lesions-real', masks.real], ['lesions-translated', masks.translated], ['changes', labels]] as const) {
    if (shape[2] === 1) writeFile(path.join(folder, `${name}.png`), greyPng(values, shape[0], shape[1]));
    else writeFile(path.join(folder, `${name}.nii.gz`), niftiGz({ shape, values, indexToPatient: affineOf(real) }));
  }
  const size = shape[0] * shape[1];
  const [realPlanes, translatedPlanes] = [planesOf(real), planesOf(translatedOnReal)];
  changes.forEach(({ kind, index: [, , slice] }, i) => {
    const plane = (values: Uint8Array) => values.subarray(slice * size, (slice + 1) * size);
    const changed: Outline = { labels: plane(labels), color: label => COLOURS[label]! };
    const mask = (values: Uint8Array): Outline => ({ labels: plane(values), color: () => LESION });
    const name = `${String(i + 1).padStart(2, '0')}-${kind}-slice-${slice + 1}.png`;
    writeFile(path.join(folder, name), pairPng([realPlanes[slice]!, [mask(masks.real), changed]], [translatedPlanes[slice]!, [mask(masks.translated), changed]]));
  });
}
