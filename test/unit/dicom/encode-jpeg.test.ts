import { createRequire } from 'node:module';
import { encodeJpeg } from '../../../src/dicom/codec.ts';
import { jpegHeader } from '../../../src/dicom/coded-header.ts';
import { imageFromJpeg } from '../../../src/image/jpeg.ts';
import { histologyField } from '../../../src/phantoms/histology.ts';

const decibel = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2;
  return 10 * Math.log10((255 * 255) / (sum / a.length));
};

interface TurboDecoder {
  getEncodedBuffer(length: number): Uint8Array;
  decode(): void;
  getFrameInfo(): { readonly width: number; readonly height: number; readonly componentCount: number };
  getDecodedBuffer(): Uint8Array;
  delete(): void;
}
type Turbo = (options: object) => Promise<{ readonly JPEGDecoder: new () => TurboDecoder }>;

/** The viewer's own decoder, of another origin than the encoder. */
async function inViewer(bytes: Uint8Array): Promise<{ width: number; height: number; componentCount: number; rgb: Uint8Array }> {
  const ofViewer = createRequire(createRequire(__filename).resolve('@cornerstonejs/dicom-image-loader'));
  const turbo = ofViewer('@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs') as Turbo;
  const { JPEGDecoder } = await turbo({ locateFile: () => ofViewer.resolve('@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasm') });
  const decoder = new JPEGDecoder();
  decoder.getEncodedBuffer(bytes.length).set(bytes);
  decoder.decode();
  const decoded = { ...decoder.getFrameInfo(), rgb: decoder.getDecodedBuffer().slice() };
  decoder.delete();
  return decoded;
}

/** Components of a baseline frame header (SOF0), each as its sampling across and down; nothing for another process. */
function baselineSampling(jpeg: Uint8Array): readonly string[] | undefined {
  for (let at = 2; jpeg[at] === 0xff && jpeg[at + 1] !== 0xda; at += 2 + ((jpeg[at + 2]! << 8) | jpeg[at + 3]!)) {
    if (jpeg[at + 1] === 0xc0) return Array.from({ length: jpeg[at + 9]! }, (_, i) => jpeg[at + 11 + 3 * i]!.toString(16));
  }
  return undefined;
}

const size = 128;
const { rgb } = histologyField({ seed: 1, size });

test('two decoders read what was encoded; better at a higher quality', async () => {
  const measured: number[] = [];
  for (const quality of [40, 80, 95]) {
    const bytes = await encodeJpeg(rgb, size, size, quality);
    const image = await imageFromJpeg(bytes, 'tile.jpg');
    expect(image.shape).toEqual([size, size, 1]);
    measured.push(decibel(image.pixels, rgb));
    const viewed = await inViewer(bytes);
    expect(viewed).toMatchObject({ width: size, height: size, componentCount: 3 });
    expect(decibel(viewed.rgb, image.pixels)).toBeGreaterThan(40);
  }
  expect(measured[1]).toBeGreaterThan(26);
  expect(measured).toEqual([...measured].sort((a, b) => a - b));
});

test('it is baseline, of 8 bits, chroma halved across: YBR_FULL_422', async () => {
  const bytes = await encodeJpeg(rgb, size, size, 80);
  expect(jpegHeader(bytes)).toMatchObject({ columns: size, rows: size, components: 3, precision: 8 });
  expect(baselineSampling(bytes)).toEqual(['21', '11', '11']);
});

test('one colour comes back as it is, and small', async () => {
  const flat = new Uint8Array(size * size * 3);
  for (let i = 0; i < flat.length; i += 3) flat.set([200, 90, 160], i);
  const bytes = await encodeJpeg(flat, size, size, 90);
  expect(bytes.length).toBeLessThan(1600);
  for (const pixels of [(await imageFromJpeg(bytes, 'flat.jpg')).pixels, (await inViewer(bytes)).rgb]) {
    expect(pixels).toHaveLength(flat.length);
    expect(flat.reduce((worst, value, i) => Math.max(worst, Math.abs(pixels[i]! - value)), 0)).toBeLessThanOrEqual(3);
  }
});

test('the same picture gives the same again, whatever came between', async () => {
  const first = await encodeJpeg(rgb, size, size, 80);
  await encodeJpeg(new Uint8Array(rgb.length).fill(7), size, size, 80);
  expect(Buffer.from(await encodeJpeg(rgb, size, size, 80)).equals(Buffer.from(first))).toBe(true);
});

test('extremes do not run over', async () => {
  const noise = Uint8Array.from({ length: size * size * 3 }, (_, i) => ((i * 2654435761) >>> 13) & 1 ? 255 : 0);
  const { pixels } = await imageFromJpeg(await encodeJpeg(noise, size, size, 100), 'noise.jpg');
  expect(pixels).toHaveLength(noise.length);
});

test('a size that does not hold whole blocks comes back', async () => {
  const [columns, rows] = [100, 37];
  const part = Uint8Array.from({ length: columns * rows * 3 }, (_, i) => 60 + (Math.floor(i / 3) % columns));
  const { shape, pixels } = await imageFromJpeg(await encodeJpeg(part, columns, rows, 95), 'part.jpg');
  expect(shape).toEqual([columns, rows, 1]);
  expect(decibel(pixels, part)).toBeGreaterThan(35);
});

test('samples of another size than said are refused, and the next picture is encoded', async () => {
  const first = await encodeJpeg(rgb, size, size, 80);
  await expect(encodeJpeg(rgb.subarray(1), size, size, 80)).rejects.toMatchObject({ code: 'internal' });
  await expect(encodeJpeg(new Uint8Array(0), 0, 0, 80)).rejects.toMatchObject({ code: 'internal' });
  expect(Buffer.from(await encodeJpeg(rgb, size, size, 80)).equals(Buffer.from(first))).toBe(true);
});
