import { burnIn } from '../image/burnt-in.ts';
import type { Image } from '../image/image.ts';
import { windowedRgb } from '../image/windowed-rgb.ts';
import { heatmapRgba, type ColourTableName } from './heatmap-colours.ts';
import type { HeatmapResult } from './result.ts';

export interface HeatmapLook {
  readonly table: ColourTableName;
  /** Of the largest values, 0..1; smaller ones are fainter. */
  readonly opacity: number;
}

/**
 * A picture for a person to look at: the plane, windowed from its 1st to its 99th percentile, with the map's colours
 * blended over it, and a line that it is not for diagnosis.
 * @returns RGB of the image's size, interleaved, row by row
 */
export function heatmapPicture(image: Image, { values, range }: Pick<HeatmapResult, 'values' | 'range'>, { table, opacity }: HeatmapLook): Uint8Array {
  const [columns, rows] = image.shape;
  const rgb = windowedRgb(image);
  const colours = heatmapRgba(values, { table, range, opacity, fade: true });
  for (let i = 0; i < values.length; i++) {
    const alpha = colours[4 * i + 3]! / 255;
    for (let c = 0; c < 3; c++) rgb[3 * i + c] = Math.round((1 - alpha) * rgb[3 * i + c]! + alpha * colours[4 * i + c]!);
  }
  burnIn(rgb, columns, rows);
  return rgb;
}
