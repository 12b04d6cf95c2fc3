import type { Region } from '../image/tiles.ts';

/** Places where cells may be, in the order of their pixels. */
export interface Candidates {
  /** [x0, y0, x1, y1, …] in index coordinates. */
  readonly coordinates: Float32Array;
  /** Of each: the class with the most density around it. */
  readonly classOf: Uint8Array;
  /** Of each: the density of all classes within the least distance, in cells; several cells that lie close give more than 1. */
  readonly weights: Float32Array;
}

export interface PeakRule {
  readonly minimumDistancePixels: number;
  /** In cells. */
  readonly minimumPeak: number;
}

/**
 * Where a density has its hills: pixels that none within the least distance exceeds in the sum over classes (of equal ones the
 * first), refined by a parabola through their neighbours along each axis; the class is the largest channel's (R. Bidart et al.,
 * "Localization and classification of cell nuclei in post-neoadjuvant breast cancer surgical specimen using fully convolutional
 * networks", SPIE Medical Imaging 2018). A pixel's outcome depends on those within {@link peakHalo} of it and on no others.
 * @param density [classes, rows, columns], cells a pixel, none below 0
 * @param within where hills are looked for; everywhere when left out. Coordinates are of the density all the same.
 */
export function findPeaks(density: Float32Array, classes: number, columns: number, rows: number, { minimumDistancePixels: radius, minimumPeak }: PeakRule, within: Region = { x: 0, y: 0, columns, rows }): Candidates {
  const total = sumOverClasses(density, classes);
  const disc = discOf(radius);
  const places: number[] = [];
  const kinds: number[] = [];
  const weights: number[] = [];
  const shares = new Float64Array(classes);
  for (let y = within.y; y < within.y + within.rows; y++) {
    for (let x = within.x; x < within.x + within.columns; x++) {
      if (!(total[y * columns + x]! > 0) || !isHighest(total, columns, rows, x, y, disc)) continue;
      shares.fill(0);
      for (const [dx, dy] of disc) {
        const [px, py] = [x + dx, y + dy];
        if (px < 0 || py < 0 || px >= columns || py >= rows) continue;
        for (let c = 0; c < classes; c++) shares[c]! += density[(c * rows + py) * columns + px]!;
      }
      const weight = shares.reduce((sum, share) => sum + share, 0);
      if (weight < minimumPeak) continue;
      places.push(x + shift(total, y * columns + x, 1, x > 0, x < columns - 1), y + shift(total, y * columns + x, columns, y > 0, y < rows - 1));
      kinds.push(shares.indexOf(Math.max(...shares)));
      weights.push(weight);
    }
  }
  return { coordinates: Float32Array.from(places), classOf: Uint8Array.from(kinds), weights: Float32Array.from(weights) };
}

/** How many pixels around a pixel decide whether it is a hill. */
export function peakHalo({ minimumDistancePixels }: Pick<PeakRule, 'minimumDistancePixels'>): number {
  return Math.max(1, Math.floor(minimumDistancePixels));
}

function sumOverClasses(density: Float32Array, classes: number): Float32Array {
  if (classes === 1) return density;
  const size = density.length / classes;
  const total = density.slice(0, size);
  for (let c = 1; c < classes; c++) for (let i = 0; i < size; i++) total[i]! += density[c * size + i]!;
  return total;
}

/** Offsets within the radius, the nearest first: most pixels are outdone by a neighbour. */
function discOf(radius: number): readonly (readonly [x: number, y: number])[] {
  const reach = Math.floor(radius);
  const offsets: [number, number][] = [];
  for (let y = -reach; y <= reach; y++) for (let x = -reach; x <= reach; x++) if (x * x + y * y <= radius * radius) offsets.push([x, y]);
  return offsets.sort(([ax, ay], [bx, by]) => ax * ax + ay * ay - (bx * bx + by * by));
}

function isHighest(total: Float32Array, columns: number, rows: number, x: number, y: number, disc: readonly (readonly [number, number])[]): boolean {
  const at = y * columns + x;
  const value = total[at]!;
  for (const [dx, dy] of disc) {
    const px = x + dx;
    const py = y + dy;
    if (px < 0 || py < 0 || px >= columns || py >= rows) continue;
    const other = py * columns + px;
    if (total[other]! > value || (total[other]! === value && other < at)) return false;
  }
  return true;
}

/** Of the top of the parabola through a pixel and its two neighbours, from −0.5 to 0.5; 0 at the border. */
function shift(total: Float32Array, at: number, step: number, hasBefore: boolean, hasAfter: boolean): number {
  if (!hasBefore || !hasAfter) return 0;
  const [before, here, after] = [total[at - step]!, total[at]!, total[at + step]!];
  const bend = before - 2 * here + after;
  return bend < 0 ? Math.min(0.5, Math.max(-0.5, (before - after) / (2 * bend))) : 0;
}
