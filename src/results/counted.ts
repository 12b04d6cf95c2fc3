import { referenceOf, type ImageReference } from '../image/image.ts';
import type { Counting, Target } from '../manifest.ts';
import { countInterval } from './count-interval.ts';
import type { Candidates } from './density-peaks.ts';
import type { Count, CountedClass, PointsResult } from './points.ts';

/** What a count is made of. */
export interface Counted {
  readonly targets: readonly Target[];
  /** Cells of each class. */
  readonly sums: ArrayLike<number>;
  readonly candidates: Candidates;
  /** Absent where no interval is to be given. */
  readonly interval?: Counting['interval'];
  /** Standard deviation of the redundant counts: of all classes together, then of each. */
  readonly spreads?: readonly number[];
  readonly density?: Float32Array;
  /** How many pixels were counted in, for cells/mm²; all of the plane when left out. */
  readonly pixels?: number;
  readonly remarks?: readonly string[];
}

type PointsFinding = Omit<PointsResult, 'model' | 'device' | 'timingMs' | 'createdAt' | 'outOfDistribution'>;

/**
 * A count with its markers: of each class the surest candidates, as many as its sum rounds to. Where there are fewer, a remark says
 * how many cells have none.
 */
export function countedPoints(source: ImageReference, { targets, sums, candidates, interval, spreads = [], density, pixels = source.shape[0] * source.shape[1], remarks = [] }: Counted): PointsFinding {
  const kept = surest(candidates, Array.from(targets, (_, c) => Math.round(sums[c]!)));
  const markers = targets.map((_, c) => kept.filter(i => candidates.classOf[i] === c).length);
  const total = Array.from(targets, (_, c) => sums[c]!).reduce((sum, count) => sum + count, 0);
  const area = source.spacingMm && pixels * source.spacingMm[0] * source.spacingMm[1];
  const count = (cells: number, ofMarkers: number, rule: HalfWidth | undefined, spread?: number): Count => ({
    count: cells,
    markers: ofMarkers,
    ...(rule && interval && { interval: countInterval(cells, rule, interval.level, spread) }),
    ...(area !== undefined && { cellsPerMm2: cells / area }),
  });
  const classes: CountedClass[] = targets.map((target, c) => ({ target, ...count(sums[c]!, markers[c]!, interval?.classes?.[c] ?? (targets.length === 1 ? interval : undefined), spreads[c + 1]) }));
  const missing = targets.reduce((sum, _, c) => sum + Math.round(sums[c]!) - markers[c]!, 0);
  const said = [
    ...remarks,
    ...(area === undefined ? ['no PixelSpacing: no cells/mm²'] : []),
    ...(missing > 0 ? [`${missing} of ${Math.round(total)} cells have no marker of their own: their densities run together or are too weak`] : []),
  ];
  return {
    kind: 'points',
    source: referenceOf(source),
    coordinates: Float32Array.from(kept.flatMap(i => [candidates.coordinates[2 * i]!, candidates.coordinates[2 * i + 1]!])),
    classOf: Uint8Array.from(kept, i => candidates.classOf[i]!),
    confidences: Float32Array.from(kept, i => Math.min(1, candidates.weights[i]!)),
    classes,
    total: count(total, kept.length, interval, spreads[0]),
    ...(density && { density }),
    ...(said.length && { remarks: said }),
  };
}

type HalfWidth = Parameters<typeof countInterval>[1];

/** The surest of each class, in the order of the candidates. @param wanted how many, one number a class */
export function surest({ classOf, weights }: Candidates, wanted: readonly number[]): number[] {
  const order = Uint32Array.from(classOf.keys()).sort((a, b) => weights[b]! - weights[a]! || a - b);
  const left = [...wanted];
  return Array.from(order).filter(i => left[classOf[i]!]!-- > 0).sort((a, b) => a - b);
}
