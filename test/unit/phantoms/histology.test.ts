import { histologyField, histologyRegion, histologySlide } from '../../../src/phantoms/histology.ts';

const mean = (values: ArrayLike<number>, from: number, step: number): number => {
  let sum = 0;
  let count = 0;
  for (let i = from; i < values.length; i += step) {
    sum += values[i]!;
    count++;
  }
  return sum / count;
};

describe('histologyField', () => {
  const field = histologyField({ seed: 4, size: 320 });

  test('the same seed gives the same field', () => {
    const again = histologyField({ seed: 4, size: 320 });
    expect(Buffer.from(again.rgb).equals(Buffer.from(field.rgb))).toBe(true);
    expect(again.dots).toEqual(field.dots);
    expect(Buffer.from(histologyField({ seed: 5, size: 320 }).rgb).equals(Buffer.from(field.rgb))).toBe(false);
  });

  test('each dot stands in the instance of its number, which has its class', () => {
    expect(field.dots.length).toBeGreaterThan(20);
    expect(new Set(field.dots.map((dot) => dot.class))).toEqual(new Set([1, 2]));
    let own = 0;
    for (const [i, dot] of field.dots.entries()) {
      const at = Math.min(319, Math.round(dot.y)) * 320 + Math.min(319, Math.round(dot.x));
      expect(field.classes[at]).toBeGreaterThan(0);
      if (field.instances[at] === i + 1) {
        own++;
        expect(field.classes[at]).toBe(dot.class);
      }
    }
    expect(own / field.dots.length).toBeGreaterThan(0.98);
  });

  test('nuclei are darker and bluer than the tissue about them', () => {
    const inside: number[] = [];
    const outside: number[] = [];
    for (let i = 0; i < field.instances.length; i++) (field.instances[i] ? inside : outside).push(field.rgb[3 * i]!);
    expect(mean(inside, 0, 1)).toBeLessThan(mean(outside, 0, 1) - 60);
  });
});

describe('histologyRegion', () => {
  const slide = histologySlide({ seed: 3, width: 4096, height: 4096 });

  test('tiles join without a seam: four quarters are the whole', () => {
    const whole = histologyRegion(slide, 1, 1900, 1900, 128, 128);
    for (const [x, y] of [[0, 0], [64, 0], [0, 64], [64, 64]] as const) {
      const part = histologyRegion(slide, 1, 1900 + x, 1900 + y, 64, 64);
      for (let row = 0; row < 64; row++) {
        const at = ((y + row) * 128 + x) * 3;
        expect(Buffer.from(part.rgb.subarray(row * 192, row * 192 + 192)).equals(Buffer.from(whole.rgb.subarray(at, at + 192)))).toBe(true);
      }
    }
  });

  test.each([4, 16])('at %i times less magnification the same place has the same colours', (downsample) => {
    const side = 384;
    const fine = histologyRegion(slide, 1, 1792, 1792, side, side);
    const coarse = histologyRegion(slide, downsample, 1792 / downsample, 1792 / downsample, side / downsample, side / downsample);
    for (const channel of [0, 1, 2]) expect(Math.abs(mean(fine.rgb, channel, 3) - mean(coarse.rgb, channel, 3))).toBeLessThan(9);
    // And place by place: blocks of the fine picture go with pixels of the coarse one.
    const n = side / downsample;
    const a: number[] = [];
    const b: number[] = [];
    for (let row = 0; row < n; row++) {
      for (let column = 0; column < n; column++) {
        let sum = 0;
        for (let dy = 0; dy < downsample; dy++) for (let dx = 0; dx < downsample; dx++) sum += fine.rgb[((row * downsample + dy) * side + column * downsample + dx) * 3]!;
        a.push(sum / downsample ** 2);
        b.push(coarse.rgb[(row * n + column) * 3]!);
      }
    }
    expect(correlation(a, b)).toBeGreaterThan(0.85);
  });

  test('nuclei of two rectangles are those of their union', () => {
    const key = (n: { x: number; y: number }): string => `${n.x} ${n.y}`;
    const left = slide.nucleiIn(1800, 1800, 1950, 2100).map(key);
    const right = slide.nucleiIn(1950, 1800, 2100, 2100).map(key);
    expect([...left, ...right].sort()).toEqual(slide.nucleiIn(1800, 1800, 2100, 2100).map(key).sort());
    expect(left.length).toBeGreaterThan(5);
  });

  test('a corner of the slide is glass', () => {
    const corner = histologyRegion(slide, 1, 0, 0, 64, 64);
    expect(corner.blank).toBe(true);
    expect(new Set(corner.rgb).size).toBeLessThanOrEqual(3);
    expect(histologyRegion(slide, 1, 2000, 2000, 64, 64).blank).toBe(false);
  });
});

function correlation(a: readonly number[], b: readonly number[]): number {
  const ma = mean(a, 0, 1);
  const mb = mean(b, 0, 1);
  let ab = 0;
  let aa = 0;
  let bb = 0;
  for (let i = 0; i < a.length; i++) {
    ab += (a[i]! - ma) * (b[i]! - mb);
    aa += (a[i]! - ma) ** 2;
    bb += (b[i]! - mb) ** 2;
  }
  return ab / Math.sqrt(aa * bb);
}
