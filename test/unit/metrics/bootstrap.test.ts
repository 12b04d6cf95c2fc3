import { bootstrapMean } from '../../../src/metrics/bootstrap.ts';

test('the same seed gives the same interval, another seed another', () => {
  const values = Array.from({ length: 30 }, (_, i) => 0.8 + (i % 7) / 50);
  const groups = values.map((_, i) => `p${i % 11}`);
  const first = bootstrapMean(values, groups, { seed: 1 });
  expect(bootstrapMean(values, groups, { seed: 1 })).toEqual(first);
  expect(bootstrapMean(values, groups, { seed: 2 })).not.toEqual(first);
});

test('one patient leaves nothing to draw: the interval is the mean', () => {
  const { value, low, high } = bootstrapMean([0.5, 0.7], ['a', 'a']);
  expect(value).toBeCloseTo(0.6, 12);
  expect(low).toBeCloseTo(0.6, 12);
  expect(high).toBeCloseTo(0.6, 12);
});

test('drawing patients widens the interval over drawing items', () => {
  // Ten patients with ten like items each: the items hold ten pieces of news, not a hundred.
  const values = Array.from({ length: 100 }, (_, i) => Math.floor(i / 10) / 10);
  const byPatient = bootstrapMean(values, values.map((_, i) => `p${Math.floor(i / 10)}`));
  const byItem = bootstrapMean(values, values.map((_, i) => `i${i}`));
  expect(byPatient.value).toBeCloseTo(0.45, 12);
  expect(byPatient.high - byPatient.low).toBeGreaterThan(2 * (byItem.high - byItem.low));
});

test('refuses nothing, and groups of another length', () => {
  expect(() => bootstrapMean([], [])).toThrow('at least one value');
  expect(() => bootstrapMean([1, 2], ['a'])).toThrow('2 values and 1 groups');
});
