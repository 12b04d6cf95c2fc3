import type { InputSpec } from '../../../src/manifest.ts';
import { normalise } from '../../../src/tensor/normalise.ts';
import { picture } from '../runtime/tiny.ts';

const spec = (normalisation: InputSpec['normalisation'], valueRange: [number, number] = [0, 1]) => ({ normalisation, valueRange }) as InputSpec;
const ramp = picture(101, 1, x => x); // the percentile p is p

describe('normalise', () => {
  test('percentile: linear between the two, clipped outside', () => {
    const values = normalise(ramp, spec({ kind: 'percentile', low: 10, high: 90 }, [-1, 1]));
    expect([...values.subarray(0, 11)]).toEqual(Array(11).fill(-1));
    expect(values[50]).toBeCloseTo(0, 6);
    expect(values[70]).toBeCloseTo(0.5, 6);
    expect([...values.subarray(90)]).toEqual(Array(11).fill(1));
  });

  test('window: fixed values, clipped', () => {
    const values = normalise(picture(4, 1, x => [-2000, -1000, 0, 5000][x]!), spec({ kind: 'window', min: -1000, max: 1000 }));
    expect([...values]).toEqual([0, 0, 0.5, 1]);
  });

  test('representable: the range that the bits could have, not the one that occurs', () => {
    const values = normalise(picture(3, 1, x => [0, 1024, 4095][x]!, { representableRange: [0, 4095] }), spec({ kind: 'representable' }, [-1024, 1024]));
    expect(values[0]).toBeCloseTo(-1024, 3);
    expect(values[1]).toBeCloseTo((1024 / 4095) * 2048 - 1024, 3);
    expect(values[2]).toBeCloseTo(1024, 3);
  });

  test('zscore: mean 0 and deviation 1', () => {
    const values = normalise(picture(50, 20, (x, y) => 1000 + ((x * 7 + y * 13) % 31)), spec({ kind: 'zscore' }));
    const mean = values.reduce((a, b) => a + b) / values.length;
    const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length;
    expect(mean).toBeCloseTo(0, 5);
    expect(variance).toBeCloseTo(1, 4);
  });

  test.each<[InputSpec['normalisation'], number]>([
    [{ kind: 'percentile', low: 1, high: 99 }, -1],
    [{ kind: 'zscore' }, 0],
  ])('a constant image with %p has no range to divide by', (kind, expected) => {
    expect([...new Set(normalise(picture(9, 9, () => 77), spec(kind, [-1, 1])))]).toEqual([expected]);
  });

  test.each([NaN, Infinity])('refuses %p', bad => {
    expect(() => normalise(picture(3, 1, x => (x === 1 ? bad : 0)), spec({ kind: 'zscore' }))).toThrow(
      expect.objectContaining({ code: 'input/unsupported-pixels', fields: { expected: 'finite numbers', got: String(bad) } }),
    );
  });
});
