import type { Image } from '../../image/image.ts';
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
  const [columns, rows] = image.shape;
  const n = columns * rows;
  const rgb = new Uint8Array(3 * n);
  if (image.channels === 3) {
    rgb.set(image.pixels.subarray(0, 3 * n));
  } else {
    const [low, high] = percentiles(image.pixels.subarray(0, n));
    for (let i = 0; i < n; i++) rgb.fill(Math.min(255, Math.max(0, Math.round((255 * (image.pixels[i]! - low)) / (high - low)))), 3 * i, 3 * i + 3);
  }
  for (const { labels, color } of outlines) {
    for (let i = 0; i < n; i++) {
      const label = labels[i]!;
      if (label !== 0 && isBorder(labels, i, columns, rows)) rgb.set(color(label), 3 * i);
    }
  }
  return rgbPng(rgb, columns, rows);
}

function isBorder(labels: ArrayLike<number>, i: number, columns: number, rows: number): boolean {
  const column = i % columns;
  const label = labels[i];
  return column === 0 || column === columns - 1 || i < columns || i >= columns * (rows - 1)
    || labels[i - 1] !== label || labels[i + 1] !== label || labels[i - columns] !== label || labels[i + columns] !== label;
}

function percentiles(values: Float32Array): [low: number, high: number] {
  const sorted = values.slice().sort();
  const low = sorted[Math.floor(0.01 * (sorted.length - 1))]!;
  const high = sorted[Math.ceil(0.99 * (sorted.length - 1))]!;
  return high > low ? [low, high] : [low, low + 1];
}
