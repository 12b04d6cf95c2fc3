import { OverreadError } from '../errors.ts';

/** What a pixel is of: the values of {@link differenceOf}. */
export const DIFFERENCE = { both: 1, onlyA: 2, onlyB: 3 } as const;

/**
 * Where two masks agree and where only one of them has something: {@link DIFFERENCE}, 0 where neither has.
 * @param a not 0 where the first has something
 * @param b the same on the same grid
 * @throws OverreadError `internal` when the lengths differ
 */
export function differenceOf(a: ArrayLike<number>, b: ArrayLike<number>): Uint8Array {
  if (a.length !== b.length) {
    throw new OverreadError('internal', `Expected two masks on one grid, got ${a.length} and ${b.length} pixels. Bring both to one grid first.`, { expected: a.length, got: b.length });
  }
  const out = new Uint8Array(a.length);
  for (let i = 0; i < out.length; i++) out[i] = a[i] ? (b[i] ? DIFFERENCE.both : DIFFERENCE.onlyA) : b[i] ? DIFFERENCE.onlyB : 0;
  return out;
}
