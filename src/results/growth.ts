import { linearRegression, slopeInterval, type LinearFit } from '../metrics/linear-regression.ts';

/** A count of one picture of a well or a patient, and when the picture was taken. */
export interface TimedCount {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly count: number;
  readonly interval?: { readonly low: number; readonly high: number; readonly level: number };
  /** Well, or patient. */
  readonly subject: string;
  /** What the subject was given; wells of one condition are one series. */
  readonly condition?: string;
}

export interface GrowthPoint extends TimedCount {
  /** Since the first picture of all. */
  readonly hours: number;
}

export interface GrowthSeries {
  /** The condition, or the subject. */
  readonly name: string;
  readonly subjects: readonly string[];
  /** By time. */
  readonly points: readonly GrowthPoint[];
  readonly growth: Growth;
}

/** Exponential growth, or why there is none to tell of. */
export type Growth =
  | {
      readonly kind: 'growing';
      readonly doublingHours: number;
      /** Absent of two points. */
      readonly doublingInterval?: { readonly low: number; readonly high: number; readonly level: number };
      /** Of the counts' natural logarithm by hours. */
      readonly fit: LinearFit;
      /** Pictures without cells: 0 has no logarithm. */
      readonly leftOut: number;
    }
  | { readonly kind: 'none'; readonly reason: string; readonly fit?: LinearFit; readonly leftOut: number };

/**
 * Counts against time, a series for each condition or each subject, ordered by name.
 * @param by `subject` where conditions are not to be joined
 */
export function growthSeries(counts: readonly TimedCount[], by: 'condition' | 'subject' = 'condition', level = 0.95): GrowthSeries[] {
  const first = counts.reduce((earliest, { at }) => Math.min(earliest, at), Infinity);
  const groups = new Map<string, GrowthPoint[]>();
  for (const count of counts) {
    const name = (by === 'condition' ? count.condition : undefined) ?? count.subject;
    const there = groups.get(name) ?? [];
    there.push({ ...count, hours: (count.at - first) / 3_600_000 });
    groups.set(name, there);
  }
  return [...groups]
    .sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }))
    .map(([name, unsorted]) => {
      const points = unsorted.sort((a, b) => a.hours - b.hours || a.subject.localeCompare(b.subject, 'en', { numeric: true }));
      return { name, subjects: [...new Set(points.map(({ subject }) => subject))], points, growth: growthOf(points, level) };
    });
}

/**
 * Doubling time by a straight line through the logarithms of the counts, ln 2 over its slope, with the interval that the slope's has
 * (Student's t). It is given only where the slope is above 0 with that confidence: otherwise a doubling time would be read
 * off noise.
 */
export function growthOf(points: readonly Pick<GrowthPoint, 'hours' | 'count'>[], level = 0.95): Growth {
  const counted = points.filter(({ count }) => count > 0);
  const leftOut = points.length - counted.length;
  const none = (reason: string, fit?: LinearFit): Growth => ({ kind: 'none', reason, leftOut, ...(fit && { fit }) });
  const times = new Set(counted.map(({ hours }) => hours)).size;
  if (times < 2) return none(`counts at two times or more are needed, there ${times === 1 ? 'is one' : 'are none'}${leftOut ? ` beside ${leftOut} without cells` : ''}`);
  const fit = linearRegression(counted.map(({ hours }) => hours), counted.map(({ count }) => Math.log(count)));
  if (fit.slope <= 0) return none(fit.slope === 0 ? 'the counts stay the same' : `the counts fall, by half in ${(Math.LN2 / -fit.slope).toFixed(1)} h`, fit);
  const slopes = slopeInterval(fit, level);
  const percent = `${Math.round(100 * level)} %`;
  if (slopes && slopes.low <= 0) return none(`the rise cannot be told from none (${percent} of slopes from ${slopes.low.toPrecision(2)} to ${slopes.high.toPrecision(2)} an hour)`, fit);
  return {
    kind: 'growing',
    doublingHours: Math.LN2 / fit.slope,
    ...(slopes && { doublingInterval: { low: Math.LN2 / slopes.high, high: Math.LN2 / slopes.low, level } }),
    fit,
    leftOut,
  };
}
