import { readdirSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openFile } from '../../../src/cli/image-inputs.ts';
import { planesOf } from '../../../src/cli/planes.ts';

/**
 * Writes what the engine reads in DICOM files, as float32 planes with an index, for `measure.py`:
 * `node --import ./test/generators/typescript.mjs models/cxr-view/recipe/dicom-pictures.ts OUT FOLDER...`.
 * Colour becomes grey (BT.601), three planes of a multi-frame file are taken, what cannot be read is left out.
 */
const PLANES = 3;
const SMALLEST_SIDE = 60;

interface Entry {
  readonly file: string;
  readonly modality: string;
  readonly bodyPart?: string;
  readonly view?: string;
  readonly rows: number;
  readonly columns: number;
}

const [out, ...folders] = process.argv.slice(2);
if (!out || folders.length === 0) throw new Error('Expected a folder to write to and folders of DICOM files.');
mkdirSync(out, { recursive: true });
const entries: Entry[] = [];
const planes: Buffer[] = [];
for (const folder of folders) {
  for (const file of readdirSync(folder).filter(name => name.endsWith('.dcm')).sort()) {
    let frames;
    try {
      frames = planesOf(await openFile(join(folder, file)));
    } catch {
      continue;
    }
    const step = Math.max(1, Math.floor(frames.length / PLANES));
    for (const frame of frames.filter((_, i) => i % step === 0).slice(0, PLANES)) {
      const [columns, rows] = frame.shape;
      if (Math.min(columns, rows) < SMALLEST_SIDE) continue;
      const { pixels, channels } = frame;
      const grey = channels === 1 ? pixels : Float32Array.from({ length: columns * rows }, (_, i) => 0.299 * pixels[3 * i]! + 0.587 * pixels[3 * i + 1]! + 0.114 * pixels[3 * i + 2]!);
      planes.push(Buffer.from(new Uint8Array(grey.buffer, grey.byteOffset, grey.byteLength)));
      entries.push({ file, modality: frame.modality, bodyPart: frame.attributes.bodyPartExamined, view: frame.attributes.viewPosition, rows, columns });
    }
  }
}
writeFileSync(join(out, 'planes.bin'), Buffer.concat(planes));
writeFileSync(join(out, 'index.json'), `${JSON.stringify(entries, undefined, 1)}\n`);
