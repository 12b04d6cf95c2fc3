import fc from 'fast-check';
import { bootstrapMean } from '../../src/metrics/bootstrap.ts';
import { dice } from '../../src/metrics/dice.ts';
import { iou } from '../../src/metrics/iou.ts';
import { overlap } from '../../src/metrics/overlap.ts';
import { precision } from '../../src/metrics/precision.ts';
import { recall } from '../../src/metrics/recall.ts';

const label = fc.integer({ min: 0, max: 3 });
const pairs = fc.array(fc.tuple(label, label), { minLength: 1, maxLength: 200 });
const split = (p: readonly (readonly [number, number])[]) => [p.map(([t]) => t), p.map(([, q]) => q)] as const;

test('dice = 2·iou / (1 + iou), both symmetric, within 0..1, and 1 against itself', () => {
  fc.assert(fc.property(pairs, fc.integer({ min: 1, max: 3 }), (p, k) => {
    const [truth, prediction] = split(p);
    const there = overlap(truth, prediction, k);
    const back = overlap(prediction, truth, k);
    expect(dice(there)).toBeCloseTo((2 * iou(there)) / (1 + iou(there)), 12);
    expect(dice(back)).toBe(dice(there));
    expect(iou(back)).toBe(iou(there));
    expect(iou(there)).toBeGreaterThanOrEqual(0);
    expect(dice(there)).toBeLessThanOrEqual(1);
    expect(iou(there)).toBeLessThanOrEqual(dice(there));
    expect(dice(overlap(truth, truth, k))).toBe(1);
  }));
});

test('precision of one way is recall of the other, empty masks too', () => {
  fc.assert(fc.property(pairs, p => {
    const [truth, prediction] = split(p);
    expect(precision(overlap(truth, prediction))).toBe(recall(overlap(prediction, truth)));
  }));
});

test('the four counts add up to all pixels', () => {
  fc.assert(fc.property(pairs, fc.constantFrom(1, 2, 3, 'any' as const), (p, k) => {
    const [truth, prediction] = split(p);
    const { truePositives, falsePositives, falseNegatives, trueNegatives } = overlap(truth, prediction, k);
    expect(truePositives + falsePositives + falseNegatives + trueNegatives).toBe(p.length);
    expect(Math.min(truePositives, falsePositives, falseNegatives, trueNegatives)).toBeGreaterThanOrEqual(0);
  }));
});

test('an interval holds between the worst and the best patient', () => {
  const item = fc.record({ value: fc.double({ min: 0, max: 1, noNaN: true }), group: fc.constantFrom('a', 'b', 'c', 'd') });
  fc.assert(fc.property(fc.array(item, { minLength: 1, maxLength: 40 }), items => {
    const values = items.map(i => i.value);
    const { low, high } = bootstrapMean(values, items.map(i => i.group), { resamples: 50 });
    expect(low).toBeLessThanOrEqual(high);
    expect(low).toBeGreaterThanOrEqual(Math.min(...values) - 1e-12);
    expect(high).toBeLessThanOrEqual(Math.max(...values) + 1e-12);
  }), { numRuns: 50 });
});
