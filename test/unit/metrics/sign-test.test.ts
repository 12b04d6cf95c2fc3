import { signTest } from '../../../src/metrics/sign-test.ts';

// As scipy.stats.binomtest(min(a, b), a + b).pvalue gives it (scipy of Debian 12).
test.each([
  [8, 2, 0.109375], [5, 5, 1], [0, 6, 0.03125], [17, 4, 0.007197380065917969], [0, 0, 1], [1, 0, 1], [600, 500, 0.002819544991436429],
])('%i against %i', (a, b, p) => {
  expect(signTest(a, b)).toBeCloseTo(p, 12);
  expect(signTest(b, a)).toBe(signTest(a, b));
});

test('of very many cases does not vanish on the way', () => {
  expect(signTest(3000, 2000) / 1.300231000520625e-45).toBeCloseTo(1, 8);
});

test('counts are whole numbers', () => {
  expect(() => signTest(1.5, 2)).toThrow('Expected two counts');
});
