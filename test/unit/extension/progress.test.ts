import { describeProgress } from '../../../extension/progress.ts';
import type { Progress } from '../../../src/runtime/types.ts';

const ORDER: Progress['stage'][] = ['read pixels', 'download', 'verify', 'compile', 'encode', 'infer', 'decode'];

describe('progress in words', () => {
  it('never goes back from stage to stage', () => {
    const ends = ORDER.flatMap(stage => [describeProgress({ stage, fraction: 0 }).fraction, describeProgress({ stage, fraction: 1 }).fraction]);
    expect(ends).toEqual([...ends].sort((a, b) => a - b));
    expect(ends[0]).toBe(0);
    expect(ends.at(-1)).toBe(1);
  });

  it('says each stage in words of its own', () => {
    expect(new Set(ORDER.map(stage => describeProgress({ stage }).text)).size).toBe(ORDER.length);
  });

  it('gives percents only where they are known, within 0 and 100', () => {
    expect(describeProgress({ stage: 'infer' }).percent).toBeUndefined();
    expect(describeProgress({ stage: 'download', fraction: 0.404 }).percent).toBe(40);
    expect(describeProgress({ stage: 'download', fraction: 7 }).percent).toBe(100);
    expect(describeProgress({ stage: 'download', fraction: -1 }).percent).toBe(0);
    expect(describeProgress({ stage: 'download', fraction: Number.NaN }).percent).toBe(0);
  });
});
