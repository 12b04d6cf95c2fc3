import type { Image } from './image.ts';

/** Eight bits a channel: colour as it is, grey windowed from its 1st to its 99th percentile. @param image a single plane */
export function windowedRgb({ shape: [columns, rows], channels, pixels }: Image): Uint8Array {
  const n = columns * rows;
  const rgb = new Uint8Array(3 * n);
  if (channels === 3) {
    rgb.set(pixels.subarray(0, 3 * n));
    return rgb;
  }
  const [low, high] = percentiles(pixels.subarray(0, n));
  for (let i = 0; i < n; i++) rgb.fill(Math.min(255, Math.max(0, Math.round((255 * (pixels[i]! - low)) / (high - low)))), 3 * i, 3 * i + 3);
  return rgb;
}

function percentiles(values: Float32Array): [low: number, high: number] {
  const sorted = values.slice().sort();
  const low = sorted[Math.floor(0.01 * (sorted.length - 1))]!;
  const high = sorted[Math.ceil(0.99 * (sorted.length - 1))]!;
  return high > low ? [low, high] : [low, low + 1];
}
