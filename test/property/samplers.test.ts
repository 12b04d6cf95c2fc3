import fc from 'fast-check';
import { CasedSampler } from '../../src/training/samplers/cased.ts';
import { ClassBalancedSampler } from '../../src/training/samplers/class-balanced.ts';
import { ClassIndex } from '../../src/training/samplers/class-index.ts';
import type { LabelledPicture, Patch, Sampler } from '../../src/training/samplers/sampler.ts';
import { UniformSampler } from '../../src/training/samplers/uniform.ts';
import { WeightedChoice } from '../../src/training/samplers/weighted-choice.ts';

const picture: fc.Arbitrary<LabelledPicture> = fc.integer({ min: 1, max: 9 }).chain(columns =>
  fc.integer({ min: 1, max: 9 }).chain(rows => fc.record({ columns: fc.constant(columns), rows: fc.constant(rows), labels: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: columns * rows, maxLength: columns * rows }) })));
const pictures = fc.array(picture, { minLength: 1, maxLength: 4 });
const seed = fc.integer({ min: 0, max: 2 ** 31 - 1 });
const SAMPLERS: readonly (readonly [string, (of: readonly LabelledPicture[], seed: number) => Sampler])[] = [
  ['uniform', (of, from) => new UniformSampler(of, from)],
  ['balanced by class', (of, from) => new ClassBalancedSampler(of, from)],
  ['CASED', (of, from) => new CasedSampler(of, from, { cell: 3, halfAfter: 20 })],
];
const many = (sampler: Sampler, count: number): Patch[] => Array.from({ length: count }, () => sampler.next());

/** χ² of counts against shares is below this once in a hundred thousand tests, for up to three degrees of freedom. */
const CHI_SQUARED = 25.9;
function chiSquared(counts: readonly number[], shares: readonly number[], total: number): number {
  return counts.reduce((sum, count, i) => sum + (count - total * shares[i]!) ** 2 / (total * shares[i]!), 0);
}

describe.each(SAMPLERS)('%s', (_, of) => {
  test('gives pixels of the pictures with their own class, the same ones for the same seed', () => {
    fc.assert(fc.property(pictures, seed, (list, from) => {
      const patches = many(of(list, from), 40);
      expect(many(of(list, from), 40)).toEqual(patches);
      for (const { picture: p, column, row, label } of patches) {
        const { columns, rows, labels } = list[p]!;
        expect(column >= 0 && column < columns && row >= 0 && row < rows).toBe(true);
        expect(labels[row * columns + column]).toBe(label);
      }
    }), { numRuns: 60 });
  });

  test('says what is wrong with pictures that cannot be sampled from', () => {
    expect(() => of([], 1)).toThrow(/Expected pictures/);
    expect(() => of([{ columns: 2, rows: 2, labels: [0, 0, 0] }], 1)).toThrow(/Expected 2 × 2 labels for picture 0/);
    expect(() => of([{ columns: 0, rows: 0, labels: [] }], 1)).toThrow(/Expected/);
  });
});

test('every pixel of a class has its rank, in order', () => {
  fc.assert(fc.property(pictures, list => {
    const index = new ClassIndex(list);
    const all = list.flatMap(({ columns, labels }, p) => Array.from(labels, (label, i) => ({ picture: p, column: i % columns, row: Math.floor(i / columns), label })));
    for (const [label, count] of index.counts) {
      const own = all.filter(patch => patch.label === label);
      expect(own).toHaveLength(count);
      expect(own.map((_, rank) => index.patch(label, rank))).toEqual(own);
    }
  }), { numRuns: 60 });
});

test('uniform: classes as often as they are, pictures by their size', () => {
  const labels = Array.from({ length: 300 }, (_, i) => (i % 100 === 0 ? 2 : i % 5 === 0 ? 1 : 0));
  const patches = many(new UniformSampler([{ columns: 20, rows: 15, labels }, { columns: 10, rows: 10, labels: Array.from({ length: 100 }, () => 0) }], 3), 8000);
  const share = (label: number) => (labels.filter(l => l === label).length + (label === 0 ? 100 : 0)) / 400;
  expect(chiSquared([0, 1, 2].map(l => patches.filter(p => p.label === l).length), [0, 1, 2].map(share), 8000)).toBeLessThan(CHI_SQUARED);
  expect(chiSquared([0, 1].map(i => patches.filter(p => p.picture === i).length), [0.75, 0.25], 8000)).toBeLessThan(CHI_SQUARED);
});

test('balanced: every class alike, were it one pixel of 10,000', () => {
  const labels = new Uint8Array(10_000);
  labels[4321] = 1;
  labels.fill(2, 9000);
  const patches = many(new ClassBalancedSampler([{ columns: 100, rows: 100, labels }], 8), 6000);
  expect(chiSquared([0, 1, 2].map(l => patches.filter(p => p.label === l).length), [1 / 3, 1 / 3, 1 / 3], 6000)).toBeLessThan(CHI_SQUARED);
  expect(patches.find(p => p.label === 1)).toMatchObject({ column: 21, row: 43 });
  // Of a class, all pixels alike: the upper and the lower half of the 1,000.
  const upper = patches.filter(p => p.label === 2 && p.row < 95).length;
  expect(chiSquared([upper, patches.filter(p => p.label === 2).length - upper], [0.5, 0.5], patches.filter(p => p.label === 2).length)).toBeLessThan(CHI_SQUARED);
});

describe('CASED', () => {
  const labels = new Uint8Array(64 * 64);
  labels[10 * 64 + 10] = 1; // one cell of 64: 0.02 % of the pixels
  const pictures = [{ columns: 64, rows: 64, labels }];

  test('first the rare class alone, half of the way after `halfAfter`, then as it is', () => {
    const sampler = new CasedSampler(pictures, 2, { cell: 8, halfAfter: 100 });
    expect(sampler.shares().get(1)).toBe(1);
    many(sampler, 100);
    expect(sampler.shares().get(1)).toBeCloseTo(0.5 + 0.5 / 64, 6);
    const patches = many(sampler, 5000).slice(1000);
    expect(sampler.shares().get(1)).toBeCloseTo(1 / 64, 6);
    expect(chiSquared([0, 1].map(l => patches.filter(p => p.label === l).length), [63 / 64, 1 / 64], 4000)).toBeLessThan(CHI_SQUARED);
    expect(patches.filter(p => p.label === 1).every(p => p.column === 10 && p.row === 10)).toBe(true);
  });

  test('goes where the model is wrong, in proportion to how wrong, and forgets nothing', () => {
    const sampler = new CasedSampler([{ columns: 32, rows: 8, labels: new Uint8Array(256) }], 4, { cell: 8, least: 0.1 });
    const scores = [1, 0.5, 0, 0.8];
    scores.forEach((score, i) => sampler.report({ picture: 0, column: 8 * i + 3, row: 5, label: 0 }, score));
    const patches = many(sampler, 8000);
    const counts = [0, 1, 2, 3].map(i => patches.filter(p => Math.floor(p.column / 8) === i).length);
    expect(chiSquared(counts, [0.1, 0.5, 1, 0.2].map(w => w / 1.8), 8000)).toBeLessThan(CHI_SQUARED);
  });

  test('a report in one class does not move the shares of the classes', () => {
    const sampler = new CasedSampler(pictures, 5, { cell: 8, halfAfter: 1 });
    many(sampler, 200);
    const before = [...sampler.shares()];
    for (let column = 0; column < 64; column += 8) for (let row = 0; row < 64; row += 8) sampler.report({ picture: 0, column, row, label: 0 }, 1);
    expect([...sampler.shares()]).toEqual(before);
  });

  test('background only, objects only, a 1 × 1 picture', () => {
    for (const [one, label] of [[[0, 0, 0, 0], 0], [[2, 2, 2, 2], 2], [[1], 1]] as const) {
      const sampler = new CasedSampler([{ columns: Math.sqrt(one.length), rows: Math.sqrt(one.length), labels: one }], 6, { cell: 2 });
      expect([...sampler.shares()]).toEqual([[label, 1]]);
      expect(many(sampler, 20).every(patch => patch.label === label)).toBe(true);
    }
  });

  test('shares of classes always add up to 1', () => {
    fc.assert(fc.property(fc.array(picture, { minLength: 1, maxLength: 3 }), fc.integer({ min: 0, max: 60 }), fc.double({ min: 0.01, max: 1, noNaN: true }), (list, drawn, first) => {
      const sampler = new CasedSampler(list, 7, { cell: 2, first, halfAfter: 10 });
      many(sampler, drawn);
      const shares = [...sampler.shares().values()];
      expect(shares.every(share => share >= 0)).toBe(true);
      expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 9);
    }), { numRuns: 40 });
  });

  test('refuses a score or options that are none', () => {
    expect(() => new CasedSampler(pictures, 1, { cell: 0.5 })).toThrow(/Expected a cell of whole pixels/);
    expect(() => new CasedSampler(pictures, 1).report({ picture: 0, column: 0, row: 0, label: 0 }, NaN)).toThrow(/Expected a score/);
  });
});

test('weighted draws follow weights that change, and never hit what has none', () => {
  fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 20 }), list => {
    fc.pre(list.some(weight => weight > 0));
    const choice = new WeightedChoice(list.length, 1);
    list.forEach((weight, i) => choice.set(i, weight));
    const total = list.reduce((sum, weight) => sum + weight, 0);
    expect(choice.total).toBe(total);
    const counts = list.map(() => 0);
    for (let i = 0; i < total; i++) counts[choice.draw((i + 0.5) / total)]!++;
    expect(counts).toEqual(list);
  }), { numRuns: 60 });
});
