import path from 'node:path';
import type { Image } from '../../image/image.ts';
import { heatmapPicture, type HeatmapLook } from '../../results/heatmap-picture.ts';
import type { HeatmapResult } from '../../results/result.ts';
import { rgbPng } from './png.ts';
import { resultStem } from './result-files.ts';
import { writeFile } from './write-file.ts';

/**
 * Writes the map over its picture under `folder`, an RGB PNG of the image's size, named as labelmaps are, with target and
 * method.
 * @returns the file
 */
export function writeHeatmap(result: HeatmapResult, image: Image, folder: string, input: string, look: HeatmapLook): string {
  const [columns, rows] = image.shape;
  const target = result.target.label.replace(/[^A-Za-z0-9_-]+/g, '_');
  const file = path.join(folder, `${resultStem(result, input)}.${target}${result.saliency ? `.${result.saliency.method}` : ''}.png`);
  writeFile(file, rgbPng(heatmapPicture(image, result, look), columns, rows));
  return file;
}
