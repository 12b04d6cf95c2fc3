import { OverreadError } from '../../../src/errors.ts';
import { binomialInterval, poissonInterval } from '../../../src/metrics/exact-intervals.ts';

// scipy.stats 1.10.1: binomtest(hits, n).proportion_ci(confidence, 'exact').
test.each([
  [0, 20, 0.95, 0, 0.16843347098308548], [20, 20, 0.95, 0.8315665290169145, 1], [46, 48, 0.95, 0.8574590267986223, 0.9949135320699886],
  [7, 23, 0.9, 0.1524796874296772, 0.4964350837140174], [500, 1000, 0.95, 0.46854917297179194, 0.531450827028208],
])('%i of %i, %d: as SciPy', (hits, n, confidence, low, high) => {
  const interval = binomialInterval(hits, n, confidence);
  expect(interval.value).toBe(hits / n);
  expect(interval.low).toBeCloseTo(low, 7);
  expect(interval.high).toBeCloseTo(high, 7);
});

// scipy.stats 1.10.1: chi2.ppf(0.025, 2 * count) / 2 and chi2.ppf(0.975, 2 * count + 2) / 2.
test.each([[0, 0, 3.6888794541139354], [1, 0.025317807984289876, 5.571643390938898], [3, 0.6186721228956014, 8.767273069742323], [40, 28.576586441788965, 54.468646963984064]])(
  'a count of %i: as SciPy', (count, low, high) => {
    const interval = poissonInterval(count);
    expect(interval.low).toBeCloseTo(low, 6);
    expect(interval.high).toBeCloseTo(high, 6);
  },
);

test('what is no count is refused', () => {
  for (const [hits, n] of [[1, 0], [3, 2], [-1, 2], [0.5, 2]] as const) expect(() => binomialInterval(hits, n)).toThrow(OverreadError);
  expect(() => poissonInterval(1.5)).toThrow(OverreadError);
});
