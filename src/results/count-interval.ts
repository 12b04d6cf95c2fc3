import type { Counting } from '../manifest.ts';
import type { Count } from './points.ts';

type HalfWidth = Pick<NonNullable<Counting['interval']>, 'constant' | 'proportional' | 'spread'>;

/**
 * The interval of a count by the manifest's rule.
 * @param spread standard deviation of the counts of a redundant map's lattices; 0 of other networks
 */
export function countInterval(count: number, { constant, proportional, spread: perSpread = 0 }: HalfWidth, level: number, spread = 0): NonNullable<Count['interval']> {
  const half = constant + proportional * count + perSpread * spread;
  return { low: Math.max(0, count - half), high: count + half, level };
}

/**
 * How far the field² counts of a redundant map lie apart: outputs that lie `field` apart in both directions form a lattice that
 * sees every cell once, so each lattice's sum is a count of its own, and their mean the map's.
 * @param lattices their counts
 * @returns the standard deviation
 */
export function latticeSpread(lattices: Float64Array): number {
  const mean = lattices.reduce((sum, count) => sum + count, 0) / lattices.length;
  return Math.sqrt(lattices.reduce((sum, count) => sum + (count - mean) ** 2, 0) / lattices.length);
}
