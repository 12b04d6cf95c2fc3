import { fillPadding, invertMonochrome1, modalityValues, representableRange, storedRange } from '../../../src/image/modality-values.ts';

const line = (slope: number, intercept: number) => ({ kind: 'linear', slope, intercept }) as const;

test('the stored range is what the stored bits hold', () => {
  expect(storedRange({ bitsStored: 8, signed: false })).toEqual([0, 255]);
  expect(storedRange({ bitsStored: 12, signed: true })).toEqual([-2048, 2047]);
});

test('the representable range is the stored one after the transform', () => {
  expect(representableRange({ bitsStored: 12, signed: false }, line(1, -1024))).toEqual([-1024, 3071]);
  expect(representableRange({ bitsStored: 8, signed: false }, line(-2, 10))).toEqual([-500, 10]);
  expect(representableRange({ bitsStored: 8, signed: false }, { kind: 'table', first: 0, bits: 10, values: Uint16Array.from([5]) })).toEqual([0, 1023]);
});

test('a table holds its ends beyond them', () => {
  const out = new Float32Array(5);
  modalityValues(Int16Array.from([-5, 10, 11, 12, 99]), { kind: 'table', first: 10, bits: 16, values: Uint16Array.from([7, 8, 9]) }, out);
  expect([...out]).toEqual([7, 7, 8, 9, 9]);
});

test('MONOCHROME1 turns round within the representable range, twice is nothing', () => {
  const pixels = Float32Array.from([0, 1, 4095]);
  invertMonochrome1(pixels, [0, 4095]);
  expect([...pixels]).toEqual([4095, 4094, 0]);
  invertMonochrome1(pixels, [0, 4095]);
  expect([...pixels]).toEqual([0, 1, 4095]);
  const rescaled = Float32Array.from([200, 3000]);
  invertMonochrome1(rescaled, [200, 3000]);
  expect([...rescaled]).toEqual([3000, 200]);
});

test('padding becomes the darkest measured value', () => {
  const pixels = Float32Array.from([-3024, -1000, 40, -3024]);
  expect(fillPadding(pixels, [-3024, -3024])).toBe(2);
  expect([...pixels]).toEqual([-1000, -1000, 40, -1000]);
  const none = Float32Array.from([1, 2]);
  expect(fillPadding(none, [9, 9])).toBe(0);
  const all = Float32Array.from([5, 5]);
  expect(fillPadding(all, [5, 5])).toBe(0);
  expect([...all]).toEqual([5, 5]);
});
