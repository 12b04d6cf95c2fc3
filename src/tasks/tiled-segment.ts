import { OverreadError } from '../errors.ts';
import type { Image } from '../image/image.ts';
import { tileSourceOf, type Region, type TilePlan, type TileSource } from '../image/tiles.ts';
import type { LabelledTile, UnreadTile } from '../results/tiled-result.ts';
import type { AxisField, ReceptiveField } from '../runtime/receptive-field.ts';
import type { LoadedModel } from '../runtime/types.ts';
import { acceptOnePlane } from './accept.ts';
import { checkChannels, labelmapOf, labelSource } from './segment.ts';
import { probabilityCoder, type ProbabilityCoder } from './probability-code.ts';
import type { FindingOf } from './task.ts';
import { predictTiles, statisticsOf, tilePlanOf, type TiledOptions } from './tiled.ts';

/** How the tiles of a segmentation lie: their number, and what each index stands for. */
export function segmentPlan(source: TileSource, field: ReceptiveField): TilePlan {
  checkCovers(field.rows, 'rows');
  checkCovers(field.columns, 'columns');
  // Where outputs are coarser than pixels, labels are decided between their centres: a neighbour's output counts too.
  return tilePlanOf(source, field, Math.max(field.rows.stride, field.columns.stride) > 1 ? 1 : 0);
}

/**
 * Segments a plane of any size at full resolution, part by part, those that are on screen first: what `segment` would
 * give for the network run on the whole plane. Rules of the manifest that need the whole mask
 * (`keepLargestComponents`, `minimumFraction`) are left to {@link segmentWhole}.
 * @param options `coder` makes the tiles carry their probabilities
 * @throws OverreadError `input/refused` for a picture that the model does not read; `model/graph` when the network's
 *   output does not lie on its input pixel by pixel, or its input is too small for tiles; `job/cancelled`
 */
export async function* segmentTiles(model: LoadedModel, source: TileSource, options: TiledOptions & { readonly coder?: ProbabilityCoder }): AsyncGenerator<LabelledTile | UnreadTile, void> {
  const { manifest } = model;
  const plan = segmentPlan(source, options.field);
  const overview = options.overview ?? (await statisticsOf(source, options.signal));
  acceptOnePlane([overview], manifest);
  const [rows, columns] = manifest.input.shape as [number, number, number];
  const placement = { scale: [1, 1], offset: [0, 0], inputSize: [columns, rows], sourceSize: [columns, rows] } as const;
  for await (const predicted of predictTiles(model, source, plan, { ...options, overview })) {
    const { index, covers: region, input } = predicted.tile;
    if ('error' in predicted) {
      yield { index, region, error: predicted.error };
      continue;
    }
    const [outputRows, outputColumns, channels] = predicted.shape;
    checkChannels([1, ...predicted.shape], manifest);
    const { coder } = options;
    const coded = coder && { coder, values: new Uint8Array(rows * columns * coder.operatingPoints.length) };
    const labels = labelSource(predicted.values, { rows: outputRows, columns: outputColumns, channels }, placement, manifest, coded);
    const part = { ...region, x: region.x - input.x, y: region.y - input.y };
    const planes = coded?.coder.operatingPoints.map((_, i) => cut(coded.values.subarray(i * rows * columns, (i + 1) * rows * columns), columns, part));
    yield { index, region, labels: cut(labels, columns, part), ...(planes && { probabilities: joined(planes) }) };
  }
}

/**
 * As {@link segmentTiles}, for a plane whose mask fits in memory: whole, or not at all.
 * @throws OverreadError the first tile's error where one cannot be read; `input/refused` for an implausible mask
 */
export async function segmentWhole(model: LoadedModel, image: Image | TileSource, options: TiledOptions): Promise<FindingOf<'labelmap'>> {
  const source = 'read' in image ? image : tileSourceOf(image);
  const [columns, rows] = source.reference.shape;
  const pixels = columns * rows;
  const labels = new Uint8Array(pixels);
  const coder = probabilityCoder(model.manifest, pixels);
  const coded = coder && { coder, values: new Uint8Array(pixels * coder.operatingPoints.length) };
  for await (const part of segmentTiles(model, source, { ...options, done: new Set(), ...(coder && { coder }) })) {
    if ('error' in part) throw part.error;
    paste(part.labels, part.region, labels, columns);
    const { probabilities, region } = part;
    const size = region.columns * region.rows;
    if (coded && probabilities) coded.coder.operatingPoints.forEach((_, i) => paste(probabilities.subarray(i * size, (i + 1) * size), region, coded.values.subarray(i * pixels, (i + 1) * pixels), columns));
  }
  return labelmapOf(labels, source.reference, model.manifest, coded);
}

function checkCovers({ input, output, stride }: AxisField, name: string): void {
  if (Number.isInteger(stride) && output * stride === input) return;
  throw new OverreadError(
    'model/graph',
    `Expected a network whose output covers its input, a whole number of pixels each, got ${output} outputs ${stride} pixels apart for ${input} ${name}. Build it with 'same' padding.`,
    { expected: input, got: [output, stride] },
  );
}

function paste(part: Uint8Array, { x, y, columns: width, rows }: Region, into: Uint8Array, columns: number): void {
  for (let row = 0; row < rows; row++) into.set(part.subarray(row * width, (row + 1) * width), (y + row) * columns + x);
}

function joined(planes: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(planes.reduce((sum, plane) => sum + plane.length, 0));
  let at = 0;
  for (const plane of planes) {
    out.set(plane, at);
    at += plane.length;
  }
  return out;
}

function cut(labels: Uint8Array, columns: number, { x, y, columns: width, rows }: Region): Uint8Array {
  const out = new Uint8Array(width * rows);
  for (let row = 0; row < rows; row++) out.set(labels.subarray((y + row) * columns + x, (y + row) * columns + x + width), row * width);
  return out;
}
