import { squaredDistances } from '../../metrics/distance-transform.ts';
import { numberComponents } from '../../results/components.ts';
import { findPeaks } from '../../results/density-peaks.ts';
import { growMarkers } from '../../results/watershed.ts';
import type { WatershedParameters } from './parameters.ts';
import { smoothed } from './smooth.ts';

/** A part of a mask that is taken for a cell. */
export interface WatershedCell {
  /** Its middle, in index coordinates. */
  readonly x: number;
  readonly y: number;
  readonly pixels: number;
}

type SplitRule = Pick<WatershedParameters, 'minimumDistance' | 'distanceSmoothing' | 'minimumArea' | 'maximumArea'>;

/**
 * Parts a mask into cells by a marker watershed: markers are the summits of the distance to the background, as far from each other as
 * the rule says, and a component without one is one itself; each grows to the pixels that it is nearest to within the mask.
 * @returns the cells of a size that is allowed, in the order of their first pixels, and how many were not
 */
export function splitMask(mask: Uint8Array, columns: number, { minimumDistance, distanceSmoothing, minimumArea, maximumArea }: SplitRule): { cells: WatershedCell[]; tooSmall: number; tooLarge: number } {
  const rows = mask.length / columns;
  const parts = numberComponents(mask, columns, false);
  const squared = squaredDistances(mask.map(value => Number(value === 0)), { shape: [columns, rows, 1], spacing: [1, 1, 1] });
  // Of a mask without any background, all is one summit.
  const distances = Float32Array.from(squared, (value, i) => (mask[i] ? (value === Infinity ? 1 : Math.sqrt(value)) : 0));
  const summits = findPeaks(smoothed(distances, columns, rows, distanceSmoothing), 1, columns, rows, { minimumDistancePixels: minimumDistance, minimumPeak: 0 });
  const markers = new Int32Array(mask.length);
  const marked = new Set<number>();
  let last = 0;
  for (let i = 0; i < summits.classOf.length; i++) {
    const at = Math.round(summits.coordinates[2 * i + 1]!) * columns + Math.round(summits.coordinates[2 * i]!);
    if (!mask[at]) continue;
    markers[at] = ++last;
    marked.add(parts[at]!);
  }
  for (let i = 0; i < mask.length; i++) {
    if (!mask[i] || marked.has(parts[i]!)) continue;
    markers[i] = ++last;
    marked.add(parts[i]!);
  }
  growMarkers(markers, mask, columns);
  return measured(markers, columns, last, minimumArea, maximumArea);
}

function measured(markers: Int32Array, columns: number, count: number, minimumArea: number, maximumArea: number) {
  const [pixels, x, y, order] = [new Float64Array(count + 1), new Float64Array(count + 1), new Float64Array(count + 1), [] as number[]];
  for (let i = 0; i < markers.length; i++) {
    const cell = markers[i]!;
    if (cell === 0) continue;
    if (pixels[cell] === 0) order.push(cell);
    pixels[cell]!++;
    x[cell]! += i % columns;
    y[cell]! += Math.floor(i / columns);
  }
  const cells = order.filter(cell => pixels[cell]! >= minimumArea && pixels[cell]! <= maximumArea)
    .map(cell => ({ x: x[cell]! / pixels[cell]!, y: y[cell]! / pixels[cell]!, pixels: pixels[cell]! }));
  const tooLarge = order.filter(cell => pixels[cell]! > maximumArea).length;
  return { cells, tooLarge, tooSmall: order.length - cells.length - tooLarge };
}
