import { OverreadError } from '../errors.ts';
import { squaredDistances, type Grid } from './distance-transform.ts';
import type { Labels } from './overlap.ts';

/** How far two surfaces lie from each other, in the unit of the grid's spacing. An empty mask has no surface. */
export interface SurfaceDistances {
  /** Of each element of the truth's surface to the nearest of the prediction's; Infinity where that has none. */
  readonly fromTruth: Float64Array;
  readonly fromPrediction: Float64Array;
}

/**
 * Distances between the surfaces of two masks, exact on the grid. The surface is every element of the mask with a
 * neighbour over an edge (over a face, in a volume) that is not of it; beyond the image nothing is. Distances are between the
 * elements' centres, so surfaces that touch from either side lie one spacing apart.
 * @param truth labels of columns·rows·slices
 * @param prediction labels of the same length
 * @param label the class to compare; 'any' takes every label but 0
 * @throws OverreadError `internal` when a length is not the grid's, or a spacing is not above 0
 */
export function surfaceDistances(truth: Labels, prediction: Labels, grid: Grid, label: number | 'any' = 'any'): SurfaceDistances {
  const elements = grid.shape[0] * grid.shape[1] * grid.shape[2];
  if (truth.length !== elements || prediction.length !== elements || !grid.spacing.every(s => s > 0 && Number.isFinite(s))) {
    throw new OverreadError(
      'internal',
      `Expected two masks of ${grid.shape.join(' × ')} and a spacing above 0, got ${truth.length} and ${prediction.length} values at ${grid.spacing.join(' × ')}. Bring both to one grid first.`,
      { expected: elements, got: [truth.length, prediction.length] },
    );
  }
  const isOf = (value: number) => (label === 'any' ? value !== 0 : value === label);
  const box = bounds(grid, i => isOf(truth[i]!) || isOf(prediction[i]!));
  // Nearest surfaces are inside the box around both: nothing outside of it need be looked at.
  const ofTruth = surface(cut(truth, grid, box, isOf), box.grid);
  const ofPrediction = surface(cut(prediction, grid, box, isOf), box.grid);
  return { fromTruth: distances(ofTruth, ofPrediction, box.grid), fromPrediction: distances(ofPrediction, ofTruth, box.grid) };
}

/**
 * Average symmetric surface distance: the mean over all elements of both surfaces. Both masks empty: 0; one empty: Infinity.
 *
 * T. Heimann et al., "Comparison and evaluation of methods for liver segmentation from CT datasets", IEEE TMI 28(8), 2009.
 * @param distances of {@link surfaceDistances}
 */
export function averageSurfaceDistance({ fromTruth, fromPrediction }: SurfaceDistances): number {
  const elements = fromTruth.length + fromPrediction.length;
  if (elements === 0) return 0;
  let sum = 0;
  for (const distance of fromTruth) sum += distance;
  for (const distance of fromPrediction) sum += distance;
  return sum / elements;
}

interface Box {
  readonly begin: readonly [x: number, y: number, z: number];
  readonly grid: Grid;
}

/** Around all that is set; of no elements where nothing is. */
function bounds({ shape: [columns, rows, slices], spacing }: Grid, isSet: (i: number) => boolean): Box {
  const low = [columns, rows, slices];
  const high = [-1, -1, -1];
  for (let z = 0, i = 0; z < slices; z++) {
    for (let y = 0; y < rows; y++) {
      for (let x = 0; x < columns; x++, i++) {
        if (!isSet(i)) continue;
        [x, y, z].forEach((at, axis) => {
          if (at < low[axis]!) low[axis] = at;
          if (at > high[axis]!) high[axis] = at;
        });
      }
    }
  }
  const size = (axis: number) => Math.max(0, high[axis]! - low[axis]! + 1);
  return { begin: [low[0]!, low[1]!, low[2]!], grid: { shape: [size(0), size(1), size(2)], spacing } };
}

function cut(labels: Labels, { shape: [columns, rows] }: Grid, { begin: [x0, y0, z0], grid: { shape } }: Box, isOf: (value: number) => boolean): Uint8Array {
  const out = new Uint8Array(shape[0] * shape[1] * shape[2]);
  for (let z = 0, o = 0; z < shape[2]; z++) {
    for (let y = 0; y < shape[1]; y++) {
      const row = ((z0 + z) * rows + y0 + y) * columns + x0;
      for (let x = 0; x < shape[0]; x++, o++) if (isOf(labels[row + x]!)) out[o] = 1;
    }
  }
  return out;
}

/** The mask less its erosion by the cross of its dimensions (4 neighbours in a plane, 6 in a volume). */
function surface(mask: Uint8Array, { shape }: Grid): Uint8Array {
  const [columns, rows, slices] = shape;
  const plane = columns * rows;
  const out = new Uint8Array(mask.length);
  for (let z = 0, i = 0; z < slices; z++) {
    for (let y = 0; y < rows; y++) {
      for (let x = 0; x < columns; x++, i++) {
        if (!mask[i]) continue;
        const inside =
          x > 0 && x < columns - 1 && y > 0 && y < rows - 1 && mask[i - 1] && mask[i + 1] && mask[i - columns] && mask[i + columns] &&
          (slices === 1 || (z > 0 && z < slices - 1 && mask[i - plane] && mask[i + plane]));
        if (!inside) out[i] = 1;
      }
    }
  }
  return out;
}

function distances(from: Uint8Array, to: Uint8Array, grid: Grid): Float64Array {
  const squared = squaredDistances(to, grid);
  return Float64Array.from(squared.filter((_, i) => from[i] === 1), Math.sqrt);
}
