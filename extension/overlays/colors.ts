import type { Target } from '../../src/manifest.ts';
import type { Rgba } from '../types/segmentation.ts';

/** Apart from each other for the common kinds of colour blindness, and bright on grey (Okabe and Ito, 2008). */
const PALETTE: readonly (readonly [number, number, number])[] = [
  [86, 180, 233], [230, 159, 0], [0, 158, 115], [204, 121, 167], [240, 228, 66], [213, 94, 0], [0, 114, 178],
];

/** The manifest's colour, or one of ours by the segment's number, which counts from 1. */
export function colorOf(target: Target, segmentNumber: number): Rgba {
  const [red, green, blue] = target.color ?? PALETTE[(segmentNumber - 1) % PALETTE.length]!;
  return [red, green, blue, 255];
}

export function cssColor([red, green, blue]: Rgba): string {
  return `rgb(${red} ${green} ${blue})`;
}

/** Of the lines of a plot, counted from 0. */
export function plainColor(place: number): string {
  return cssColor([...PALETTE[place % PALETTE.length]!, 255]);
}
