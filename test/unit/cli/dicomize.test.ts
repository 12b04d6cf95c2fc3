import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import dicomParser from 'dicom-parser';
import { encode } from 'fast-png';
import { dicomize, dicomizeOptions } from '../../../src/cli/dicomize.ts';
import { encodeJpeg } from '../../../src/dicom/codec.ts';
import { imageFromFile } from '../../../src/image/file-image.ts';

let folder: string;
beforeEach(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), 'overread-dicomize-'))));
afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

const put = (name: string, bytes: Uint8Array): string => {
  const file = path.join(folder, name);
  fs.writeFileSync(file, bytes);
  return file;
};
const out = (): string => path.join(folder, 'out');
const parse = (file: string): dicomParser.DataSet => dicomParser.parseDicom(fs.readFileSync(file));
const grey16 = (): Uint8Array => encode({ width: 5, height: 4, depth: 16, channels: 1, data: Uint16Array.from({ length: 20 }, (_, i) => i * 3000) });

/** A NIfTI-1 of 32-bit floats with an sform. */
function nifti(shape: readonly [number, number, number], values: readonly number[], sform: readonly number[]): Uint8Array {
  const file = Buffer.alloc(352 + 4 * values.length);
  file.writeInt32LE(348, 0);
  [3, ...shape, 1, 1, 1, 1].forEach((n, i) => file.writeInt16LE(n, 40 + 2 * i));
  file.writeInt16LE(16, 70);
  file.writeInt16LE(32, 72);
  [1, 1, 1, 1, 0, 0, 0, 0].forEach((n, i) => file.writeFloatLE(n, 76 + 4 * i));
  file.writeFloatLE(352, 108);
  file.writeFloatLE(1, 112);
  file.writeInt16LE(sform.length > 0 ? 1 : 0, 254);
  sform.forEach((n, i) => file.writeFloatLE(n, 280 + 4 * i));
  file.write('n+1\0', 344, 'latin1');
  values.forEach((n, i) => file.writeFloatLE(n, 352 + 4 * i));
  return gzipSync(file);
}

test('a 16-bit PNG becomes a DX that reads back pixel for pixel', async () => {
  const file = put('a.png', grey16());
  const flags = { out: out(), view: 'pa', spacing: '0.2,0.4', patientId: 'P7', patientName: 'Döe^Jane', bodyPart: 'chest', description: 'Test', studyUid: '1.2.3.4' };
  const { studyInstanceUID, series } = await dicomize([file], dicomizeOptions(flags));
  expect(studyInstanceUID).toBe('1.2.3.4');
  const [written] = series[0]!.files;
  const set = parse(written!);
  expect(set.string('x0020000d')).toBe('1.2.3.4');
  expect(set.string('x00080060')).toBe('DX');
  expect(set.string('x00100020')).toBe('P7');
  expect(set.string('x00185101')).toBe('PA');
  expect(set.string('x00181164')).toBe('0.2\\0.4');
  expect(set.string('x00180015')).toBe('CHEST');
  expect(set.string('x00282110')).toBe('00');
  const image = await imageFromFile(fs.readFileSync(written!), 'a.dcm');
  expect(Array.from(image.pixels)).toEqual(Array.from({ length: 20 }, (_, i) => i * 3000));
});

test('images of one call are one study, a series each, with names of their own', async () => {
  fs.mkdirSync(path.join(folder, 'b'));
  const files = [put('a.png', grey16()), put('b/a.png', grey16())];
  const { series } = await dicomize(files, dicomizeOptions({ out: out(), view: 'AP' }));
  const sets = series.map(({ files: [file] }) => parse(file!));
  expect(new Set(sets.map((set) => set.string('x0020000d'))).size).toBe(1);
  expect(new Set(sets.map((set) => set.string('x0020000e'))).size).toBe(2);
  expect(sets.map((set) => set.string('x00080060'))).toEqual(['CR', 'CR']);
  expect(new Set(series.flatMap(({ files: written }) => written)).size).toBe(2);
});

test('a grey picture saved in colour is a radiograph; one with colour is a picture only', async () => {
  const side = 32;
  const levels = Uint8Array.from({ length: side * side }, (_, i) => 40 + (i % side) * 5);
  const jpeg = await encodeJpeg(Uint8Array.from({ length: levels.length * 3 }, (_, i) => levels[Math.floor(i / 3)]!), side, side, 95);
  const { series } = await dicomize([put('x.jpg', jpeg)], dicomizeOptions({ out: out(), view: 'PA' }));
  const set = parse(series[0]!.files[0]!);
  expect(set.string('x00280004')).toBe('MONOCHROME2');
  expect(set.string('x00282110')).toBe('01');
  const image = await imageFromFile(fs.readFileSync(series[0]!.files[0]!), 'x.dcm');
  for (let i = 0; i < levels.length; i++) expect(Math.abs(image.pixels[i]! - levels[i]!)).toBeLessThanOrEqual(4);

  const pink = put('pink.png', encode({ width: 4, height: 4, depth: 8, channels: 3, data: Uint8Array.from({ length: 48 }, (_, i) => [220, 120, 170][i % 3]!) }));
  await expect(dicomize([pink], dicomizeOptions({ out: out(), view: 'PA' }))).rejects.toMatchObject({ code: 'input/refused' });
  const picture = await dicomize([pink], dicomizeOptions({ out: out() }));
  expect(parse(picture.series[0]!.files[0]!).string('x00280004')).toBe('RGB');
});

test('a NIfTI becomes slices where its affine puts them: every voxel at its place in the patient', async () => {
  const shape = [3, 4, 2] as const;
  const values = Array.from({ length: 24 }, (_, i) => i);
  // Columns run to the right, rows to the front, slices up, 2 × 3 × 5 mm (RAS).
  const sform = [2, 0, 0, -7, 0, 3, 0, 11, 0, 0, 5, 13];
  const { series } = await dicomize([put('v.nii.gz', nifti(shape, values, sform))], dicomizeOptions({ out: out() }));
  expect(series[0]).toMatchObject({ modality: 'MR' });
  expect(series[0]!.files).toHaveLength(2);
  const at = new Map<string, number>();
  for (const file of series[0]!.files) {
    const set = parse(file);
    const image = await imageFromFile(fs.readFileSync(file), file);
    const [ox, oy, oz] = set.string('x00200032')!.split('\\').map(Number) as [number, number, number];
    const o = set.string('x00200037')!.split('\\').map(Number);
    expect(set.string('x00280030')).toBe('3\\2');
    // Hung as readers hang it: the patient's left on the right, the back below.
    expect(o).toEqual([1, 0, 0, 0, 1, 0]);
    for (let row = 0; row < 4; row++) {
      for (let column = 0; column < 3; column++) {
        const place = [0, 1, 2].map((k) => [ox, oy, oz][k]! + o[k]! * 2 * column + o[3 + k]! * 3 * row);
        at.set(place.map((n) => n.toFixed(3)).join(), image.pixels[row * 3 + column]!);
      }
    }
  }
  for (let k = 0, i = 0; k < 2; k++) {
    for (let j = 0; j < 4; j++) {
      for (let c = 0; c < 3; c++, i++) {
        const [x, y, z] = [2 * c - 7, 3 * j + 11, 5 * k + 13];
        expect(at.get([-x, -y, z].map((n) => n.toFixed(3)).join())).toBe(values[i]);
      }
    }
  }
});

test('an oblique volume keeps its angles; fractions and negative values come back within a step', async () => {
  const [c, s] = [Math.cos(0.3), Math.sin(0.3)];
  const values = Array.from({ length: 8 }, (_, i) => i * 0.37 - 1);
  const sform = [-c, s, 0, 5, s, c, 0, 6, 0, 0, 2, 7];
  for (const modality of ['MR', 'CT']) {
    const { series } = await dicomize([put('v.nii', nifti([2, 2, 2], values, sform))], dicomizeOptions({ out: path.join(out(), modality), modality }));
    const got: number[] = [];
    for (const file of series[0]!.files) {
      const set = parse(file);
      const o = set.string('x00200037')!.split('\\').map(Number);
      expect(o[0]! ** 2 + o[1]! ** 2).toBeCloseTo(1, 6);
      expect(Math.abs(o[0]!)).toBeCloseTo(c, 6);
      got.push(...(await imageFromFile(fs.readFileSync(file), file)).pixels);
    }
    for (const value of values) expect(got.some((one) => Math.abs(one - value) < 1e-3)).toBe(true);
  }
});

test('volumes on one grid share a frame of reference, others do not', async () => {
  const values = Array.from({ length: 8 }, (_, i) => i);
  const here = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0];
  const there = [1, 0, 0, 9, 0, 1, 0, 0, 0, 0, 1, 0];
  const files = [here, here, there].map((sform, i) => put(`${i}.nii.gz`, nifti([2, 2, 2], values, sform)));
  const { series } = await dicomize(files, dicomizeOptions({ out: out() }));
  const [a, b, c] = series.map(({ files: [file] }) => parse(file!).string('x00200052'));
  expect(a).toBe(b);
  expect(c).not.toBe(a);
});

describe('refusals name what is wrong', () => {
  const values = Array.from({ length: 8 }, (_, i) => i);

  test.each([
    ['--view', { view: 'SIDE' }],
    ['--spacing', { spacing: '0' }],
    ['--spacing', { spacing: '0.1,x' }],
    ['--spacing', { spacing: '-0.2' }],
    ['--spacing', { spacing: '1,2,3' }],
    ['--modality', { modality: 'US' }],
    ['--study-uid', { studyUid: '1.02' }],
    ['--patient-id', { patientId: 'a\\b' }],
    ['--patient-name', { patientName: 'x'.repeat(65) }],
  ])('%s', (flag, flags) => {
    expect(() => dicomizeOptions({ out: 'x', ...flags })).toThrow(expect.objectContaining({ code: 'cli/usage', message: expect.stringContaining(flag) }));
  });

  test('files', async () => {
    const options = dicomizeOptions({ out: out() });
    await expect(dicomize([path.join(folder, 'none.png')], options)).rejects.toMatchObject({ code: 'input/unreadable' });
    await expect(dicomize([put('t.png', Buffer.from('hello'))], options)).rejects.toMatchObject({ code: 'input/unreadable' });
    await expect(dicomize([put('cut.png', grey16().subarray(0, 60))], options)).rejects.toMatchObject({ code: 'input/truncated' });
    await expect(dicomize([put('v.nii.gz', nifti([2, 2, 2], values, []))], options)).rejects.toMatchObject({ code: 'input/geometry' });
    const sheared = [1, 0.5, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0];
    await expect(dicomize([put('s.nii.gz', nifti([2, 2, 2], values, sheared))], options)).rejects.toMatchObject({ code: 'input/geometry' });
    const { series } = await dicomize([put('ok.png', grey16())], options);
    await expect(dicomize([series[0]!.files[0]!], options)).rejects.toMatchObject({ code: 'input/refused' });
  });

  test('flags that do not go with the file', async () => {
    const png = put('a.png', grey16());
    const volume = put('v.nii.gz', nifti([2, 2, 2], values, [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0]));
    const run = (file: string, flags: object): Promise<unknown> => dicomize([file], dicomizeOptions({ out: out(), ...flags }));
    await expect(run(png, { modality: 'DX' })).rejects.toMatchObject({ code: 'cli/usage', message: expect.stringContaining('--spacing') });
    await expect(run(png, { modality: 'CT' })).rejects.toMatchObject({ code: 'cli/usage' });
    await expect(run(volume, { modality: 'DX', spacing: '1' })).rejects.toMatchObject({ code: 'cli/usage' });
    await expect(run(volume, { view: 'PA' })).rejects.toMatchObject({ code: 'cli/usage' });
  });
});
