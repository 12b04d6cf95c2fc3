import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { inferFiles } from '../../../src/cli/infer-files.ts';
import type { InferEntry } from '../../../src/cli/infer-json.ts';
import { readingsOf } from '../../../src/cli/image-inputs.ts';
import { readObject } from '../../../src/export/read/index.ts';
import { film, stackFiles } from '../export/sources.ts';
import { sourceOfFile } from '../../../src/export/source-file.ts';
import { fakeRunner, picture } from './fake-runner.ts';

let out: string;
beforeEach(() => (out = fs.mkdtempSync(path.join(os.tmpdir(), 'overread-dicom-'))));
afterEach(() => fs.rmSync(out, { recursive: true }));

const pixelsOf = ({ result }: InferEntry): number | undefined => (result?.kind === 'labelmap' ? result.segments[0]?.pixels : undefined);

test('--dicom writes a mask and its measurements, which come back on their image', async () => {
  const { files: [bytes], context } = await film('DX');
  const file = path.join(out, 'film.dcm');
  fs.writeFileSync(file, bytes!);
  const runner = fakeRunner();
  const { entries, status } = await inferFiles(await readingsOf([file], runner), { runner, out, dicom: true });
  expect(status).toBe(0);
  expect(entries[0]!.dicom!.map(name => /\.(SEG|SR)\.dcm$/.exec(name)?.[1])).toEqual(['SEG', 'SR']);
  const read = await readObject(fs.readFileSync(entries[0]!.dicom![0]!), context.sources);
  expect(read!.result).toMatchObject({ kind: 'labelmap', model: { id: 'bright', sha256: 'ab'.repeat(32) }, segments: [{ segmentNumber: 1, pixels: pixelsOf(entries[0]!) }] });
});

test('the planes of a CT are written each on its own slice', async () => {
  const files = stackFiles({ places: [0, 2.5] }).map((bytes, i) => {
    const file = path.join(out, `${i}.dcm`);
    fs.writeFileSync(file, bytes);
    return file;
  });
  const runner = fakeRunner();
  const { entries } = await inferFiles(await readingsOf(files, runner), { runner, out, dicom: true });
  const sources = files.map(file => sourceOfFile(fs.readFileSync(file)));
  for (const [i, { dicom }] of entries.entries()) {
    const read = await readObject(fs.readFileSync(dicom![0]!), sources);
    expect(read!.result!.source.sources).toEqual([expect.objectContaining({ sopInstanceUID: sources[i]!.sopInstanceUID })]);
  }
});

test('a picture that is no DICOM image is refused before the model runs, with what to do', async () => {
  const runner = fakeRunner(() => {
    throw new Error('ran');
  });
  const image = picture(2, 2, [0, 200, 255, 7]);
  const { entries, status } = await inferFiles([{ files: ['a.png'], images: [{ files: ['a.png'], open: async () => image }] }], { runner, out, dicom: true });
  expect(status).toBe(2);
  expect(entries[0]!.error).toMatchObject({ code: 'input/refused', message: expect.stringContaining('overread dicomize') });
  expect(fs.readdirSync(out)).toEqual([]);
});
