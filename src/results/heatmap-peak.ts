import type { HeatmapResult } from './result.ts';

/**
 * The pixel with the largest value, the first of several; of a signed map, what speaks most for the target.
 * @returns index of column and row on the source grid, or undefined for a map that is nowhere above 0
 */
export function heatmapPeak({ values, source: { shape } }: Pick<HeatmapResult, 'values' | 'source'>): readonly [column: number, row: number] | undefined {
  let at = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[at]!) at = i;
  return values[at]! > 0 ? [at % shape[0], Math.floor(at / shape[0])] : undefined;
}
