import type { DecodedFrame } from '../dicom/decode.ts';
import type { Palette } from '../dicom/palette.ts';
import type { PixelFormat } from '../dicom/pixel-format.ts';
import { storedRange } from './modality-values.ts';

/**
 * A colour frame as RGB, interleaved, 0..255, into `out` (3 · pixels). Deeper samples are scaled, not cut; 8-bit ones stay
 * whole numbers.
 */
export function rgbValues(frame: DecodedFrame, format: PixelFormat, palette: Palette | undefined, out: Float32Array): void {
  if (palette) return paletteValues(frame, palette, out);
  interleave(frame, format, out);
  const [, max] = storedRange(format);
  if (max !== 255) for (let i = 0; i < out.length; i++) out[i] = (out[i]! * 255) / max;
  if (frame.photometricInterpretation.startsWith('YBR_FULL')) ybrToRgb(out, max === 255);
}

function paletteValues({ values }: DecodedFrame, { first, red, green, blue }: Palette, out: Float32Array): void {
  const last = red.length - 1;
  for (let i = 0; i < values.length; i++) {
    const entry = Math.min(Math.max(values[i]! - first, 0), last);
    out[3 * i] = red[entry]!;
    out[3 * i + 1] = green[entry]!;
    out[3 * i + 2] = blue[entry]!;
  }
}

function interleave({ values, planar, photometricInterpretation }: DecodedFrame, { rows, columns }: PixelFormat, out: Float32Array): void {
  const pixels = rows * columns;
  if (photometricInterpretation === 'YBR_FULL_422' && values.length === 2 * pixels) {
    // Y Y Cb Cr: two pixels side by side share their chrominance (PS3.3 C.7.6.3.1.2).
    for (let i = 0; i < pixels; i++) {
      const pair = (i >> 1) * 4;
      out[3 * i] = values[pair + (i & 1)]!;
      out[3 * i + 1] = values[pair + 2]!;
      out[3 * i + 2] = values[pair + 3]!;
    }
  } else if (planar) {
    for (let i = 0; i < pixels; i++) for (let s = 0; s < 3; s++) out[3 * i + s] = values[s * pixels + i]!;
  } else {
    out.set(values);
  }
}

/** In place; the full-range equations of PS3.3 C.7.6.3.1.2, which are those of JFIF. */
export function ybrToRgb(pixels: Float32Array, whole: boolean): void {
  const clamp = (v: number) => Math.min(Math.max(whole ? Math.round(v) : v, 0), 255);
  for (let i = 0; i < pixels.length; i += 3) {
    const y = pixels[i]!;
    const cb = pixels[i + 1]! - 128;
    const cr = pixels[i + 2]! - 128;
    pixels[i] = clamp(y + 1.402 * cr);
    pixels[i + 1] = clamp(y - 0.344136 * cb - 0.714136 * cr);
    pixels[i + 2] = clamp(y + 1.772 * cb);
  }
}
