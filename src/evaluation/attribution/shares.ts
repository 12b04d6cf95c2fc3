import { OverreadError } from '../../errors.ts';
import type { Region } from './regions.ts';

export interface RegionShare {
  /** Of all that speaks for the target, 0 to 1. */
  readonly share: number;
  /** Of the picture: what the share would be of a map that is the same everywhere. */
  readonly area: number;
}

/**
 * How much of a saliency map lies within a region. Of a signed map only what speaks for the target counts.
 * @param map a value a pixel
 * @returns undefined for a map that is nowhere above 0
 * @throws OverreadError `internal` for a region of another size
 */
export function regionShare(map: Float32Array, region: Region): RegionShare | undefined {
  if (map.length !== region.length) throw new OverreadError('internal', `Expected a region of ${map.length} pixels, as its map has, got ${region.length}.`, { expected: map.length, got: region.length });
  let [all, within, area] = [0, 0, 0];
  for (let i = 0; i < map.length; i++) {
    const value = Math.max(0, map[i]!);
    all += value;
    if (!region[i]) continue;
    within += value;
    area++;
  }
  return all > 0 ? { share: within / all, area: area / map.length } : undefined;
}
