import fs from 'node:fs';
import type { Region } from '../../image/tiles.ts';
import type { ModelManifest } from '../../manifest.ts';
import type { LabelPlane } from '../../results/block-instances.ts';
import { joinedGlass, type TiledResult } from '../../results/tiled-result.ts';
import { greyPng } from './png.ts';
import { TIFF_TILE, writePyramidTiff } from './pyramid-tiff.ts';
import type { TileLog } from './tile-log.ts';
import { writeFile } from './write-file.ts';

/** In a mask: nothing is known here, a tile could not be read. */
export const UNREAD = 255;
/** In a mask: nothing was looked for here, the slide shows nothing but glass. */
export const GLASS = 254;
/** Up to this many pixels a mask is a PNG, which everything opens; above, a TIFF, which is read by tiles. */
const PNG_PIXELS = 2 ** 24;

/**
 * Writes the mask of a slide: a grey PNG where it is small, else a pyramidal BigTIFF, which QuPath, OpenSlide, libvips,
 * GDAL and Bio-Formats read in tiles. A pixel's value is the segment's number; {@link UNREAD} where a tile could not be
 * read, {@link GLASS} where it was not, for there is glass.
 * @param stem of the file's path, without its end
 * @param pngPixels up to so many pixels it is a PNG
 * @returns the file, and how many pixels each value has
 */
export function writeSlideMask(stem: string, log: TileLog, result: TiledResult, manifest: ModelManifest, pngPixels = PNG_PIXELS): { file: string; counts: Float64Array } {
  const [columns, rows] = result.source.shape;
  const counts = new Float64Array(256);
  const tiles = new TilesByPlace(log, result);
  if (columns * rows <= pngPixels) {
    const labels = tiles.region({ x: 0, y: 0, columns, rows });
    for (const label of labels) counts[label]!++;
    const file = `${stem}.png`;
    writeFile(file, greyPng(labels, columns, rows));
    return { file, counts };
  }
  const file = `${stem}.tif`;
  const partial = `${file}.${process.pid}.part`;
  const { level, model } = result;
  writePyramidTiff(partial, {
    columns, rows,
    colors: new Map([...manifest.output.targets.map(({ color = [255, 220, 0] }, i) => [i + 1, color] as const), [GLASS, [215, 215, 215]], [UNREAD, [255, 0, 255]]]),
    ...(result.source.spacingMm && { spacingMm: result.source.spacingMm }),
    description: `${manifest.output.targets.map(({ label }, i) => `${i + 1} ${label}`).join(', ')}, ${GLASS} glass, not read, ${UNREAD} could not be read. ${model.id} ${model.version}, ${level?.reason ?? ''}. Research use only.`,
    tile: (column, row) => {
      const region = { x: column * TIFF_TILE, y: row * TIFF_TILE, columns: TIFF_TILE, rows: TIFF_TILE };
      const labels = tiles.region(region);
      const [right, bottom] = [Math.min(TIFF_TILE, columns - region.x), Math.min(TIFF_TILE, rows - region.y)];
      for (let y = 0; y < bottom; y++) for (let x = 0; x < right; x++) counts[labels[y * TIFF_TILE + x]!]!++;
      return labels;
    },
  });
  fs.renameSync(partial, file);
  return { file, counts };
}

/** The mask's labels for what is made of them: 0 where nothing is known. */
export function slideLabels(log: TileLog, result: TiledResult): LabelPlane {
  const [columns, rows] = result.source.shape;
  const tiles = new TilesByPlace(log, result);
  return {
    columns, rows,
    read: region => {
      const labels = tiles.region(region);
      let any = false;
      for (let i = 0; i < labels.length; i++) {
        if (labels[i]! >= GLASS) labels[i] = 0;
        else if (labels[i] !== 0) any = true;
      }
      return any ? labels : undefined;
    },
  };
}

/** Which tiles lie in a region, by a coarse grid. */
class TilesByPlace {
  readonly #across: number;
  /** Of each cell, tiles of the log by their place in it; those that hold no labels below 0. */
  readonly #cells = new Map<number, number[]>();
  readonly #without: readonly { readonly region: Region; readonly value: number }[];

  constructor(private readonly log: TileLog, { unread, glass, source }: TiledResult) {
    this.#across = Math.ceil(source.shape[0] / TIFF_TILE);
    this.#without = [...unread.map(({ region }) => ({ region, value: UNREAD })), ...(glass ? joinedGlass(glass) : []).map(region => ({ region, value: GLASS }))];
    for (let n = 0; n < log.size; n++) this.#add(n, log.tile(n).region);
    for (const [i, { region }] of this.#without.entries()) this.#add(-1 - i, region);
  }

  /** Labels of a region, row by row; past the image's end 0. */
  region(region: Region): Uint8Array {
    const out = new Uint8Array(region.columns * region.rows);
    const tiles = new Set(this.#cellsOf(region).flatMap(cell => this.#cells.get(cell) ?? []));
    for (const n of tiles) {
      if (n < 0) {
        const { region: from, value } = this.#without[-1 - n]!;
        copy(value, from, out, region);
        continue;
      }
      const tile = this.log.tile(n);
      copy(this.log.read(tile), tile.region, out, region);
    }
    return out;
  }

  #add(n: number, region: Region): void {
    for (const cell of this.#cellsOf(region)) {
      const there = this.#cells.get(cell);
      if (there) there.push(n);
      else this.#cells.set(cell, [n]);
    }
  }

  #cellsOf({ x, y, columns, rows }: Region): number[] {
    const cells: number[] = [];
    for (let row = Math.floor(y / TIFF_TILE); row <= Math.floor((y + rows - 1) / TIFF_TILE); row++) {
      for (let column = Math.floor(x / TIFF_TILE); column <= Math.floor((x + columns - 1) / TIFF_TILE); column++) cells.push(row * this.#across + column);
    }
    return cells;
  }
}

/** @param labels of the region, or one for all of it */
function copy(labels: Uint8Array | number, from: Region, out: Uint8Array, to: Region): void {
  const [left, right] = [Math.max(from.x, to.x), Math.min(from.x + from.columns, to.x + to.columns)];
  const [top, bottom] = [Math.max(from.y, to.y), Math.min(from.y + from.rows, to.y + to.rows)];
  for (let y = top; y < bottom; y++) {
    const at = (y - to.y) * to.columns + left - to.x;
    const start = (y - from.y) * from.columns + left - from.x;
    if (typeof labels === 'number') out.fill(labels, at, at + right - left);
    else out.set(labels.subarray(start, start + right - left), at);
  }
}
