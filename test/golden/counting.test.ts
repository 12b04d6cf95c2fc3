import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { linearRegression, slopeInterval } from '../../src/metrics/linear-regression.ts';

interface Golden {
  readonly fits: readonly { readonly x: number[]; readonly y: number[]; readonly interval: [number, number]; readonly slope: number; readonly intercept: number; readonly r: number; readonly p: number; readonly slopeError: number; readonly interceptError: number }[];
}

const golden = JSON.parse(readFileSync(join(__dirname, 'counting.json'), 'utf8')) as Golden;

test.each(golden.fits)('a line is that of scipy.stats.linregress', ({ x, y, interval, ...wanted }) => {
  const fit = linearRegression(x, y);
  for (const [name, value] of Object.entries(wanted)) expect(fit[name as keyof typeof fit]).toBeCloseTo(value, 8);
  expect(slopeInterval(fit)!.low).toBeCloseTo(interval[0]!, 8);
  expect(slopeInterval(fit)!.high).toBeCloseTo(interval[1]!, 8);
});
