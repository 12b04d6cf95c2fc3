import { fillPadding, invertMonochrome1, type Range } from '../../src/image/modality-values.ts';

/** How a frame that Cornerstone decoded becomes the pixels of an Image. */
export interface PixelPlan {
  readonly pixels: number;
  /** Values a pixel in the decoded frame: 1 grey, 3 RGB, 4 RGBA. */
  readonly components: 1 | 3 | 4;
  /** Modality rescale still to be applied; 1 and 0 when Cornerstone did it. */
  readonly slope: number;
  readonly intercept: number;
  /** The range that stored values can take after the modality LUT. */
  readonly representableRange: Range;
  /** MONOCHROME1: mirrored within the representable range, so that larger is brighter. */
  readonly mirror: boolean;
  /** Final values of pixels that were not measured. */
  readonly padding?: Range;
}

/** Pixels converted between two breaths: about 5 ms on a slow laptop. */
const CHUNK = 1 << 19;

/**
 * Copies a decoded frame into modality values (grey) or RGB by the rules of src/image, so that the viewer and the command
 * line give a model the same numbers. It breathes between chunks, so that a frame of any size leaves the page responsive,
 * and never hands out the viewer's own buffer.
 * @param raw pixels·components values
 * @param breathe awaited between chunks
 * @returns pixels values, or 3·pixels for colour
 */
export async function toModalityPixels(raw: ArrayLike<number>, plan: PixelPlan, breathe: () => Promise<void>): Promise<Float32Array> {
  const { pixels, components, slope, intercept, mirror, representableRange, padding } = plan;
  const channels = components === 1 ? 1 : 3;
  const out = new Float32Array(pixels * channels);
  for (let start = 0; start < pixels; start += CHUNK) {
    const end = Math.min(pixels, start + CHUNK);
    if (channels === 1) {
      for (let i = start; i < end; i++) out[i] = (raw[i] as number) * slope + intercept;
      if (mirror) invertMonochrome1(out.subarray(start, end), representableRange);
    } else {
      for (let i = start, from = start * components, to = start * 3; i < end; i++, from += components, to += 3) {
        out[to] = raw[from] as number;
        out[to + 1] = raw[from + 1] as number;
        out[to + 2] = raw[from + 2] as number;
      }
    }
    if (end < pixels) await breathe();
  }
  if (padding) {
    await breathe();
    fillPadding(out, padding);
  }
  return out;
}
