import { OverreadError } from '../../errors.ts';
import type { FramePosition, SlideImage } from './slide-image.ts';

/** A frame: which instance holds it, and its number there, from 1. */
export interface FrameAddress {
  readonly sopInstanceUID: string;
  readonly frameNumber: number;
}

/** The frames of one level and optical path as tiles side by side. */
export interface TileGrid {
  readonly across: number;
  readonly down: number;
  /** How many tiles are there: of a TILED_SPARSE image, some may not be. */
  readonly present: number;
  /** The frame of a tile, counted from 0; undefined for one that the image does not hold. */
  frameAt(column: number, row: number): FrameAddress | undefined;
}

/**
 * Where the tiles of one optical path lie, in an image or in the parts of a concatenation.
 * @param parts of one image, in the order of their frames
 * @throws OverreadError `input/unsupported-pixels` for several focal planes, or tiles that lie on no grid;
 *   `input/inconsistent` for a number of frames that does not fit
 */
export function tileGrid(parts: readonly SlideImage[], opticalPath: string): TileGrid {
  const [image] = parts as readonly [SlideImage];
  const across = Math.ceil(image.totalColumns / image.format.columns);
  const down = Math.ceil(image.totalRows / image.format.rows);
  if (image.focalPlanes > 1) throw severalPlanes(image.focalPlanes);
  return image.organisation === 'TILED_FULL' ? fullGrid(parts, opticalPath, across, down) : sparseGrid(parts, opticalPath, across, down);
}

/** Row by row, then focal planes, then optical paths (PS3.3 C.7.6.17.3). */
function fullGrid(parts: readonly SlideImage[], opticalPath: string, across: number, down: number): TileGrid {
  const [image] = parts as readonly [SlideImage];
  const frames = parts.reduce((sum, { format }) => sum + format.numberOfFrames, 0);
  const wanted = across * down * image.opticalPaths.length;
  if (frames !== wanted) {
    throw new OverreadError('input/inconsistent',
      `A TILED_FULL image of ${image.totalColumns} × ${image.totalRows} pixels in tiles of ${image.format.columns} × ${image.format.rows}${image.opticalPaths.length > 1 ? ` and ${image.opticalPaths.length} optical paths` : ''} has ${wanted} frames, but this one has ${frames}. Fetch all of it again.`,
      { expected: wanted, got: frames });
  }
  const first = image.opticalPaths.indexOf(opticalPath) * across * down;
  const addresses = partAddresses(parts);
  return { across, down, present: across * down, frameAt: (column, row) => addresses(first + row * across + column) };
}

function sparseGrid(parts: readonly SlideImage[], opticalPath: string, across: number, down: number): TileGrid {
  const [{ format, totalColumns, totalRows }] = parts as readonly [SlideImage];
  const places = new Map<number, FrameAddress>();
  const depths = new Set<number>();
  for (const { positions, sopInstanceUID } of parts) {
    for (const [i, { x, y, zOffset = 0, opticalPath: path = opticalPath }] of positions.entries()) {
      if (path !== opticalPath) continue;
      depths.add(zOffset);
      if (depths.size > 1) throw severalPlanes(depths.size);
      checkOnGrid({ x, y }, format, totalColumns, totalRows);
      const at = (y / format.rows) * across + x / format.columns;
      if (places.has(at)) {
        throw new OverreadError('input/inconsistent', `Two tiles of the slide lie at column ${x + 1}, row ${y + 1}. Mend the file.`, { expected: 'each place once', got: { x, y } });
      }
      places.set(at, { sopInstanceUID, frameNumber: i + 1 });
    }
  }
  return { across, down, present: places.size, frameAt: (column, row) => places.get(row * across + column) };
}

function checkOnGrid({ x, y }: FramePosition, { columns, rows }: SlideImage['format'], totalColumns: number, totalRows: number): void {
  if (x >= 0 && y >= 0 && x < totalColumns && y < totalRows && x % columns === 0 && y % rows === 0) return;
  throw new OverreadError('input/unsupported-pixels', `Expected tiles of ${columns} × ${rows} pixels side by side, got one at column ${x + 1}, row ${y + 1}. Convert the slide to TILED_FULL.`,
    { expected: { columns, rows }, got: { x, y } });
}

function severalPlanes(got: number): OverreadError {
  return new OverreadError('input/unsupported-pixels', `Expected a slide of one focal plane, got ${got}: which one to read is not known. Export one plane, or one with extended depth of field.`, { expected: 1, got });
}

/** Frames of the whole, from 0, to those of its parts. */
function partAddresses(parts: readonly SlideImage[]): (frame: number) => FrameAddress {
  const ends: number[] = [];
  for (const { format } of parts) ends.push((ends.at(-1) ?? 0) + format.numberOfFrames);
  return frame => {
    const part = ends.findIndex(end => frame < end);
    return { sopInstanceUID: parts[part]!.sopInstanceUID, frameNumber: frame - (ends[part - 1] ?? 0) + 1 };
  };
}
