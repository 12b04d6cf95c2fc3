import { isOverreadError, throwIfAborted } from '../../errors.ts';
import type { Image } from '../image.ts';
import type { TissueMap } from '../tiles.ts';
import { slideChannels, slideRange, type DecodedFrames, type FrameValues } from './decoded-frames.ts';
import type { SlideLevel } from './pyramid.ts';
import type { SlideImage } from './slide-image.ts';

/** An overview has at most this many pixels. */
const OVERVIEW_PIXELS = 2 ** 22;
/** Frames read for the overview of a level that has many. */
const OVERVIEW_FRAMES = 400;
const SAMPLE_FRAMES = 36;
const SAMPLE_PIXELS = 2 ** 20;
/** Frames asked for at once. */
const AT_ONCE = 8;

type Pixels = Pick<Image, 'pixels' | 'shape' | 'spacingMm'>;

/** What stands for a tile that the image does not hold: white, as glass is (PS3.3 C.8.12.4.1.5), or the darkest grey level. */
export function absentValue(image: SlideImage): number {
  return slideChannels(image) === 3 ? 255 : slideRange(image)[0];
}

/**
 * All of a level in few pixels. Where it has more than {@link OVERVIEW_FRAMES} tiles, each one of an even choice of them
 * stands for its neighbours too. Frames that cannot be read are as if they were not there.
 * @throws OverreadError the first frame's error when none can be read; `job/cancelled`
 */
export async function slideOverview(frames: DecodedFrames, level: SlideLevel, signal?: AbortSignal): Promise<Pixels> {
  const { image, grid, columns, rows, spacingMm } = level;
  const { format } = image;
  const channels = slideChannels(image);
  const skip = Math.ceil(Math.sqrt((grid.across * grid.down) / OVERVIEW_FRAMES));
  const [across, down] = [evenly(grid.across, skip), evenly(grid.down, skip)];
  // Of a choice, each frame counts as a whole one; of all, the last ones end where the image does.
  const size = skip > 1 ? [across.length * format.columns, down.length * format.rows] as const : [columns, rows] as const;
  const step = Math.ceil(Math.sqrt((size[0] * size[1]) / OVERVIEW_PIXELS));
  const [width, height] = [Math.ceil(size[0] / step), Math.ceil(size[1] / step)];
  const sums = new Float32Array(width * height * channels);
  const counts = new Uint32Array(width * height);
  const cells = down.flatMap((row, j) => across.map((column, i) => ({ column, row, x: i * format.columns, y: j * format.rows })));
  await forEachFrame(frames, level, cells, ({ x, y }, values) => {
    for (let v = 0; v < Math.min(format.rows, size[1] - y); v++) {
      for (let u = 0; u < Math.min(format.columns, size[0] - x); u++) {
        const to = Math.floor((y + v) / step) * width + Math.floor((x + u) / step);
        counts[to]!++;
        for (let c = 0; c < channels; c++) sums[to * channels + c]! += values[(v * format.columns + u) * channels + c]!;
      }
    }
  }, signal);
  const absent = absentValue(image);
  for (let i = 0; i < sums.length; i++) {
    const count = counts[Math.floor(i / channels)]!;
    sums[i] = count > 0 ? sums[i]! / count : absent;
  }
  return { pixels: sums, shape: [width, height, 1], spacingMm: spacingMm && skip === 1 ? [spacingMm[0] * step, spacingMm[1] * step] : undefined } as Pixels;
}

/**
 * Pixels of a level as they are, spread evenly over it: what stands for all of it in statistics. A lower resolution would
 * not: it has averaged the darkest and brightest away.
 * @param tissue frames of nothing but glass do not count, where there are others: of a slide with a small biopsy they
 *   would be all that is looked at
 * @throws OverreadError as {@link slideOverview}
 */
export async function slideSample(frames: DecodedFrames, level: SlideLevel, signal?: AbortSignal, tissue?: TissueMap): Promise<Pixels> {
  const { image, columns, rows } = level;
  const { format } = image;
  const channels = slideChannels(image);
  const cells = sampled(level, tissue);
  const step = Math.ceil(Math.sqrt((cells.length * format.rows * format.columns) / SAMPLE_PIXELS));
  const parts: Float32Array[] = [];
  await forEachFrame(frames, level, cells, ({ column, row }, values) => {
    const [width, height] = [Math.min(format.columns, columns - column * format.columns), Math.min(format.rows, rows - row * format.rows)];
    const part = new Float32Array(Math.ceil(width / step) * Math.ceil(height / step) * channels);
    let to = 0;
    for (let v = 0; v < height; v += step) {
      for (let u = 0; u < width; u += step) for (let c = 0; c < channels; c++) part[to++] = values[(v * format.columns + u) * channels + c]!;
    }
    parts.push(part);
  }, signal);
  const pixels = new Float32Array(parts.length > 0 ? parts.reduce((sum, { length }) => sum + length, 0) : channels).fill(absentValue(image));
  let at = 0;
  for (const part of parts) {
    pixels.set(part, at);
    at += part.length;
  }
  // A strip: how the pixels lie side by side says nothing.
  return { pixels, shape: [1, pixels.length / channels, 1] } as Pixels;
}

function sampled({ grid, image: { format } }: SlideLevel, tissue?: TissueMap): { column: number; row: number }[] {
  const skip = Math.max(1, Math.floor(Math.sqrt((grid.across * grid.down) / SAMPLE_FRAMES)));
  const all = evenly(grid.down, skip).flatMap(row => evenly(grid.across, skip).map(column => ({ column, row })));
  if (!tissue?.glass) return all;
  const shown: { column: number; row: number }[] = [];
  for (let row = 0; row < grid.down; row++) {
    for (let column = 0; column < grid.across; column++) {
      if (tissue.shows({ x: column * format.columns, y: row * format.rows, columns: format.columns, rows: format.rows }, true)) shown.push({ column, row });
    }
  }
  if (shown.length === 0) return all;
  return evenly(shown.length, Math.max(1, Math.floor(shown.length / SAMPLE_FRAMES))).map(i => shown[i]!);
}

/** Every `skip`-th of `count`, from the middle of each stretch. */
function evenly(count: number, skip: number): number[] {
  return Array.from({ length: Math.ceil(count / skip) }, (_, i) => Math.min(i * skip + (skip >> 1), count - 1));
}

/** Frames that are not there or cannot be read are passed over. */
export async function forEachFrame<C extends { readonly column: number; readonly row: number }>(
  frames: DecodedFrames, { image, grid }: SlideLevel, cells: readonly C[], visit: (cell: C, values: FrameValues) => void, signal?: AbortSignal,
): Promise<void> {
  let failure: unknown;
  let read = 0;
  for (let i = 0; i < cells.length; i += AT_ONCE) {
    throwIfAborted(signal);
    await Promise.all(cells.slice(i, i + AT_ONCE).map(async cell => {
      const address = grid.frameAt(cell.column, cell.row);
      if (!address) return;
      try {
        visit(cell, await frames.read(image, address, signal));
        read++;
      } catch (error) {
        if (!isOverreadError(error) || !/^(input|network)\//.test(error.code)) throw error;
        failure ??= error;
      }
    }));
  }
  if (read === 0 && failure) throw failure;
}
