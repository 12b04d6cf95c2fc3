import { OverreadError } from '../errors.ts';
import type { Image } from './image.ts';
import { pictureOf } from './picture.ts';

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
export const looksLikePng = (bytes: Uint8Array): boolean => SIGNATURE.every((b, i) => bytes[i] === b);

/**
 * A PNG of 1 to 16 bits, grey, RGB or palette, interlaced or not. An alpha channel must be opaque everywhere: over what a
 * see-through pixel should be laid cannot be known.
 * @throws OverreadError `input/truncated`, `input/unsupported-pixels`, `input/inconsistent` for a picture of no pixels
 */
export async function imageFromPng(bytes: Uint8Array, file: string): Promise<Image> {
  const { decode } = await import('fast-png');
  let png: ReturnType<typeof decode>;
  try {
    png = decode(bytes, { checkCrc: true });
  } catch (cause) {
    const said = cause instanceof Error ? cause.message : String(cause);
    throw new OverreadError('input/truncated', `The PNG ${file} ends or breaks before its end (${said}). Fetch it again.`, { expected: 'a whole PNG', got: said, file }, cause);
  }
  const { width, height, depth, channels, palette } = png;
  if (width === 0 || height === 0) {
    throw new OverreadError('input/inconsistent', `Expected a picture with pixels, but ${file} says that it is ${width} × ${height}. Fetch it again.`, { expected: '≥ 1 × 1', got: [width, height], file });
  }
  const samples = depth < 8 ? unpacked(png.data, width * channels, height, depth) : png.data;
  const max = 2 ** depth - 1;
  const colours = palette ? 3 : channels < 3 ? 1 : 3;
  const hasAlpha = channels === 2 || channels === 4;
  const pixels = new Float32Array(width * height * colours);
  let seeThrough = 0;
  for (let i = 0; i < width * height; i++) {
    if (palette) {
      const entry = palette[samples[i]!] ?? [0, 0, 0];
      for (let c = 0; c < 3; c++) pixels[3 * i + c] = entry[c]!;
      if ((entry[3] ?? 255) !== 255) seeThrough++;
      continue;
    }
    // RGB is 0..255 whatever its depth; grey keeps its depth, as DICOM does.
    for (let c = 0; c < colours; c++) pixels[colours * i + c] = colours === 3 ? (samples[channels * i + c]! * 255) / max : samples[channels * i + c]!;
    if (hasAlpha && samples[channels * i + channels - 1] !== max) seeThrough++;
  }
  if (seeThrough > 0) {
    throw new OverreadError('input/unsupported-pixels', `Expected an opaque picture, but ${seeThrough} pixels of ${file} are see-through. Flatten it first.`,
      { expected: 'alpha of 100 %', got: `${seeThrough} see-through pixels`, file });
  }
  return pictureOf({ file, columns: width, rows: height, channels: colours, pixels, max: colours === 3 ? 255 : max });
}

/** Samples of 1, 2 or 4 bits, the highest bits first, each row from a byte of its own. */
function unpacked(data: ArrayLike<number>, perRow: number, rows: number, depth: number): Uint8Array {
  if (data.length === perRow * rows) return Uint8Array.from(data);
  const stride = Math.ceil((perRow * depth) / 8);
  const out = new Uint8Array(perRow * rows);
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < perRow; x++) {
      const bit = x * depth;
      out[y * perRow + x] = (data[y * stride + (bit >> 3)]! >> (8 - depth - (bit & 7))) & (2 ** depth - 1);
    }
  }
  return out;
}
