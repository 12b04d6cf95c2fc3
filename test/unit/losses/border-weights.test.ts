import fc from 'fast-check';
import { borderWeights } from '../../../src/losses/border-weights.ts';
import { edgeTargets, edgeWeights } from '../../../src/losses/edge-targets.ts';

/** The paper's formula, pixel by pixel and object by object. */
function byTheFormula(instances: readonly number[], columns: number, height: number, sigma: number): number[] {
  const labels = [...new Set(instances)].filter(label => label !== 0);
  return instances.map((own, i) => {
    if (own !== 0) return 1;
    const distances = labels.map(label => Math.min(...instances.flatMap((each, j) => (each === label ? [Math.hypot((i % columns) - (j % columns), Math.floor(i / columns) - Math.floor(j / columns))] : [])))).sort((a, b) => a - b);
    return 1 + (distances.length > 1 ? height * Math.exp(-((distances[0]! + distances[1]!) ** 2) / (2 * sigma ** 2)) : 0);
  });
}

test('border weights are the formula\'s', () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 14 }), fc.integer({ min: 1, max: 14 }), fc.integer({ min: 1, max: 3 }), fc.infiniteStream(fc.constantFrom(0, 0, 0, 1, 2, 7)), (columns, rows, sigma, stream) => {
    const instances = Array.from({ length: columns * rows }, () => stream.next().value as number);
    const weights = borderWeights(instances, columns, rows, { height: 8, sigma });
    byTheFormula(instances, columns, 8, sigma).forEach((weight, i) => expect(weights[i]).toBeCloseTo(weight, 5));
  }), { numRuns: 40 });
});

test('a gap of one pixel weighs most, a wide one hardly', () => {
  const row = (gap: number) => [1, 1, ...Array.from({ length: gap }, () => 0), 2, 2];
  const middle = (gap: number) => borderWeights(row(gap), gap + 4, 1)[2 + Math.floor(gap / 2)]!;
  expect(middle(1)).toBeCloseTo(1 + 10 * Math.exp(-4 / 50), 5);
  expect(middle(3)).toBeLessThan(middle(1));
  expect(middle(61)).toBeCloseTo(1, 5);
});

test('balanced, objects and background have the same sum; a picture of one of them stays at 1', () => {
  const instances = [1, 0, 0, 0, 0, 0, 0, 0];
  const weights = borderWeights(instances, 8, 1, { balanced: true });
  expect(weights[0]).toBeCloseTo(4);
  expect(weights.subarray(1).reduce((sum, w) => sum + w, 0)).toBeCloseTo(4);
  expect([...borderWeights([0, 0], 2, 1, { balanced: true })]).toEqual([1, 1]);
  expect([...borderWeights([3], 1, 1, { balanced: true })]).toEqual([1]);
});

test('edges are where labels change, on both sides; between objects only where both are objects', () => {
  const instances = [
    1, 1, 0, 0,
    1, 1, 2, 2,
    0, 0, 2, 2,
  ];
  expect([...edgeTargets(instances, 4, 3)]).toEqual([
    0, 1, 1, 1,
    1, 1, 1, 1,
    1, 1, 1, 0,
  ]);
  expect([...edgeTargets(instances, 4, 3, { betweenObjects: true })]).toEqual([
    0, 1, 0, 0,
    0, 1, 1, 0,
    0, 0, 1, 0,
  ]);
  expect([...edgeTargets([1, 1, 1, 1, 2, 2, 2, 2], 8, 1, { width: 2 })]).toEqual([0, 0, 1, 1, 1, 1, 0, 0]);
  expect([...edgeWeights(Uint8Array.from([0, 1]), 5)]).toEqual([1, 5]);
});
