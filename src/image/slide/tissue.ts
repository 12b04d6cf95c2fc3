import { isOverreadError } from '../../errors.ts';
import type { Region, TissueMap } from '../tiles.ts';
import { DecodedFrames, slideChannels, type FrameValues } from './decoded-frames.ts';
import type { FrameReader } from './frames.ts';
import { glassLimits } from './glass.ts';
import { forEachFrame } from './overview.ts';
import type { SlideLevel, SlidePyramid } from './pyramid.ts';

export interface TissueOptions {
  /** About what is not glass. */
  readonly marginMm: number;
}

/** Glass is looked for on a level whose pixels are no larger than a nucleus: on a coarser one, a single cell fades into it. */
const LARGEST_PIXEL_MM = 0.01;
/** The same for slides without spacing, against the finest level. */
const LARGEST_DOWNSAMPLE = 20;
/** A level that is this much coarser than the one that is read is worth reading beforehand. */
const LEAST_STEP = 2;
/** The map has a cell for so many pixels of the looked-at level, along each side. */
const CELL = 4;

/**
 * Tells tissue from glass on a lower level of a brightfield slide, so that a model need not read the glass. Conservative:
 * what could not be read counts as tissue, and where glass is not found for certain, all of the slide does.
 * @param level that will be read
 * @throws OverreadError `job/cancelled`
 */
export async function tissueMap(pyramid: SlidePyramid, level: SlideLevel, reader: FrameReader, { marginMm }: TissueOptions, signal?: AbortSignal): Promise<TissueMap> {
  const looked = levelFor(pyramid, level);
  if (!looked) return everything('all of the slide is read: it has no level of lower resolution, fine enough to tell glass from tissue');
  if (slideChannels(looked.image) !== 3) return everything('all of the slide is read: glass is told from tissue in colour only');
  const frames = new DecodedFrames(reader);
  const counts = new Float64Array(256 * 3 * 256);
  const cells = cellsOf(looked);
  // Frames that cannot be read fail the second time too, and count as tissue there.
  await allFrames(frames, looked, cells, (_, values, width, height) => {
    const { columns } = looked.image.format;
    for (let v = 0; v < height; v++) {
      for (let i = v * columns * 3, end = i + width * 3; i < end; i += 3) {
        const [red, green, blue] = [values[i]!, values[i + 1]!, values[i + 2]!];
        const at = Math.round((red + green + blue) / 3) * 768;
        counts[at + red]!++;
        counts[at + 256 + green]!++;
        counts[at + 512 + blue]!++;
      }
    }
  }, signal);
  const limits = glassLimits(counts);
  if ('none' in limits) return everything(`all of the slide is read: ${limits.none}`);
  const map = new CellMap(looked, level, marginMm);
  const read = new Set<number>();
  await allFrames(frames, looked, cells, ({ column, row, index }, values, width, height) => {
    const { columns, rows } = looked.image.format;
    const [red, green, blue] = limits.least;
    read.add(index);
    for (let v = 0; v < height; v++) {
      for (let u = 0, i = v * columns * 3; u < width; u++, i += 3) {
        if (values[i]! < red || values[i + 1]! < green || values[i + 2]! < blue) map.mark(column * columns + u, row * rows + v);
      }
    }
  }, signal);
  for (const { column, row, index } of cells) {
    if (!read.has(index) && looked.grid.frameAt(column, row)) map.markFrame(column, row);
  }
  const pixel = looked.spacingMm ? `, ${Number((looked.spacingMm[0] * 1000).toPrecision(2))} µm a pixel` : '';
  return map.done(`glass was told from tissue by optical density (over ${limits.toleranceOD.toFixed(3)} above the glass) on level ${pyramid.levels.indexOf(looked)} of ${pyramid.levels.length}${pixel}`);
}

function everything(reason: string): TissueMap {
  return { glass: false, reason, digest: 'all', shows: () => true };
}

/** The coarsest that is fine enough, of those that are coarser than the one to be read. */
function levelFor({ levels }: SlidePyramid, read: SlideLevel): SlideLevel | undefined {
  return levels.filter(level => level.downsample >= LEAST_STEP * read.downsample && (level.spacingMm ? Math.max(...level.spacingMm) <= LARGEST_PIXEL_MM : level.downsample <= LARGEST_DOWNSAMPLE)).at(-1);
}

interface Cell {
  readonly index: number;
  readonly column: number;
  readonly row: number;
}

function cellsOf({ grid: { across, down } }: SlideLevel): Cell[] {
  return Array.from({ length: across * down }, (_, index) => ({ index, column: index % across, row: Math.floor(index / across) }));
}

/** Those that are there and can be read, with how much of each lies in the picture. */
async function allFrames(frames: DecodedFrames, level: SlideLevel, cells: readonly Cell[], visit: (cell: Cell, values: FrameValues, width: number, height: number) => void, signal?: AbortSignal): Promise<void> {
  const { image: { format }, columns, rows } = level;
  try {
    await forEachFrame(frames, level, cells, (cell, values) => visit(cell, values, Math.min(format.columns, columns - cell.column * format.columns), Math.min(format.rows, rows - cell.row * format.rows)), signal);
  } catch (error) {
    // None can be read: then nothing is known to be glass.
    if (!isOverreadError(error) || !/^(input|network)\//.test(error.code)) throw error;
  }
}

/** A byte for each square of pixels of the looked-at level: 1 where something in it is not glass. */
class CellMap {
  readonly #across: number;
  readonly #down: number;
  readonly #cells: Uint8Array;
  readonly #scale: readonly [x: number, y: number];
  readonly #margin: number;

  constructor(private readonly looked: SlideLevel, read: SlideLevel, marginMm: number) {
    this.#across = Math.ceil(looked.columns / CELL);
    this.#down = Math.ceil(looked.rows / CELL);
    this.#cells = new Uint8Array(this.#across * this.#down);
    this.#scale = [looked.columns / read.columns, looked.rows / read.rows];
    // A pixel more: levels are rounded to whole pixels.
    this.#margin = 1 + Math.ceil(marginMm / (looked.spacingMm ? Math.min(...looked.spacingMm) : LARGEST_PIXEL_MM));
  }

  mark(x: number, y: number): void {
    this.#cells[Math.floor(y / CELL) * this.#across + Math.floor(x / CELL)] = 1;
  }

  markFrame(column: number, row: number): void {
    const { image: { format }, columns, rows } = this.looked;
    for (let y = row * format.rows; y < Math.min(rows, (row + 1) * format.rows); y++) {
      for (let x = column * format.columns; x < Math.min(columns, (column + 1) * format.columns); x++) this.mark(x, y);
    }
  }

  done(reason: string): TissueMap {
    return { glass: true, reason, digest: fnv(this.#cells), shows: (region, exactly = false) => this.#shows(region, exactly ? 0 : this.#margin) };
  }

  #shows({ x, y, columns, rows }: Region, margin: number): boolean {
    const span = (from: number, to: number, scale: number, count: number) => [
      Math.max(0, Math.floor((from * scale - margin) / CELL)), Math.min(count - 1, Math.floor((to * scale + margin) / CELL)),
    ] as const;
    const [left, right] = span(x, x + columns, this.#scale[0], this.#across);
    const [top, bottom] = span(y, y + rows, this.#scale[1], this.#down);
    for (let row = top; row <= bottom; row++) {
      for (let column = left; column <= right; column++) if (this.#cells[row * this.#across + column] === 1) return true;
    }
    return false;
  }
}

/** FNV-1a, 32 bits. */
function fnv(bytes: Uint8Array): string {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0).toString(16);
}
