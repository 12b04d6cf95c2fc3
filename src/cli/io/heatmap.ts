import path from 'node:path';
import type { Image } from '../../image/image.ts';
import { heatmapRgba, type ColourTableName } from '../../results/heatmap-colours.ts';
import type { HeatmapResult } from '../../results/result.ts';
import { burnIn } from './burnt-in.ts';
import { windowedRgb } from './overlay.ts';
import { rgbPng } from './png.ts';
import { resultStem } from './result-files.ts';
import { writeFile } from './write-file.ts';

export interface HeatmapLook {
  readonly table: ColourTableName;
  /** Of the largest values, 0..1; smaller ones are fainter. */
  readonly opacity: number;
}

/**
 * A picture for a person to look at: the plane, windowed as `overlayPng` does, with the map's colours blended over it,
 * and a line that it is not for diagnosis.
 * @returns an RGB PNG of the image's size
 */
export function heatmapPng(image: Image, { values, range }: Pick<HeatmapResult, 'values' | 'range'>, { table, opacity }: HeatmapLook): Buffer {
  const [columns, rows] = image.shape;
  const rgb = windowedRgb(image);
  const colours = heatmapRgba(values, { table, range, opacity, fade: true });
  for (let i = 0; i < values.length; i++) {
    const alpha = colours[4 * i + 3]! / 255;
    for (let c = 0; c < 3; c++) rgb[3 * i + c] = Math.round((1 - alpha) * rgb[3 * i + c]! + alpha * colours[4 * i + c]!);
  }
  burnIn(rgb, columns, rows);
  return rgbPng(rgb, columns, rows);
}

/**
 * Writes the picture under `folder`, named as labelmaps are, with target and method.
 * @returns the file
 */
export function writeHeatmap(result: HeatmapResult, image: Image, folder: string, input: string, look: HeatmapLook): string {
  const target = result.target.label.replace(/[^A-Za-z0-9_-]+/g, '_');
  const file = path.join(folder, `${resultStem(result, input)}.${target}${result.saliency ? `.${result.saliency.method}` : ''}.png`);
  writeFile(file, heatmapPng(image, result, look));
  return file;
}
