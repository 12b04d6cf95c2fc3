import { OverreadError } from '../errors.ts';
import type { Image } from './image.ts';

/**
 * A picture as side · side values, each the mean of what lies there, stretched to a square, so that corners come onto corners. In shares of
 * the range that its stored values could take, so that a site's exposure and its bit depth are still in it; of colour the luminance.
 * @throws OverreadError `input/refused` for a volume
 */
export function thumbnail({ pixels, shape: [columns, rows, slices], channels, representableRange: [min, max] }: Pick<Image, 'pixels' | 'shape' | 'channels' | 'representableRange'>, side: number): Float32Array {
  if (slices !== 1) throw new OverreadError('input/refused', `Expected a picture of one plane, got a volume of ${slices}. Name single pictures.`, { expected: 1, got: slices });
  const value = (x: number, y: number) => {
    const at = (y * columns + x) * channels;
    // Rec. 601
    return channels === 1 ? pixels[at]! : 0.299 * pixels[at]! + 0.587 * pixels[at + 1]! + 0.114 * pixels[at + 2]!;
  };
  // Each cell holds one pixel at least, the last ones of a small picture the same as their neighbours.
  const bounds = (cell: number, size: number): [number, number] => {
    const from = Math.min(size - 1, Math.floor((cell * size) / side));
    return [from, Math.max(from + 1, Math.floor(((cell + 1) * size) / side))];
  };
  return Float32Array.from({ length: side * side }, (_, cell) => {
    const [x0, x1] = bounds(cell % side, columns);
    const [y0, y1] = bounds(Math.floor(cell / side), rows);
    let sum = 0;
    for (let y = y0; y < y1; y++) for (let x = x0; x < x1; x++) sum += value(x, y);
    return (sum / ((x1 - x0) * (y1 - y0)) - min) / (max - min);
  });
}

/** Side · side cells as columns · rows values, bilinear between the cells' middles. */
export function enlarged(cells: Float32Array, side: number, columns: number, rows: number): Float32Array {
  const along = (at: number, size: number): [number, number, number] => {
    const x = Math.min(side - 1, Math.max(0, ((at + 0.5) / size) * side - 0.5));
    return [Math.floor(x), Math.min(side - 1, Math.floor(x) + 1), x - Math.floor(x)];
  };
  const across = Array.from({ length: columns }, (_, x) => along(x, columns));
  const out = new Float32Array(columns * rows);
  for (let y = 0; y < rows; y++) {
    const [y0, y1, fy] = along(y, rows);
    for (let x = 0; x < columns; x++) {
      const [x0, x1, fx] = across[x]!;
      const row = (of: number) => cells[of * side + x0]! * (1 - fx) + cells[of * side + x1]! * fx;
      out[y * columns + x] = row(y0) * (1 - fy) + row(y1) * fy;
    }
  }
  return out;
}
