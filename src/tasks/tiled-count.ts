import type { TileSource } from '../image/tiles.ts';
import type { Counting } from '../manifest.ts';
import { findPeaks, peakHalo, type Candidates } from '../results/density-peaks.ts';
import { redundantDensity } from '../results/redundant-density.ts';
import type { CountedTile, UnreadTile } from '../results/tiled-result.ts';
import type { AxisField, ReceptiveField } from '../runtime/receptive-field.ts';
import type { LoadedModel } from '../runtime/types.ts';
import { acceptOnePlane } from './accept.ts';
import { beyond, countingOf, countOutputs, countPlan, keptOf, type CountOutput } from './count-output.ts';
import { statisticsOf, type TiledOptions } from './tiled.ts';

/** How the tiles of a count lie when each finds its own candidates: with all around them that decides these. */
export function tiledCountPlan(source: TileSource, field: ReceptiveField, { manifest }: Pick<LoadedModel, 'manifest'>) {
  const counting = countingOf(manifest);
  // A redundant map's outputs see cells up to a field away; one pixel more is for the parabola.
  return countPlan(source, field, manifest, beyond(counting) + peakHalo(counting) + 1);
}

/**
 * Counts a plane of any size, tile by tile, those on screen first. The sums of all tiles together are the count of the plane, each
 * cell once; a density's candidates are those of the whole as well. From a redundant map they are found with what the
 * tile sees around it: far from any border of it, but not to the last digit as the whole would give them.
 * @throws OverreadError `input/refused`, `model/graph`, `model/output`, `job/cancelled`
 */
export async function* countTiles(model: LoadedModel, source: TileSource, options: TiledOptions): AsyncGenerator<CountedTile | UnreadTile, void> {
  const { manifest } = model;
  const counting = countingOf(manifest);
  const plan = tiledCountPlan(source, options.field, model);
  const overview = options.overview ?? (await statisticsOf(source, options.signal));
  acceptOnePlane([overview], manifest);
  const [columns, rows] = source.reference.shape;
  const classes = manifest.output.targets.length;
  for await (const output of countOutputs(model, source, plan, { ...options, overview })) {
    const { index, covers: region } = output.tile;
    if ('error' in output) {
      yield { index, region, error: output.error };
      continue;
    }
    yield { index, region, sums: sumsOf(output, classes, counting, columns, rows), candidates: candidatesOf(output, classes, counting, plan.padded, options.field, columns, rows), negative: output.negative };
  }
}

/** Cells of each class in the kept part. */
function sumsOf(output: CountOutput, classes: number, counting: Counting, columns: number, rows: number): Float64Array {
  const kept = keptOf(output.tile, columns + beyond(counting), rows + beyond(counting));
  return Float64Array.from({ length: classes }, (_, c) => {
    let sum = 0;
    for (let y = kept.y; y < kept.y + kept.rows; y++) {
      const line = (c * output.rows + y) * output.columns;
      for (let x = kept.x; x < kept.x + kept.columns; x++) sum += output.planes[line + x]!;
    }
    return sum / (counting.field ?? 1) ** 2;
  });
}

/** The hills within what the tile covers, in coordinates of the plane. */
function candidatesOf(output: CountOutput, classes: number, counting: Counting, padded: { readonly columns: number; readonly rows: number }, field: ReceptiveField, columns: number, rows: number): Candidates {
  const { input, covers } = output.tile;
  const shape = { columns: Math.min(input.columns, columns - input.x), rows: Math.min(input.rows, rows - input.y) };
  const more = beyond(counting);
  const width = shape.columns + more;
  const height = shape.rows + more;
  const sound = more > 0 ? soundOutputs(output, width, height, field, padded) : undefined;
  const density = new Float32Array(classes * shape.columns * shape.rows);
  for (let c = 0; c < classes; c++) {
    const plane = new Float32Array(width * height);
    for (let y = 0; y < height; y++) plane.set(output.planes.subarray((c * output.rows + y) * output.columns, (c * output.rows + y) * output.columns + width), y * width);
    density.set(more > 0 ? redundantDensity(plane, { ...shape, field: more + 1 }, sound) : plane, c * shape.columns * shape.rows);
  }
  const found = findPeaks(density, classes, shape.columns, shape.rows, counting, { ...covers, x: covers.x - input.x, y: covers.y - input.y });
  for (let i = 0; i < found.classOf.length; i++) {
    found.coordinates[2 * i]! += input.x;
    found.coordinates[2 * i + 1]! += input.y;
  }
  return found;
}

/** Which outputs of a redundant map depend on no border of the tile's own. */
function soundOutputs({ tile: { input } }: CountOutput, width: number, height: number, { columns, rows }: ReceptiveField, padded: { readonly columns: number; readonly rows: number }): Uint8Array {
  const sound = (at: number, start: number, { lost, output, input: size }: AxisField, whole: number) => (start === 0 || at >= lost.before) && (start + size >= whole || at < output - lost.after);
  return Uint8Array.from({ length: width * height }, (_, i) => Number(sound(i % width, input.x, columns, padded.columns) && sound(Math.floor(i / width), input.y, rows, padded.rows)));
}
