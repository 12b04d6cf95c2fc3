import { linearSumAssignment } from 'linear-sum-assignment';
import { OverreadError } from '../errors.ts';

/** Points [x0, y0, x1, y1, …]. */
type Points = ArrayLike<number>;

export interface PointMatches {
  readonly pairs: readonly { readonly truth: number; readonly found: number; readonly distance: number }[];
  readonly truePositives: number;
  /** Found ones without a true one. */
  readonly falsePositives: number;
  /** True ones without a found one. */
  readonly falseNegatives: number;
}

/**
 * Sets found points against true ones, one to one and no further apart than the radius: as many pairs as there can be, and of
 * those the nearest together. Points that are far from each other are matched by themselves; within a cluster it is the
 * assignment problem, by Jonker's and Volgenant's algorithm (D. F. Crouse, "On implementing 2D rectangular assignment algorithms",
 * IEEE Trans. Aerosp. Electron. Syst. 52(4), 2016).
 * @throws OverreadError `internal` for a radius that is not above 0
 */
export function matchPoints(truth: Points, found: Points, radius: number): PointMatches {
  if (!(radius > 0)) throw new OverreadError('internal', `Expected a radius above 0 to match points within, got ${radius}.`, { expected: '> 0', got: radius });
  const near = neighbours(truth, found, radius);
  const pairs = clusters(near, found.length / 2).flatMap(cluster => assigned(cluster, near, radius)).sort((a, b) => a.truth - b.truth);
  return { pairs, truePositives: pairs.length, falsePositives: found.length / 2 - pairs.length, falseNegatives: truth.length / 2 - pairs.length };
}

/** Of each true point, the found ones within the radius and how far they are. */
function neighbours(truth: Points, found: Points, radius: number): Map<number, number>[] {
  const cells = new Map<string, number[]>();
  const cellOf = (value: number) => Math.floor(value / radius);
  for (let i = 0; i < found.length / 2; i++) {
    const key = `${cellOf(found[2 * i]!)},${cellOf(found[2 * i + 1]!)}`;
    const there = cells.get(key);
    if (there) there.push(i);
    else cells.set(key, [i]);
  }
  return Array.from({ length: truth.length / 2 }, (_, t) => {
    const [x, y] = [truth[2 * t]!, truth[2 * t + 1]!];
    const near = new Map<number, number>();
    for (let dy = -1; dy <= 1; dy++) {
      for (let dx = -1; dx <= 1; dx++) {
        for (const f of cells.get(`${cellOf(x) + dx},${cellOf(y) + dy}`) ?? []) {
          const distance = Math.hypot(found[2 * f]! - x, found[2 * f + 1]! - y);
          if (distance <= radius) near.set(f, distance);
        }
      }
    }
    return near;
  });
}

interface Cluster {
  readonly truths: readonly number[];
  readonly founds: readonly number[];
}

/** Points that hang together by neighbours. */
function clusters(near: readonly Map<number, number>[], found: number): Cluster[] {
  const backwards: number[][] = Array.from({ length: found }, () => []);
  near.forEach((of, t) => of.forEach((_, f) => backwards[f]!.push(t)));
  const seen = new Set<number>();
  return near.flatMap((of, start) => {
    if (seen.has(start) || of.size === 0) return [];
    const [truths, founds] = [[start], new Set<number>()];
    seen.add(start);
    for (let i = 0; i < truths.length; i++) {
      for (const f of near[truths[i]!]!.keys()) {
        if (founds.has(f)) continue;
        founds.add(f);
        for (const t of backwards[f]!) if (!seen.has(t)) seen.add(t) && truths.push(t);
      }
    }
    return [{ truths, founds: [...founds] }];
  });
}

function assigned({ truths, founds }: Cluster, near: readonly Map<number, number>[], radius: number): PointMatches['pairs'][number][] {
  // One more pair is worth more than all ways together.
  const worth = radius * (Math.min(truths.length, founds.length) + 1);
  const costs = truths.map(t => founds.map(f => (near[t]!.has(f) ? near[t]!.get(f)! - worth : 0)));
  const { rowAssignments } = linearSumAssignment(costs, { maximaze: false });
  return truths.flatMap((truth, row) => {
    const column = rowAssignments[row]!;
    const found = column >= 0 ? founds[column]! : -1;
    const distance = near[truth]!.get(found);
    return distance === undefined ? [] : [{ truth, found, distance }];
  });
}
