import { throwIfAborted } from '../errors.ts';
import type { Image } from '../image/image.ts';
import { tileSourceOf } from '../image/tiles.ts';
import type { Counting } from '../manifest.ts';
import { latticeSpread } from '../results/count-interval.ts';
import { countedPoints } from '../results/counted.ts';
import { CountedTiles } from '../results/counted-tiles.ts';
import { findPeaks } from '../results/density-peaks.ts';
import { redundantDensity } from '../results/redundant-density.ts';
import type { LoadedModel } from '../runtime/types.ts';
import { acceptOnePlane } from './accept.ts';
import { beyond, countingOf, countOutputs, countPlan, keptOf } from './count-output.ts';
import { pictureRemarks } from './count-remarks.ts';
import type { FindingOf } from './task.ts';
import { countTiles } from './tiled-count.ts';
import type { TiledOptions } from './tiled.ts';

/** A larger density is not kept: 8192 × 8192 pixels of one class. */
export const MAX_DENSITY_VALUES = 2 ** 26;

/**
 * Counts the cells of a picture that is in memory: its density, whose sum is the count, and a marker a cell. Negative
 * outputs count as 0, as the manifest's schema has it. A picture of one value throughout has no
 * cells, and is not shown to the network. Where the density would be larger than `largest` there is none, and no interval by spread.
 * @throws OverreadError `input/refused` for a picture that the model does not read; `model/graph`, `model/output`; `job/cancelled`
 */
export async function countWhole(model: LoadedModel, image: Image, options: TiledOptions, largest = MAX_DENSITY_VALUES): Promise<FindingOf<'points'>> {
  const { manifest } = model;
  const { targets } = manifest.output;
  const counting = countingOf(manifest);
  acceptOnePlane([image], manifest);
  const [columns, rows] = image.shape;
  const remarks = pictureRemarks(image);
  const classes = targets.length;
  const { interval } = counting;
  if (classes * columns * rows > largest) {
    const parts = new CountedTiles(classes);
    for await (const part of countTiles(model, tileSourceOf(image), options)) {
      if ('error' in part) throw part.error;
      parts.add(part);
    }
    const { sums, candidates } = parts;
    return countedPoints(image, { targets, sums, candidates, remarks: [...remarks, 'no density: the picture is too large'], ...(interval && !isSpread(interval) && { interval }) });
  }
  const map = isBlank(image) ? blankMap(image, classes, counting) : await wholeMap(model, image, options);
  options.onProgress?.({ stage: 'decode' });
  const { density, spreads } = densityOf(map, classes, columns, rows, counting);
  throwIfAborted(options.signal);
  const sums = Float64Array.from({ length: classes }, (_, c) => sumOf(density.subarray(c * columns * rows, (c + 1) * columns * rows)));
  return countedPoints(image, {
    targets, sums, density, spreads,
    candidates: findPeaks(density, classes, columns, rows, counting),
    remarks,
    ...(interval && { interval }),
  });
}

/** The network's output for the whole plane, [classes, rows, columns], of a redundant one with what lies over the borders. */
async function wholeMap(model: LoadedModel, image: Image, options: TiledOptions): Promise<Float32Array> {
  const { manifest } = model;
  const counting = countingOf(manifest);
  const source = tileSourceOf(image);
  const classes = manifest.output.targets.length;
  const map = blankMap(image, classes, counting);
  const [columns, rows] = [image.shape[0] + beyond(counting), image.shape[1] + beyond(counting)];
  for await (const output of countOutputs(model, source, countPlan(source, options.field, manifest, 0), { ...options, overview: image })) {
    if ('error' in output) throw output.error;
    const kept = keptOf(output.tile, columns, rows);
    for (let c = 0; c < classes; c++) {
      for (let y = 0; y < kept.rows; y++) {
        const from = (c * output.rows + kept.y + y) * output.columns + kept.x;
        map.set(output.planes.subarray(from, from + kept.columns), (c * rows + kept.toY + y) * columns + kept.toX);
      }
    }
  }
  return map;
}

function blankMap({ shape: [columns, rows] }: Image, classes: number, counting: Counting): Float32Array {
  return new Float32Array(classes * (columns + beyond(counting)) * (rows + beyond(counting)));
}

function densityOf(map: Float32Array, classes: number, columns: number, rows: number, { kind, field = 1 }: Counting): { density: Float32Array; spreads?: number[] } {
  if (kind === 'density') return { density: map };
  const density = new Float32Array(classes * columns * rows);
  const lattices = Array.from({ length: classes + 1 }, () => new Float64Array(field * field));
  const size = (columns + field - 1) * (rows + field - 1);
  for (let c = 0; c < classes; c++) {
    const plane = map.subarray(c * size, (c + 1) * size);
    density.set(redundantDensity(plane, { columns, rows, field }), c * columns * rows);
    for (let i = 0; i < size; i++) {
      const x = i % (columns + field - 1);
      const at = (Math.floor(i / (columns + field - 1)) % field) * field + (x % field);
      lattices[0]![at]! += plane[i]!;
      lattices[c + 1]![at]! += plane[i]!;
    }
  }
  return { density, spreads: lattices.map(latticeSpread) };
}

function isBlank({ pixels }: Image): boolean {
  return pixels.every(value => value === pixels[0]);
}

function isSpread(interval: NonNullable<Counting['interval']>): boolean {
  return interval.spread !== undefined || (interval.classes ?? []).some(({ spread }) => spread !== undefined);
}

function sumOf(values: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum;
}
