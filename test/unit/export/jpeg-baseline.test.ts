import { JpegEncoder } from '../../../src/export/jpeg-baseline.ts';
import { imageFromJpeg } from '../../../src/image/jpeg.ts';
import { histologyField } from '../../../src/phantoms/histology.ts';

const decibel = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2;
  return 10 * Math.log10((255 * 255) / (sum / a.length));
};

describe('JpegEncoder', () => {
  const size = 128;
  const { rgb } = histologyField({ seed: 1, size });

  test('another decoder reads what was encoded; better at a higher quality', async () => {
    const measured: number[] = [];
    for (const quality of [40, 80, 95]) {
      const image = await imageFromJpeg(new JpegEncoder(size, size, quality).encode(rgb), 'tile.jpg');
      expect(image.shape).toEqual([size, size, 1]);
      measured.push(decibel(image.pixels, rgb));
    }
    expect(measured[1]).toBeGreaterThan(26);
    expect(measured).toEqual([...measured].sort((a, b) => a - b));
  });

  test('one colour comes back as it is, and small', async () => {
    const flat = new Uint8Array(size * size * 3);
    for (let i = 0; i < flat.length; i += 3) flat.set([200, 90, 160], i);
    const bytes = new JpegEncoder(size, size, 90).encode(flat);
    expect(bytes.length).toBeLessThan(1600);
    const { pixels } = await imageFromJpeg(bytes, 'flat.jpg');
    for (let i = 0; i < pixels.length; i++) expect(Math.abs(pixels[i]! - flat[i]!)).toBeLessThanOrEqual(3);
  });

  test('an encoder that has been used gives the same again', () => {
    const encoder = new JpegEncoder(size, size, 80);
    const first = encoder.encode(rgb);
    encoder.encode(new Uint8Array(rgb.length).fill(7));
    expect(Buffer.from(encoder.encode(rgb)).equals(Buffer.from(first))).toBe(true);
  });

  test('extremes do not run over', async () => {
    const noise = Uint8Array.from({ length: size * size * 3 }, (_, i) => ((i * 2654435761) >>> 13) & 1 ? 255 : 0);
    const { pixels } = await imageFromJpeg(new JpegEncoder(size, size, 100).encode(noise), 'noise.jpg');
    expect(pixels).toHaveLength(noise.length);
  });

  test('a size that does not hold whole blocks is refused', () => {
    expect(() => new JpegEncoder(100, 100, 80)).toThrow(RangeError);
  });
});
