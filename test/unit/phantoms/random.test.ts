import { hashIntegers, seededRandom } from '../../../src/phantoms/random.ts';

describe('seededRandom', () => {
  test('repeats for a seed', () => {
    const a = seededRandom(7);
    const b = seededRandom(7);
    const c = seededRandom(8);
    const first = Array.from({ length: 20 }, () => a.next());
    expect(Array.from({ length: 20 }, () => b.next())).toEqual(first);
    expect(Array.from({ length: 20 }, () => c.next())).not.toEqual(first);
  });

  test('is uniform and normal, about', () => {
    const random = seededRandom(1);
    const uniform = Array.from({ length: 20_000 }, () => random.next());
    const normal = Array.from({ length: 20_000 }, () => random.gaussian());
    const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = (values: number[]): number => mean(values.map((value) => (value - mean0(values)) ** 2));
    const memo = new Map<number[], number>();
    const mean0 = (values: number[]): number => memo.get(values) ?? (memo.set(values, mean(values)), memo.get(values)!);
    expect(mean(uniform)).toBeCloseTo(0.5, 1);
    expect(variance(uniform)).toBeCloseTo(1 / 12, 2);
    expect(Math.abs(mean(normal))).toBeLessThan(0.03);
    expect(variance(normal)).toBeCloseTo(1, 1);
  });
});

test('hashIntegers tells order and value apart', () => {
  const seen = new Set<number>();
  for (let i = 0; i < 100; i++) for (let j = 0; j < 100; j++) seen.add(hashIntegers(1, i, j));
  expect(seen.size).toBeGreaterThan(9_990);
});
