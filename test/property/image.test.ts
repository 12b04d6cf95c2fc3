import fc from 'fast-check';
import { stackGeometry } from '../../src/dicom/geometry.ts';
import { isOverreadError } from '../../src/errors.ts';
import { imageFromFile } from '../../src/image/file-image.ts';
import { volumeFromInstances } from '../../src/image/instance-image.ts';
import { fillPadding, invertMonochrome1, modalityValues, representableRange } from '../../src/image/modality-values.ts';
import { part10, picture, slice } from '../fixtures/build-dicom.ts';

const bits = fc.integer({ min: 1, max: 16 });
const finite = (max: number) => fc.double({ min: -max, max, noNaN: true });

/** A value of the stored range, before and after. */
const stored = fc.tuple(bits, fc.boolean()).chain(([bitsStored, signed]) =>
  fc.record({
    bitsStored: fc.constant(bitsStored),
    signed: fc.constant(signed),
    values: fc.array(signed ? fc.integer({ min: -(2 ** (bitsStored - 1)), max: 2 ** (bitsStored - 1) - 1 }) : fc.integer({ min: 0, max: 2 ** bitsStored - 1 }), { minLength: 1, maxLength: 50 }),
  }));

test('modality values stay in the representable range, inverted or not, and inversion turns their order round', () => {
  fc.assert(fc.property(stored, finite(1000).filter((s) => Math.abs(s) > 1e-3), finite(1e5), ({ values, ...format }, slope, intercept) => {
    const transform = { kind: 'linear', slope, intercept } as const;
    const [min, max] = representableRange(format, transform);
    const slack = (Math.abs(min) + Math.abs(max)) * 1e-6;
    const out = new Float32Array(values.length);
    modalityValues(Int32Array.from(values), transform, out);
    const inverted = out.slice();
    invertMonochrome1(inverted, [min, max]);
    for (const [i, v] of out.entries()) {
      expect(v).toBeGreaterThanOrEqual(min - slack);
      expect(v).toBeLessThanOrEqual(max + slack);
      expect(inverted[i]).toBeGreaterThanOrEqual(min - slack);
      expect(inverted[i]).toBeLessThanOrEqual(max + slack);
      expect(Math.abs(inverted[i]! + v - (max + min))).toBeLessThanOrEqual(slack);
    }
  }));
});

test('filled padding leaves no padding, changes nothing else and adds no darker value', () => {
  fc.assert(fc.property(fc.array(fc.integer({ min: -10, max: 10 }), { minLength: 1 }), fc.integer({ min: -10, max: 10 }), (values, padding) => {
    const pixels = Float32Array.from(values);
    const count = fillPadding(pixels, [padding, padding]);
    const measured = values.filter((v) => v !== padding);
    expect(count).toBe(measured.length === 0 ? 0 : values.length - measured.length);
    if (measured.length === 0) return;
    expect(pixels.includes(padding)).toBe(false);
    expect(Math.min(...pixels)).toBe(Math.min(...measured));
    values.forEach((v, i) => v !== padding && expect(pixels[i]).toBe(v));
  }));
});

test('any even stack, turned and leaning anyhow, in any order, maps each slice to its own position', () => {
  const angle = fc.double({ min: -Math.PI, max: Math.PI, noNaN: true });
  fc.assert(fc.property(
    fc.record({ a: angle, b: angle, c: angle, spacing: fc.double({ min: 0.3, max: 10, noNaN: true }), lean: finite(0.5), origin: fc.tuple(finite(500), finite(500), finite(500)) }),
    fc.integer({ min: 2, max: 12 }).chain((n) => fc.shuffledSubarray(Array.from({ length: n }, (_, i) => i), { minLength: n })),
    ({ a, b, c, spacing, lean, origin }, shuffled) => {
      const [row, column, normal] = rotation(a, b, c);
      const position = (k: number) => origin.map((o, i) => o + k * spacing * (normal![i]! + lean * column![i]!));
      const slices = shuffled.map((k) => ({ imageOrientationPatient: [...row!, ...column!], imagePositionPatient: position(k), spacingMm: [0.7, 0.9] as const, name: `${k}` }));
      const { order, indexToPatient: m, sliceSpacingMm } = stackGeometry(slices);
      expect(order.map((i) => shuffled[i])).toEqual(shuffled.map((_, k) => k));
      expect(sliceSpacingMm).toBeCloseTo(spacing, 6);
      shuffled.forEach((_, k) => position(k).forEach((v, r) => expect(m[4 * r + 2]! * k + m[4 * r + 3]!).toBeCloseTo(v, 6)));
      // Columns step by the column spacing, rows by the row spacing.
      expect(Math.hypot(m[0]!, m[4]!, m[8]!)).toBeCloseTo(0.7, 9);
      expect(Math.hypot(m[1]!, m[5]!, m[9]!)).toBeCloseTo(0.9, 9);
    },
  ));
});

/** Rows of a rotation matrix: right-handed unit vectors. */
function rotation(a: number, b: number, c: number): readonly (readonly number[])[] {
  const [sa, ca, sb, cb, sc, cc] = [Math.sin(a), Math.cos(a), Math.sin(b), Math.cos(b), Math.sin(c), Math.cos(c)];
  return [[ca * cb, ca * sb * sc - sa * cc, ca * sb * cc + sa * sc], [sa * cb, sa * sb * sc + ca * cc, sa * sb * cc - ca * sc], [-sb, cb * sc, cb * cc]];
}

test('the order of the files does not matter to a volume', async () => {
  const files = [0, 1, 2, 3, 4].map((k) => part10(slice(3 * k, { '7FE00010': Array.from({ length: 6 }, (_, i) => 10 * k + i) })));
  const expected = await volumeFromInstances(files);
  await fc.assert(fc.asyncProperty(fc.shuffledSubarray(files, { minLength: 5 }), async (shuffled) => {
    expect(await volumeFromInstances(shuffled)).toEqual(expected);
  }), { numRuns: 30 });
});

test('whatever bytes come, there is an image or an error of ours', async () => {
  const whole = part10(slice(0));
  const broken = fc.array(fc.tuple(fc.integer({ min: 128, max: whole.length - 1 }), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 6 }).map((changes) => {
    const bytes = whole.slice();
    for (const [at, value] of changes) bytes[at] = value;
    return bytes;
  });
  await fc.assert(fc.asyncProperty(fc.oneof(broken, fc.uint8Array({ maxLength: 400 })), async (bytes) => {
    try {
      const image = await imageFromFile(bytes, 'fuzz');
      expect(image.pixels.length).toBe(image.shape[0] * image.shape[1] * image.shape[2] * image.channels);
    } catch (error) {
      if (!isOverreadError(error) || error.code === 'internal') throw error;
    }
  }), { numRuns: 2000 });
}, 120_000);

test('a picture and its MONOCHROME1 negative are the same image', async () => {
  await fc.assert(fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 4095 }), { minLength: 6, maxLength: 6 }), async (values) => {
    const positive = await imageFromFile(part10(picture({ '7FE00010': values })), 'a');
    const negative = await imageFromFile(part10(picture({ '00280004': 'MONOCHROME1', '7FE00010': values.map((v) => 4095 - v) })), 'b');
    expect(negative.pixels).toEqual(positive.pixels);
    expect(negative.representableRange).toEqual(positive.representableRange);
  }));
});
