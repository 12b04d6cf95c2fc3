import { OverreadError } from '../errors.ts';
import type { Tile, TilePlan, TileSource } from '../image/tiles.ts';
import type { Counting, ModelManifest } from '../manifest.ts';
import type { AxisField, ReceptiveField } from '../runtime/receptive-field.ts';
import type { LoadedModel } from '../runtime/types.ts';
import { predictTiles, tilePlanOf, type FailedTile, type TiledOptions } from './tiled.ts';

/** What a counting network gives for one tile, all of it, in cells. */
export interface CountOutput {
  readonly tile: Tile;
  /** [classes, rows, columns]; negative outputs are 0. */
  readonly planes: Float32Array;
  readonly columns: number;
  readonly rows: number;
  /** What the negative outputs of the kept part summed to, as a count: at most 0. */
  readonly negative: number;
}

/** @throws OverreadError `model/manifest` for a manifest without `output.counting` */
export function countingOf({ id, output: { counting } }: ModelManifest): Counting {
  if (counting) return counting;
  throw new OverreadError('model/manifest', `The manifest of ${id} does not say how its outputs are counts. Add output.counting.`, { expected: 'output.counting' });
}

/** By how many outputs a network gives more than it reads pixels: a redundant one sees every pixel with all of its field. */
export function beyond({ field = 1 }: Counting): number {
  return field - 1;
}

/**
 * How the tiles of a count lie. @param halo as of `planTiles`
 * @throws OverreadError `model/graph` when the network's outputs do not lie on its input as the manifest says
 */
export function countPlan(source: TileSource, field: ReceptiveField, manifest: ModelManifest, halo: number): TilePlan {
  const counting = countingOf(manifest);
  checkOutputs(field.rows, 'rows', counting, manifest.id);
  checkOutputs(field.columns, 'columns', counting, manifest.id);
  return tilePlanOf(source, field, halo);
}

/** The network's outputs, tile by tile, in cells: divided by what one cell sums to, and by how often it is counted. */
export async function* countOutputs(model: LoadedModel, source: TileSource, plan: TilePlan, options: TiledOptions): AsyncGenerator<CountOutput | FailedTile, void> {
  const { manifest } = model;
  const counting = countingOf(manifest);
  const classes = manifest.output.targets.length;
  const [sourceColumns, sourceRows] = source.reference.shape;
  const scale = 1 / (counting.unitSum * (1 / (counting.field ?? 1) ** 2));
  for await (const predicted of predictTiles(model, source, plan, options)) {
    if ('error' in predicted) {
      yield predicted;
      continue;
    }
    const { tile, values, shape: [rows, columns, channels] } = predicted;
    if (channels !== classes) throw new OverreadError('model/output', `Expected ${manifest.id} to give a channel for each of its ${classes} targets, got ${channels}. Mend output.targets of its manifest.`, { expected: classes, got: channels });
    const kept = keptOf(tile, sourceColumns + beyond(counting), sourceRows + beyond(counting));
    const planes = new Float32Array(classes * rows * columns);
    let negative = 0;
    for (let y = 0; y < rows; y++) {
      for (let x = 0; x < columns; x++) {
        const at = (y * columns + x) * channels;
        for (let c = 0; c < classes; c++) {
          const value = values[at + c]! * scale;
          if (value > 0) planes[(c * rows + y) * columns + x] = value;
          else if (y >= kept.y && y < kept.y + kept.rows && x >= kept.x && x < kept.x + kept.columns) negative += value;
        }
      }
    }
    yield { tile, planes, columns, rows, negative: negative / (counting.field ?? 1) ** 2 };
  }
}

/**
 * The part of a tile's output that is kept, in outputs of the tile, and where it goes in the whole: without what lies over a
 * small picture's end.
 */
export function keptOf({ kept, output }: Tile, wholeColumns: number, wholeRows: number) {
  return {
    ...kept,
    columns: Math.max(0, Math.min(output.columns, wholeColumns - output.x)),
    rows: Math.max(0, Math.min(output.rows, wholeRows - output.y)),
    toX: output.x,
    toY: output.y,
  };
}

function checkOutputs({ input, output, stride }: AxisField, name: string, counting: Counting, id: string): void {
  const wanted = input + beyond(counting);
  if (stride === 1 && output === wanted) return;
  throw new OverreadError(
    'model/graph',
    `Expected ${id} to give ${wanted} outputs a pixel apart for ${input} ${name}, as its manifest's counting of kind ${counting.kind} says, got ${output} outputs ${stride} pixels apart. ` +
      `Build it with ${counting.kind === 'redundant' ? 'its input padded by field − 1 at either end and valid convolutions' : "'same' padding"}.`,
    { expected: wanted, got: [output, stride] },
  );
}
