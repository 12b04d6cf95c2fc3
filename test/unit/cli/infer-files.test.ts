import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { PNG } from 'pngjs';
import type { Reading } from '../../../src/cli/image-inputs.ts';
import { inferFiles } from '../../../src/cli/infer-files.ts';
import { OverreadError } from '../../../src/errors.ts';
import type { Image } from '../../../src/image/image.ts';
import { fakeRunner, picture } from './fake-runner.ts';

let out: string;
beforeEach(() => (out = fs.mkdtempSync(path.join(os.tmpdir(), 'overread-infer-'))));
afterEach(() => fs.rmSync(out, { recursive: true }));

const input = (file: string, open: () => Image): Reading => ({ files: [file], images: [{ files: [file], open: async () => open() }] });
const dicom = (frame: number) => ({ studyInstanceUID: '1.2', seriesInstanceUID: '1.2.3', sopInstanceUID: '1.2.3.4', frame });
const onlyDX = (image: Image) => {
  if (image.modality !== 'DX') throw new OverreadError('input/refused', `Expected DX, got ${image.modality}.`);
};

test('an entry has exactly the documented keys', async () => {
  const image = picture(2, 2, [0, 200, 255, 7], { sources: [dicom(1)], spacingMm: [0.5, 2] });
  const { entries, status } = await inferFiles([input('a/x.dcm', () => image)], { runner: fakeRunner(), out });
  const file = path.join(out, fs.readdirSync(out)[0]!);
  expect(status).toBe(0);
  expect(JSON.parse(JSON.stringify(entries))).toEqual([{
    model: { id: 'bright', version: '1.0.0', sha256: 'ab'.repeat(32) },
    backend: 'cpu',
    sources: [{ studyInstanceUID: '1.2', seriesInstanceUID: '1.2.3', sopInstanceUID: '1.2.3.4', frame: 1 }],
    result: { kind: 'labelmap', segments: [{ label: 'bright', segmentNumber: 1, pixels: 2, areaMm2: 2 }], file },
    timingMs: { load: 1, encode: 2, predict: 3, decode: 4 },
  }]);
  const png = PNG.sync.read(fs.readFileSync(file));
  expect([png.width, png.height]).toEqual([2, 2]);
  expect([0, 1, 2, 3].map(i => png.data[4 * i])).toEqual([0, 1, 1, 0]);
});

test('inputs that are refused have an error in place of a result, and do not stop the others', async () => {
  const inputs = [
    input('ct.dcm', () => picture(1, 1, [9], { modality: 'CT' })),
    input('broken.dcm', () => { throw new OverreadError('input/truncated', 'Expected 100 bytes, got 3.'); }),
    input('good.png', () => picture(1, 1, [200])),
  ];
  const { entries, status } = await inferFiles(inputs, { runner: fakeRunner(onlyDX), out });
  expect(status).toBe(2);
  expect(entries.map(e => e.error?.code)).toEqual(['input/refused', 'input/truncated', undefined]);
  expect(entries[1]).toEqual({
    model: entries[2]!.model, backend: 'cpu', sources: [{ file: 'broken.dcm' }],
    error: { code: 'input/truncated', message: 'Expected 100 bytes, got 3.' },
  });
  expect(fs.readdirSync(out)).toHaveLength(1);
});

test('a fault of the device or of ours is no refusal', async () => {
  const fails = (thrown: unknown) => inferFiles([input('a.png', () => picture(1, 1, [0]))], { runner: fakeRunner(() => { throw thrown; }) });
  expect((await fails(new OverreadError('device/lost', 'gone'))).status).toBe(1);
  const unforeseen = await fails(new TypeError('x is undefined'));
  expect(unforeseen.status).toBe(1);
  expect(unforeseen.entries[0]!.error).toMatchObject({ code: 'internal' });
  expect((await fails(new OverreadError('device/limit', 'too large'))).status).toBe(2);
});

const frames = (file: string, values: number[], more: Partial<Image> = {}): Reading[] =>
  values.map((value, i) => ({
    files: [file], frame: i + 1,
    images: [{ files: [file], open: async () => picture(1, 1, [value], { sources: [dicom(i + 1)], ...more }) }],
  }));

test('every frame of a multi-frame object is read, into files of its own', async () => {
  const { entries } = await inferFiles(frames('cine.dcm', [0, 200, 0]), { runner: fakeRunner(), out });
  expect(entries.map(e => e.sources)).toEqual([[dicom(1)], [dicom(2)], [dicom(3)]]);
  expect(entries.map(e => (e.result?.kind === 'labelmap' ? e.result.segments[0]!.pixels : -1))).toEqual([0, 1, 0]);
  expect(fs.readdirSync(out).map(f => f.replace(/-[0-9a-f]{8}/, '')).sort()).toEqual(['cine-frame2.bright.png', 'cine-frame3.bright.png', 'cine.bright.png']);
});

test('a multi-frame object that the model does not read is refused once, another after it by itself', async () => {
  const inputs = [...frames('us.dcm', [0, 0, 0], { modality: 'US' }), ...frames('cine.dcm', [0, 0]), ...frames('us2.dcm', [0, 0], { modality: 'US' })];
  const { entries } = await inferFiles(inputs, { runner: fakeRunner(onlyDX) });
  expect(entries.map(e => e.error?.code)).toEqual(['input/refused', undefined, undefined, 'input/refused']);
});

test('a model of planes reads every plane of a volume', async () => {
  const volume = picture(1, 2, [0, 200, 200, 200, 0, 0], { shape: [1, 2, 3], sources: [1, 2, 3].map(dicom) });
  const { entries } = await inferFiles([input('ct.dcm', () => volume)], { runner: fakeRunner(), out });
  expect(entries.map(e => (e.result?.kind === 'labelmap' ? e.result.segments[0]!.pixels : -1))).toEqual([1, 2, 0]);
  const refused = await inferFiles([input('ct.dcm', () => ({ ...volume, modality: 'CT' }))], { runner: fakeRunner(onlyDX) });
  expect(refused.entries.map(e => e.error?.code)).toEqual(['input/refused']);
});

test('files of one name in two folders do not overwrite each other', async () => {
  const image = () => picture(1, 1, [200]);
  const { entries } = await inferFiles([input('a/1.png', image), input('b/1.png', image), input('b/1.jpg', image)], { runner: fakeRunner(), out, overlay: true });
  const files = entries.map(e => (e.result?.kind === 'labelmap' ? e.result.file : undefined));
  expect(new Set(files).size).toBe(3);
  expect(fs.readdirSync(out).filter(f => f.endsWith('.overlay.png'))).toHaveLength(3);
});

test('a volume model reads the whole and its labels become NIfTI', async () => {
  const volume = picture(1, 1, [0, 200], { shape: [1, 1, 2], sources: [dicom(1), dicom(2)] });
  const { entries } = await inferFiles([input('v.dcm', () => volume)], { runner: fakeRunner(undefined, true), out });
  expect(entries).toHaveLength(1);
  expect(fs.readdirSync(out)[0]).toMatch(/^v-[0-9a-f]{8}\.bright\.nii\.gz$/);
});
