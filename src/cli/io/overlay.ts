import type { Image } from '../../image/image.ts';
import { windowedRgb } from '../../image/windowed-rgb.ts';
import { rgbPng } from './png.ts';

export interface Outline {
  /** One integer a pixel; each label is outlined by itself. */
  readonly labels: ArrayLike<number>;
  /** sRGB 0..255 of a label. */
  readonly color: (label: number) => readonly [number, number, number];
}

/**
 * A picture for a person to look at: the plane, windowed from its 1st to its 99th percentile, with the inner border of
 * every label drawn over it, later outlines over earlier ones.
 * @param image a single plane
 * @returns an RGB PNG of the image's size
 */
export function overlayPng(image: Image, outlines: readonly Outline[]): Buffer {
  return rgbPng(overlayRgb(image, outlines), image.shape[0], image.shape[1]);
}

/** Two pictures of one size beside each other, as {@link overlayPng} draws each. */
export function pairPng(left: readonly [image: Image, outlines: readonly Outline[]], right: readonly [image: Image, outlines: readonly Outline[]]): Buffer {
  const [columns, rows] = left[0].shape;
  const rgb = new Uint8Array(6 * columns * rows);
  for (const [side, [image, outlines]] of [left, right].entries()) {
    const drawn = overlayRgb(image, outlines);
    for (let row = 0; row < rows; row++) rgb.set(drawn.subarray(3 * columns * row, 3 * columns * (row + 1)), 3 * columns * (2 * row + side));
  }
  return rgbPng(rgb, 2 * columns, rows);
}

function overlayRgb(image: Image, outlines: readonly Outline[]): Uint8Array {
  const [columns, rows] = image.shape;
  const n = columns * rows;
  const rgb = windowedRgb(image);
  // One pixel of a large picture is not seen when the whole is.
  const thickness = Math.max(1, Math.round(Math.max(columns, rows) / 512));
  for (const { labels, color } of outlines) {
    for (let i = 0; i < n; i++) {
      const label = labels[i]!;
      if (label !== 0 && isBorder(labels, i, columns, rows, thickness)) rgb.set(color(label), 3 * i);
    }
  }
  return rgb;
}

/** Whether another label, or the picture's edge, lies within `thickness` pixels to any of the four sides. */
function isBorder(labels: ArrayLike<number>, i: number, columns: number, rows: number, thickness: number): boolean {
  const column = i % columns;
  const row = (i - column) / columns;
  const label = labels[i];
  for (let t = 1; t <= thickness; t++) {
    if (column < t || column + t >= columns || row < t || row + t >= rows) return true;
    if (labels[i - t] !== label || labels[i + t] !== label || labels[i - t * columns] !== label || labels[i + t * columns] !== label) return true;
  }
  return false;
}
