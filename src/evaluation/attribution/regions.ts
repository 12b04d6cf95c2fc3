import { numberComponents } from '../../results/components.ts';
import type { Image } from '../../image/image.ts';

/** A part of a picture, 1 within, on the picture's own grid. */
export type Region = Uint8Array;

/** Of the shorter side: how far corners reach. */
const CORNER = 0.15;

/** The four corners, where letters and markers are. */
export function cornersOf({ shape: [columns, rows] }: Pick<Image, 'shape'>): Region {
  const reach = Math.max(1, Math.round(CORNER * Math.min(columns, rows)));
  const far = (at: number, size: number) => at < reach || at >= size - reach;
  return Uint8Array.from({ length: columns * rows }, (_, i) => Number(far(i % columns, columns) && far(Math.floor(i / columns), rows)));
}

/** Darker than this share of the way from the darkest to the brightest percent is air, or film that nothing fell on. */
const DARK = 0.1;
/** Air beside a body is one large part; smaller ones than this share of the picture are the picture's own dark pixels. */
const LEAST_OUTSIDE = 0.01;

export interface Outside {
  /** All that is not the body. */
  readonly outside: Region;
  /** What is bright there: letters, markers, clips of a cassette. */
  readonly marks: Region;
}

/**
 * What lies outside of the body, by grey values alone: the body is the largest connected part that is not dark, with its holes (lungs).
 * @returns nothing where the body fills the picture, or for colour
 */
export function outsideOf({ pixels, shape: [columns, rows], channels }: Pick<Image, 'pixels' | 'shape' | 'channels'>): Outside | undefined {
  if (channels !== 1) return undefined;
  const sorted = pixels.slice().sort();
  const [low, high] = [0.01, 0.99].map(share => sorted[Math.round(share * (sorted.length - 1))]!) as [number, number];
  const limit = low + DARK * (high - low);
  const bright = Uint8Array.from(pixels, value => Number(value > limit));
  const body = largest(numberComponents(bright, columns, true));
  if (!body) return undefined;
  // Holes are dark parts that do not reach the border.
  const rest = numberComponents(body.map(value => 1 - value), columns, false);
  const open = new Set<number>();
  for (let x = 0; x < columns; x++) [x, (rows - 1) * columns + x].forEach(at => open.add(rest[at]!));
  for (let y = 0; y < rows; y++) [y * columns, y * columns + columns - 1].forEach(at => open.add(rest[at]!));
  const sizes = sizesOf(rest);
  const air = new Set([...open].filter(number => (sizes.get(number) ?? 0) >= LEAST_OUTSIDE * rest.length));
  if (air.size === 0) return undefined;
  const outside = Uint8Array.from(rest, number => Number(air.has(number)));
  return { outside, marks: Uint8Array.from(outside, (value, i) => value * bright[i]!) };
}

function largest(numbers: Int32Array): Uint8Array | undefined {
  const [first] = [...sizesOf(numbers)].sort((a, b) => b[1] - a[1]);
  return first && Uint8Array.from(numbers, number => Number(number === first[0]));
}

function sizesOf(numbers: Int32Array): Map<number, number> {
  const sizes = new Map<number, number>();
  for (const number of numbers) if (number) sizes.set(number, (sizes.get(number) ?? 0) + 1);
  return sizes;
}
