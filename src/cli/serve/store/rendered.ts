/** Pictures of frames for people (WADO-RS rendered and thumbnail): PNG, windowed as the object says. */
import fs from 'node:fs/promises';
import { decodeFrame } from '../../../dicom/decode.ts';
import { readImageInstance, type ImageInstance } from '../../../dicom/instance.ts';
import { OverreadError, toOverreadError } from '../../../errors.ts';
import { channelsOf, framePixels } from '../../../image/frame-pixels.ts';
import { greyPng, rgbPng } from '../../io/png.ts';
import type { InstanceStore, StoredInstance } from './instance-store.ts';

export interface Picture {
  readonly type: 'image/png';
  readonly bytes: Uint8Array;
}

/**
 * @param frame from 1
 * @param longest makes the longer side at most this many pixels
 * @throws OverreadError with status 406 for pixels that we do not read
 */
export async function renderFrame(store: InstanceStore, stored: StoredInstance, frame: number, longest = Infinity): Promise<Picture> {
  try {
    const instance = readImageInstance(await fs.readFile(store.path(stored)));
    const { rows, columns } = instance.pixelFormat;
    const channels = channelsOf(instance);
    const pixels = new Float32Array(rows * columns * channels);
    const range = framePixels(instance, frame - 1, await decodeFrame(instance, frame - 1), pixels);
    const [low, high] = channels === 3 ? [0, 255] : windowOf(instance, pixels, range);
    const scale = Math.min(1, longest / Math.max(rows, columns));
    const width = Math.max(1, Math.round(columns * scale));
    const height = Math.max(1, Math.round(rows * scale));
    const shrunk = shrink(pixels, columns, rows, channels, width, height);
    // Uint8ClampedArray rounds and clamps.
    const bytes = new Uint8Array(Uint8ClampedArray.from(shrunk, (v) => ((v - low) * 255) / (high - low || 1)).buffer);
    return { type: 'image/png', bytes: channels === 3 ? rgbPng(bytes, width, height) : greyPng(bytes, width, height) };
  } catch (cause) {
    const known = toOverreadError(cause);
    throw new OverreadError(known.code, `This frame cannot be rendered: ${known.message}`, { ...known.fields, status: known.code === 'internal' ? 500 : 406 }, cause);
  }
}

/** The object's window, turned round with MONOCHROME1 as its pixels are; else what occurs. */
function windowOf({ window, pixelFormat }: ImageInstance, pixels: Float32Array, [min, max]: readonly [number, number]): readonly [number, number] {
  if (window && window.width > 0) {
    const center = pixelFormat.photometricInterpretation === 'MONOCHROME1' ? min + max - window.center : window.center;
    return [center - window.width / 2, center + window.width / 2];
  }
  let [low, high] = [Infinity, -Infinity];
  for (const v of pixels) {
    if (v < low) low = v;
    if (v > high) high = v;
  }
  return [low, high];
}

/** Mean of the source pixels that fall in each target pixel. */
function shrink(pixels: Float32Array, columns: number, rows: number, channels: number, width: number, height: number): Float32Array {
  if (width === columns && height === rows) return pixels;
  const out = new Float32Array(width * height * channels);
  for (let y = 0; y < height; y++) {
    const [top, bottom] = [Math.floor((y * rows) / height), Math.max(Math.floor(((y + 1) * rows) / height), Math.floor((y * rows) / height) + 1)];
    for (let x = 0; x < width; x++) {
      const [left, right] = [Math.floor((x * columns) / width), Math.max(Math.floor(((x + 1) * columns) / width), Math.floor((x * columns) / width) + 1)];
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        for (let r = top; r < bottom; r++) for (let k = left; k < right; k++) sum += pixels[(r * columns + k) * channels + c]!;
        out[(y * width + x) * channels + c] = sum / ((bottom - top) * (right - left));
      }
    }
  }
  return out;
}
