import { OverreadError } from '../errors.ts';
import { imageFromPng } from '../image/png.ts';
import type { PointRecord } from './point-records.ts';

/**
 * Points as a grey PNG of 8 bits: black, and a pixel a point whose value is its class's place in `classNames`, from 1. A point
 * whose pixel is taken goes to a free one beside it, so that their number stays; of a point without a class the value is 1.
 * @param shape [columns, rows] of the picture
 * @throws OverreadError `dataset/invalid` for a class that is not in the list, for over 255 classes, and for more points than pixels
 */
export async function pointsPng(points: readonly PointRecord[], classNames: readonly string[], [columns, rows]: readonly [columns: number, rows: number, ...rest: number[]]): Promise<Uint8Array> {
  if (classNames.length > 255) throw new OverreadError('dataset/invalid', `Expected at most 255 classes for a PNG of 8 bits, got ${classNames.length}. Write CSV.`, { expected: 255, got: classNames.length });
  if (points.length > columns * rows) throw new OverreadError('dataset/invalid', `Expected at most a point a pixel of ${columns} × ${rows}, got ${points.length}. Write CSV.`, { expected: columns * rows, got: points.length });
  const data = new Uint8Array(columns * rows);
  for (const { x, y, className } of points) {
    const value = className === undefined ? 1 : classNames.indexOf(className) + 1;
    if (value === 0) throw new OverreadError('dataset/invalid', `Expected a class out of ${classNames.join(', ')}, got ${className}.`, { expected: classNames, got: className });
    data[freePixel(data, columns, rows, clamp(Math.round(x), columns), clamp(Math.round(y), rows))] = value;
  }
  const { encode } = await import('fast-png');
  return encode({ width: columns, height: rows, data, depth: 8, channels: 1 });
}

/**
 * Reads points from a PNG in which a pixel is a point: black, and pixels of one other value (all of the first class), or, in
 * a grey picture, of values 1 … classes (a class each).
 * @param file its name, for the messages
 * @throws OverreadError `dataset/invalid` for spots of several pixels, values that name no class, several colours; what
 *   `imageFromPng` throws
 */
export async function parsePointsPng(bytes: Uint8Array, classNames: readonly string[], file: string): Promise<{ readonly points: PointRecord[]; readonly columns: number; readonly rows: number }> {
  const { pixels, channels, shape: [columns, rows] } = await imageFromPng(bytes, file);
  const values = channels === 1 ? pixels : Float32Array.from({ length: columns * rows }, (_, i) => pixels[3 * i]! * 65536 + pixels[3 * i + 1]! * 256 + pixels[3 * i + 2]!);
  const found: number[] = [];
  for (let i = 0; i < values.length; i++) if (values[i] !== 0) found.push(i);
  const kinds = [...new Set(found.map(i => values[i]!))].sort((a, b) => a - b);
  const touching = found.filter(i => (i % columns > 0 && values[i - 1] !== 0) || values[i - columns]).length;
  // Some dots may touch; where half of them do, they are no dots.
  if (found.length > 1 && touching > found.length / 2) {
    throw new OverreadError('dataset/invalid', `Expected a pixel a point in ${file}, got spots: ${touching} of ${found.length} pixels touch another. Give the middle of each spot, or a CSV.`, { expected: 'single pixels', got: touching, file });
  }
  if (kinds.length > 1 && (channels > 1 || kinds.at(-1)! > classNames.length)) {
    throw new OverreadError('dataset/invalid', `Expected points of one value, or grey values from 1 to ${classNames.length} for ${classNames.join(', ')} in ${file}, got ${channels > 1 ? `${kinds.length} colours` : `values up to ${kinds.at(-1)}`}.`, { expected: classNames, got: kinds.slice(0, 10), file });
  }
  const classed = channels === 1 && (kinds.at(-1) ?? 0) <= classNames.length;
  const points = found.map(i => {
    const className = classNames[classed ? values[i]! - 1 : 0];
    return { x: i % columns, y: Math.floor(i / columns), ...(className !== undefined && { className }) };
  });
  return { points, columns, rows };
}

function clamp(at: number, size: number): number {
  return Math.min(size - 1, Math.max(0, at));
}

/** In rings around the wanted pixel; within a ring the nearest. */
function freePixel(data: Uint8Array, columns: number, rows: number, x: number, y: number): number {
  for (let ring = 0; ; ring++) {
    let best = -1;
    let distance = Infinity;
    for (let row = Math.max(0, y - ring); row <= Math.min(rows - 1, y + ring); row++) {
      for (let column = Math.max(0, x - ring); column <= Math.min(columns - 1, x + ring); column++) {
        const away = (row - y) ** 2 + (column - x) ** 2;
        if (data[row * columns + column] === 0 && away < distance) [best, distance] = [row * columns + column, away];
      }
    }
    if (best >= 0) return best;
  }
}
