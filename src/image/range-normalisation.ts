import type { Image } from './image.ts';

/** Shares of the pixels that become the ends of the range. */
const [LOW, HIGH] = [0.01, 0.99];

/**
 * The picture with its own 1st and 99th percentile at the ends of the range that its stored values could take: exposure, bit depth and
 * windowing of a site go, what is marked in its corners stays. A picture of one value stays as it is.
 */
export function rangeNormalised<I extends Pick<Image, 'pixels' | 'representableRange'>>(image: I): I {
  const { pixels, representableRange: [min, max] } = image;
  const sorted = pixels.slice().sort();
  const at = (share: number) => {
    const position = share * (sorted.length - 1);
    const below = Math.floor(position);
    return sorted[below]! + (position - below) * (sorted[Math.min(sorted.length - 1, below + 1)]! - sorted[below]!);
  };
  const [low, high] = [at(LOW), at(HIGH)];
  if (!(high > low)) return image;
  return { ...image, pixels: pixels.map(value => Math.min(max, Math.max(min, min + ((value - low) / (high - low)) * (max - min)))) };
}
