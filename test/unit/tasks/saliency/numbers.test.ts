import { gaussians } from '../../../../src/tasks/saliency/random.ts';
import { toSourceGrid } from '../../../../src/tasks/saliency/source-grid.ts';
import { spearman } from '../../../../src/tasks/saliency/spearman.ts';

describe('spearman', () => {
  const f = (...values: number[]) => Float32Array.from(values);

  test('is 1 for the same order, −1 for the reverse, whatever the distances', () => {
    expect(spearman(f(1, 2, 3, 100), f(0.1, 0.2, 7, 8))).toBeCloseTo(1, 12);
    expect(spearman(f(1, 2, 3, 100), f(4, 3, 2, 1))).toBeCloseTo(-1, 12);
  });

  test('shares ranks among equal values', () => {
    // Ranks 1, 2.5, 2.5, 4 and 1, 3, 2, 4: 4.5 / √(4.5 · 5).
    expect(spearman(f(1, 2, 2, 3), f(1, 3, 2, 4))).toBeCloseTo(4.5 / Math.sqrt(22.5), 12);
  });

  test('a constant has no order', () => {
    expect(spearman(f(1, 1), f(2, 2))).toBe(1);
    expect(spearman(f(1, 1), f(1, 2))).toBe(0);
  });
});

test('gaussians have mean 0 and deviation 1, and neighbouring seeds nothing in common', () => {
  const take = (seed: number) => Array.from({ length: 20_000 }, gaussians(seed));
  const [a, b] = [take(1), take(2)];
  const mean = (v: number[]) => v.reduce((sum, x) => sum + x, 0) / v.length;
  expect(Math.abs(mean(a))).toBeLessThan(0.03);
  expect(Math.abs(mean(a.map(v => v * v)) - 1)).toBeLessThan(0.05);
  expect(Math.abs(mean(a.map((v, i) => v * b[i]!)))).toBeLessThan(0.03);
  expect(take(1)).toEqual(a);
  expect(a.every(Number.isFinite)).toBe(true);
});

test('a map comes back as segmentations do: bilinear, and 0 where the network did not see', () => {
  // Input 4 × 4 shows the middle 4 columns of an 8 × 4 source, at the same scale.
  const placement = { scale: [1, 1], offset: [-2, 0], inputSize: [4, 4], sourceSize: [8, 4] } as const;
  const coarse = Float32Array.from([1, 3, 1, 3]);
  const out = toSourceGrid(coarse, 2, 2, placement);
  expect([...out.subarray(0, 8)]).toEqual([0, 0, 1, 1.5, 2.5, 3, 0, 0]);
  expect([...out.subarray(24, 32)]).toEqual([0, 0, 1, 1.5, 2.5, 3, 0, 0]);
});
