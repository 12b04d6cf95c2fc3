import { halfToNumber, numberToHalf } from '../../../src/runtime/half.ts';

describe('float16', () => {
  test('every number of it comes back as the same bits', () => {
    const all = Array.from({ length: 0x10000 }, (_, bits) => bits);
    const numbers = all.filter(bits => !Number.isNaN(halfToNumber(bits)));
    expect(numbers.length).toBe(0x10000 - 2 * 1023);
    expect(numbers.filter(bits => numberToHalf(halfToNumber(bits)) !== bits)).toEqual([]);
    expect(halfToNumber(numberToHalf(NaN))).toBeNaN();
  });

  test('a number between two becomes the nearer one, of two as near the even one', () => {
    const wrong = Array.from({ length: 0x7bff }, (_, bits) => bits).filter(bits => {
      const [low, high] = [halfToNumber(bits), halfToNumber(bits + 1)];
      const middle = (low + high) / 2;
      const step = (high - low) / 64;
      return numberToHalf(middle - step) !== bits || numberToHalf(middle) !== bits + (bits % 2) || numberToHalf(middle + step) !== bits + 1;
    });
    expect(wrong).toEqual([]);
  });

  test('what is beyond the largest is infinite', () => {
    expect(numberToHalf(65_519)).toBe(numberToHalf(65_504));
    expect([65_520, 1e9, -65_520, Infinity].map(value => halfToNumber(numberToHalf(value)))).toEqual([Infinity, Infinity, -Infinity, Infinity]);
    expect([1e-8, 2 ** -25, 2 ** -24].map(numberToHalf)).toEqual([0, 0, 1]);
  });
});
