/** How a frame that Cornerstone decoded becomes the pixels of an Image. */
export interface PixelPlan {
  readonly pixels: number;
  /** Values a pixel in the decoded frame: 1 grey, 3 RGB, 4 RGBA. */
  readonly components: 1 | 3 | 4;
  /** Modality rescale still to be applied; 1 and 0 when Cornerstone did it. */
  readonly slope: number;
  readonly intercept: number;
  /** The range that stored values can take after the modality LUT. */
  readonly representableRange: readonly [min: number, max: number];
  /** MONOCHROME1: mirrored within the representable range, so that larger is brighter. */
  readonly mirror: boolean;
}

/** Pixels converted between two breaths: about 5 ms on a slow laptop. */
const CHUNK = 1 << 19;

/**
 * Copies a decoded frame into modality values (grey) or RGB, larger is brighter. It breathes between chunks, so that a
 * frame of any size leaves the page responsive, and never hands out the viewer's own buffer.
 * @param raw pixels·components values
 * @param breathe awaited between chunks
 * @returns pixels values, or 3·pixels for colour
 */
export async function toModalityPixels(raw: ArrayLike<number>, plan: PixelPlan, breathe: () => Promise<void>): Promise<Float32Array> {
  const { pixels, components, slope, intercept, mirror, representableRange } = plan;
  const channels = components === 1 ? 1 : 3;
  const out = new Float32Array(pixels * channels);
  const gain = mirror ? -slope : slope;
  const offset = mirror ? representableRange[0] + representableRange[1] - intercept : intercept;
  for (let start = 0; start < pixels; start += CHUNK) {
    const end = Math.min(pixels, start + CHUNK);
    if (channels === 1) {
      for (let i = start; i < end; i++) out[i] = (raw[i] as number) * gain + offset;
    } else {
      for (let i = start, from = start * components, to = start * 3; i < end; i++, from += components, to += 3) {
        out[to] = raw[from] as number;
        out[to + 1] = raw[from + 1] as number;
        out[to + 2] = raw[from + 2] as number;
      }
    }
    if (end < pixels) await breathe();
  }
  return out;
}

/** The range of stored values by their bits and sign, after slope and intercept: [0, 255] for 8 unsigned bits. */
export function representableRange(bitsStored: number, signed: boolean, slope: number, intercept: number): readonly [min: number, max: number] {
  const low = signed ? -(2 ** (bitsStored - 1)) : 0;
  const high = signed ? 2 ** (bitsStored - 1) - 1 : 2 ** bitsStored - 1;
  const a = low * slope + intercept;
  const b = high * slope + intercept;
  return a <= b ? [a, b] : [b, a];
}

/** Lets the page paint and answer before the next chunk. */
export function breathe(): Promise<void> {
  return new Promise(resolve => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => { port1.close(); resolve(); };
    port2.postMessage(null);
  });
}
