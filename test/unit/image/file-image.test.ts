import { encode } from 'fast-png';
import { gzipSync } from 'fflate';
import { PNG } from 'pngjs';
import { imageFromFile, kindOfFile } from '../../../src/image/file-image.ts';
import { joined, part10, picture } from '../../fixtures/build-dicom.ts';

const open = (bytes: Uint8Array, name = 'a file') => imageFromFile(bytes, name);

test('kinds are told by the first bytes, never by the name', () => {
  expect(kindOfFile(part10(picture()))).toBe('dicom');
  expect(kindOfFile(encode({ width: 1, height: 1, data: new Uint8Array(1), channels: 1 }))).toBe('png');
  expect(kindOfFile(Uint8Array.from([0xff, 0xd8, 0xff, 0xe0]))).toBe('jpeg');
  expect(kindOfFile(nifti())).toBe('nifti');
  expect(kindOfFile(Buffer.from('hello, this is text and no image'))).toBeUndefined();
});

test('what is none says what it starts with', async () => {
  await expect(open(Buffer.from('GIF89a, an old picture of a modem'), 'x.dcm')).rejects.toMatchObject({ code: 'input/unreadable', message: expect.stringContaining('GIF89a') });
  await expect(open(new Uint8Array(0))).rejects.toMatchObject({ code: 'input/unreadable', message: expect.stringContaining('0 bytes') });
});

describe('PNG', () => {
  test('grey of 8 and 16 bits keeps its depth', async () => {
    const grey = await open(encode({ width: 2, height: 1, data: Uint8Array.from([3, 255]), channels: 1 }), 'g.png');
    expect(grey).toMatchObject({ modality: 'OT', shape: [2, 1, 1], channels: 1, representableRange: [0, 255], sources: [{ file: 'g.png' }] });
    expect(grey).not.toHaveProperty('spacingMm');
    const deep = await open(encode({ width: 2, height: 1, data: Uint16Array.from([3, 65535]), channels: 1, depth: 16 }));
    expect([[...deep.pixels], deep.representableRange]).toEqual([[3, 65535], [0, 65535]]);
  });

  test('RGB of 8 and 16 bits is 0..255', async () => {
    expect([...(await open(encode({ width: 1, height: 1, data: Uint8Array.from([1, 2, 255]), channels: 3 }))).pixels]).toEqual([1, 2, 255]);
    expect([...(await open(encode({ width: 1, height: 1, data: Uint16Array.from([257, 0, 65535]), channels: 3, depth: 16 }))).pixels]).toEqual([1, 0, 255]);
  });

  test('as another library writes it', async () => {
    const png = new PNG({ width: 2, height: 2 });
    png.data.set([1, 2, 3, 255, 4, 5, 6, 255, 7, 8, 9, 255, 10, 11, 12, 255]);
    expect([...(await open(PNG.sync.write(png))).pixels]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect([...(await open(PNG.sync.write(png, { colorType: 0 }))).shape]).toEqual([2, 2, 1]);
  });

  test('palettes and bits', async () => {
    const palette = encode({ width: 2, height: 1, data: Uint8Array.from([1, 0]), channels: 1, depth: 8, palette: [[1, 2, 3], [4, 5, 6]] });
    expect([...(await open(palette)).pixels]).toEqual([4, 5, 6, 1, 2, 3]);
    const bits = encode({ width: 10, height: 2, data: Uint8Array.from([0b10110000, 0b01000000, 0b00000000, 0b11000000]), channels: 1, depth: 1 });
    const image = await open(bits);
    expect([...image.pixels]).toEqual([1, 0, 1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1]);
    expect(image.representableRange).toEqual([0, 1]);
  });

  test('alpha must be opaque', async () => {
    const rgba = (alpha: number) => encode({ width: 1, height: 1, data: Uint8Array.from([9, 8, 7, alpha]), channels: 4 });
    expect([...(await open(rgba(255))).pixels]).toEqual([9, 8, 7]);
    await expect(open(rgba(254))).rejects.toMatchObject({ code: 'input/unsupported-pixels' });
  });

  test('a cut or changed file is refused', async () => {
    const whole = encode({ width: 20, height: 20, data: Uint8Array.from({ length: 400 }, (_, i) => (i * 7) % 256), channels: 1 });
    await expect(open(whole.subarray(0, whole.length - 30))).rejects.toMatchObject({ code: 'input/truncated' });
    const changed = whole.slice();
    changed[60]! ^= 0xff;
    await expect(open(changed)).rejects.toMatchObject({ code: 'input/truncated' });
  });
});

describe('JPEG', () => {
  // Written by Pillow: 8 × 8, grey 128 everywhere; 16 × 8, (200, 30, 59) everywhere.
  const grey = Buffer.from('/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAMCAgMCAgMDAwMEAwMEBQgFBQQEBQoHBwYIDAoMDAsKCwsNDhIQDQ4RDgsLEBYQERMUFRUVDA8XGBYUGBIUFRT/wAALCAAIAAgBAREA/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUFBAQAAAF9AQIDAAQRBRIhMUEGE1FhByJxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWGh4iJipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3+Pn6/9oACAEBAAA/ACv/2Q==', 'base64');
  const red = Buffer.from('/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAIBAQEBAQIBAQECAgICAgQDAgICAgUEBAMEBgUGBgYFBgYGBwkIBgcJBwYGCAsICQoKCgoKBggLDAsKDAkKCgr/2wBDAQICAgICAgUDAwUKBwYHCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgr/wAARCAAIABADASIAAhEBAxEB/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUFBAQAAAF9AQIDAAQRBRIhMUEGE1FhByJxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWGh4iJipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3+Pn6/8QAHwEAAwEBAQEBAQEBAQAAAAAAAAECAwQFBgcICQoL/8QAtREAAgECBAQDBAcFBAQAAQJ3AAECAxEEBSExBhJBUQdhcRMiMoEIFEKRobHBCSMzUvAVYnLRChYkNOEl8RcYGRomJygpKjU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6goOEhYaHiImKkpOUlZaXmJmaoqOkpaanqKmqsrO0tba3uLm6wsPExcbHyMnK0tPU1dbX2Nna4uPk5ebn6Onq8vP09fb3+Pn6/9oADAMBAAIRAxEAPwD5Pooor4c/1MP/2Q==', 'base64');

  test('grey', async () => {
    const image = await open(grey, 'a.jpg');
    expect(image).toMatchObject({ shape: [8, 8, 1], channels: 1, representableRange: [0, 255], sources: [{ file: 'a.jpg' }] });
    expect(new Set(image.pixels)).toEqual(new Set([128]));
  });

  test('colour, as Pillow decodes it', async () => {
    const image = await open(red);
    expect(image).toMatchObject({ shape: [16, 8, 1], channels: 3 });
    expect([...image.pixels.subarray(0, 3)]).toEqual([200, 30, 59]);
    expect(image.pixels.every((v, i) => v === [200, 30, 59][i % 3])).toBe(true);
  });

  test('EXIF orientation 1 is read, another refused by name', async () => {
    await expect(open(withExif(grey, 1))).resolves.toMatchObject({ shape: [8, 8, 1] });
    await expect(open(withExif(grey, 6))).rejects.toMatchObject({ code: 'input/unsupported-pixels', fields: { got: 6 } });
  });

  test('a cut one is refused', async () => {
    await expect(open(grey.subarray(0, grey.length - 8))).rejects.toMatchObject({ code: 'input/truncated' });
    await expect(open(grey.subarray(0, 40))).rejects.toMatchObject({ code: 'input/truncated' });
  });

  test('four components are refused', async () => {
    const cmyk = Uint8Array.from([0xff, 0xd8, 0xff, 0xc0, 0, 20, 8, 0, 8, 0, 8, 4, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0, 4, 0x11, 0, 0xff, 0xd9]);
    await expect(open(cmyk)).rejects.toMatchObject({ code: 'input/unsupported-pixels', fields: { got: 4 } });
  });
});

function withExif(jpeg: Uint8Array, orientation: number): Uint8Array {
  const tiff = [0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0];
  const body = [0x45, 0x78, 0x69, 0x66, 0, 0, ...tiff];
  return joined([jpeg.subarray(0, 2), Uint8Array.from([0xff, 0xe1, 0, body.length + 2, ...body]), jpeg.subarray(2)]);
}

/** A NIfTI-1 of 3 × 2 × 2 int16, with an sform. */
function nifti(change: (view: DataView) => void = () => {}): Uint8Array {
  const view = new DataView(new ArrayBuffer(352 + 24));
  view.setInt32(0, 348, true);
  [3, 3, 2, 2, 1, 1, 1, 1].forEach((n, i) => view.setInt16(40 + 2 * i, n, true));
  view.setInt16(70, 4, true);
  view.setInt16(72, 16, true);
  [1, 2, 3, 4, 1, 1, 1, 1].forEach((n, i) => view.setFloat32(76 + 4 * i, n, true));
  view.setFloat32(108, 352, true);
  view.setFloat32(112, 2, true);
  view.setFloat32(116, -1, true);
  view.setInt16(254, 1, true);
  [[2, 0, 0, 10], [0, 3, 0, 20], [0, 0, 4, 30]].flat().forEach((n, i) => view.setFloat32(280 + 4 * i, n, true));
  [0x6e, 0x2b, 0x31, 0].forEach((b, i) => view.setUint8(344 + i, b));
  for (let i = 0; i < 12; i++) view.setInt16(352 + 2 * i, i, true);
  change(view);
  return new Uint8Array(view.buffer);
}

describe('NIfTI', () => {
  test('values are scaled, RAS becomes LPS', async () => {
    for (const bytes of [nifti(), gzipSync(nifti())]) {
      const image = await open(bytes, 'v.nii');
      expect(image).toMatchObject({ shape: [3, 2, 2], spacingMm: [2, 3], spacingSource: 'given', sliceSpacingMm: 4, representableRange: [-1, 21] });
      expect([...image.pixels]).toEqual([-1, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21]);
      expect(image.indexToPatient).toEqual([-2, 0, 0, -10, 0, -3, 0, -20, 0, 0, 4, 30, 0, 0, 0, 1]);
      expect(image.sources).toHaveLength(2);
    }
  });

  test('without a form there is spacing but no place', async () => {
    const image = await open(nifti((v) => v.setInt16(254, 0, true)));
    expect(image.spacingMm).toEqual([2, 3]);
    expect(image.indexToPatient).toBeUndefined();
  });

  test('refusals', async () => {
    await expect(open(nifti().subarray(0, 360))).rejects.toMatchObject({ code: 'input/truncated' });
    await expect(open(nifti((v) => { v.setInt16(40, 4, true); v.setInt16(48, 5, true); }))).rejects.toMatchObject({ code: 'input/unsupported-pixels' });
    await expect(open(nifti((v) => v.setInt16(70, 128, true)))).rejects.toMatchObject({ code: 'input/unsupported-pixels' });
    await expect(open(gzipSync(Buffer.from('just some text in a gzip stream, and enough of it to have been a header')))).rejects.toMatchObject({ code: 'input/unreadable' });
    await expect(open(gzipSync(nifti()).subarray(0, 60))).rejects.toMatchObject({ code: 'input/truncated' });
  });
});
