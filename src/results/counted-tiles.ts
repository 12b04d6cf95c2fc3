import type { Region } from '../image/tiles.ts';
import type { Target } from '../manifest.ts';
import { countedPoints, surest } from './counted.ts';
import type { Candidates } from './density-peaks.ts';
import type { PointsResult } from './points.ts';
import type { ResultBase } from './result.ts';
import type { CountedTile } from './tiled-result.ts';

/** What is known of a count while its tiles come, in any order: sums add up, and the surest candidates are the markers. */
export class CountedTiles {
  readonly #tiles = new Map<number, CountedTile>();
  readonly sums: Float64Array;
  /** What outputs below 0 would have taken away. */
  negative = 0;

  constructor(private readonly classes: number) {
    this.sums = new Float64Array(classes);
  }

  /** A tile that came before is not counted again. */
  add(tile: CountedTile): void {
    if (this.#tiles.has(tile.index)) return;
    this.#tiles.set(tile.index, tile);
    for (let c = 0; c < this.classes; c++) this.sums[c]! += tile.sums[c]!;
    this.negative += tile.negative;
  }

  /** Where something is known. */
  get regions(): readonly Region[] {
    return [...this.#tiles.values()].map(({ region }) => region);
  }

  /** All, in the order of the tiles' indices. */
  get candidates(): Candidates {
    const tiles = [...this.#tiles.values()].sort((a, b) => a.index - b.index).map(({ candidates }) => candidates);
    const size = tiles.reduce((sum, { classOf }) => sum + classOf.length, 0);
    const all = { coordinates: new Float32Array(2 * size), classOf: new Uint8Array(size), weights: new Float32Array(size) };
    let at = 0;
    for (const { coordinates, classOf, weights } of tiles) {
      all.coordinates.set(coordinates, 2 * at);
      all.classOf.set(classOf, at);
      all.weights.set(weights, at);
      at += classOf.length;
    }
    return all;
  }

  /** Of each class the surest candidates, as many as its sum rounds to by now. */
  get markers(): Candidates {
    const { coordinates, classOf, weights } = this.candidates;
    const kept = surest({ coordinates, classOf, weights }, Array.from(this.sums, Math.round));
    return {
      coordinates: Float32Array.from(kept.flatMap(i => [coordinates[2 * i]!, coordinates[2 * i + 1]!])),
      classOf: Uint8Array.from(kept, i => classOf[i]!),
      weights: Float32Array.from(kept, i => weights[i]!),
    };
  }
}

/**
 * The count of a slide as far as it is read, a result like any other: without a density, which would be too large, and without an
 * interval, which was calibrated on pictures. Cells/mm² are of the tiles that were read.
 * @param wanted how many tiles there are to read, without glass
 */
export function pointsOfTiles({ model, device, source, timingMs, createdAt, outOfDistribution }: ResultBase, targets: readonly Target[], tiles: CountedTiles, wanted: number): PointsResult {
  const { regions, sums, candidates } = tiles;
  const pixels = regions.reduce((sum, { columns, rows }) => sum + columns * rows, 0);
  const left = wanted - regions.length;
  return { ...countedPoints(source, { targets, sums, candidates, pixels, ...(left > 0 && { remarks: [`${regions.length} of ${wanted} tiles are read: no cell of the others is counted`] }) }), model, device, timingMs, createdAt, ...(outOfDistribution && { outOfDistribution }) };
}
