import { dispose } from '@tensorflow/tfjs-core';
import { OverreadError, throwIfAborted, toOverreadError } from '../errors.ts';
import type { Image } from '../image/image.ts';
import { outwardsFrom, planTiles, type Region, type Tile, type TilePlan, type TileSource, type TissueMap } from '../image/tiles.ts';
import type { ModelManifest } from '../manifest.ts';
import type { ReceptiveField } from '../runtime/receptive-field.ts';
import type { LoadedModel, OnProgress } from '../runtime/types.ts';
import { encodePlane } from '../tensor/encode.ts';
import { fixedNormalisation, type FixedInput } from './fixed-normalisation.ts';

export interface TiledOptions {
  /** Of the model's network at the manifest's input size. */
  readonly field: ReceptiveField;
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
  /** What is on screen: its tiles come first, the others outwards from it. Asked before each tile when it may move. */
  readonly focus?: Region | (() => Region | undefined);
  /** Indices of tiles that are there already, from a run that was cancelled. */
  readonly done?: ReadonlySet<number>;
  /** Indices of tiles that are not read, and count for nothing. */
  readonly glass?: ReadonlySet<number>;
  /** Pixels whose statistics are those of the whole picture; the source's sample or overview when left out. */
  readonly overview?: Image;
  /** How many tiles are read ahead of the one that is computed, 2 when left out: the most that is in memory at once. */
  readonly ahead?: number;
}

/** What the network gives for one tile: all of it; {@link Tile.kept} and {@link Tile.output} say which part is kept. */
export interface PredictedTile {
  readonly tile: Tile;
  /** [rows, columns, channels], channels interleaved */
  readonly values: Float32Array;
  readonly shape: readonly [rows: number, columns: number, channels: number];
}

/** A tile that could not be read; the others go on. */
export interface FailedTile {
  readonly tile: Tile;
  readonly error: OverreadError;
}

/** True for a model that reads images at full resolution, in tiles. */
export function isTiled({ input }: ModelManifest): boolean {
  return input.tiling !== undefined;
}

/** Pixels that stand for all of the plane in statistics. */
export function statisticsOf(source: TileSource, signal?: AbortSignal, tissue?: TissueMap): Promise<Image> {
  return source.sample ? source.sample(signal, tissue) : source.overview(signal);
}

/** How a model with `input.tiling` cuts up a plane of this size. `halo` as of {@link planTiles}. */
export function tilePlanOf(source: TileSource, field: ReceptiveField, halo = 0): TilePlan {
  const [columns, rows] = source.reference.shape;
  return planTiles({ columns, rows }, field, halo);
}

/**
 * Runs a network over a plane of any size, tile by tile, with the memory of a few tiles: the kept parts together are
 * what the network would give for the whole plane, continued at its right and bottom by its last column and row.
 * Each tile is normalised by the statistics of the whole. Leaving the loop early stops the reading.
 * @param plan of `source` and `options.field`
 * @throws OverreadError `job/cancelled` between tiles; what `predict` throws; what the source throws for its overview,
 *   and for a tile where it is neither `input/*` nor `network/*`
 */
export async function* predictTiles(model: LoadedModel, source: TileSource, plan: TilePlan, options: TiledOptions): AsyncGenerator<PredictedTile | FailedTile, void> {
  const { signal, onProgress, done, glass, ahead = 2 } = options;
  const { manifest } = model;
  checkTiled(manifest, options.field);
  throwIfAborted(signal);
  onProgress?.({ stage: 'read pixels' });
  const fixed = fixedNormalisation(options.overview ?? (await statisticsOf(source, signal)), manifest.input);
  const order = new TileOrder(plan.tiles.filter(({ index }) => !done?.has(index) && !glass?.has(index)), options.focus);
  const total = plan.tiles.length - (glass?.size ?? 0);
  let finished = total - order.left;

  const reading = new AbortController();
  const stop = () => reading.abort();
  signal?.addEventListener('abort', stop, { once: true });
  const pending: { tile: Tile; image: Promise<Image | OverreadError> }[] = [];
  try {
    for (;;) {
      throwIfAborted(signal);
      while (pending.length < Math.max(1, ahead)) {
        const tile = order.next();
        if (!tile) break;
        pending.push({ tile, image: readTile(source, tile, fixed, reading.signal).catch(toOverreadError) });
      }
      const next = pending.shift();
      if (!next) return;
      onProgress?.({ stage: 'infer', fraction: finished / total });
      const image = await next.image;
      throwIfAborted(signal);
      yield image instanceof OverreadError ? failed(next.tile, image) : await predictTile(model, next.tile, image, fixed, signal);
      finished++;
    }
  } finally {
    signal?.removeEventListener('abort', stop);
    stop();
  }
}

async function predictTile(model: LoadedModel, tile: Tile, image: Image, { spec }: FixedInput, signal?: AbortSignal): Promise<PredictedTile | FailedTile> {
  let input;
  try {
    // The tile has the size of the network's input: nothing is resized, whatever `fit` says.
    input = encodePlane(image, spec).tensor;
  } catch (error) {
    return failed(tile, toOverreadError(error));
  }
  try {
    const outputs = await model.predict([input], signal);
    try {
      const output = outputs.at(-1)!;
      const [, rows, columns, channels] = output.shape as [number, number, number, number];
      return { tile, values: (await output.data()) as Float32Array, shape: [rows, columns, channels] };
    } finally {
      dispose([...outputs]);
    }
  } finally {
    dispose(input);
  }
}

/** @throws the error itself, where it is not this tile's alone */
function failed(tile: Tile, error: OverreadError): FailedTile {
  if (!/^(input|network)\//.test(error.code)) throw error;
  return { tile, error };
}

/** The tile as an image of the network's input size; past the plane's end, its last column and row go on. */
async function readTile(source: TileSource, { input }: Tile, { representableRange }: FixedInput, signal: AbortSignal): Promise<Image> {
  const [columns, rows] = source.reference.shape;
  const region = { x: input.x, y: input.y, columns: Math.min(input.columns, columns - input.x), rows: Math.min(input.rows, rows - input.y) };
  const { channels } = source.reference;
  const read = await source.read(region, signal);
  const expected = region.columns * region.rows * channels;
  if (read.length !== expected) {
    throw new OverreadError('input/inconsistent', `Expected ${expected} values for the region of ${region.columns} × ${region.rows} pixels at ${region.x}, ${region.y}, got ${read.length}. Read the picture from another copy.`, { expected, got: read.length });
  }
  return { ...source.reference, shape: [input.columns, input.rows, 1], representableRange, pixels: continued(read, region, input, channels) };
}

function continued(values: Float32Array, from: Region, to: Region, channels: number): Float32Array {
  if (from.columns === to.columns && from.rows === to.rows) return values;
  const out = new Float32Array(to.columns * to.rows * channels);
  for (let y = 0; y < to.rows; y++) {
    const line = Math.min(y, from.rows - 1) * from.columns;
    for (let x = 0; x < to.columns; x++) {
      const at = (line + Math.min(x, from.columns - 1)) * channels;
      for (let c = 0; c < channels; c++) out[(y * to.columns + x) * channels + c] = values[at + c]!;
    }
  }
  return out;
}

/** @throws OverreadError `model/manifest` for a manifest that does not say how it tiles; `internal` for a field of another size */
function checkTiled({ id, input }: ModelManifest, { rows, columns }: ReceptiveField): void {
  if (!input.tiling) {
    throw new OverreadError('model/manifest', `The manifest of ${id} does not say how larger images are cut into tiles. Add input.tiling, or read the image whole.`, { expected: 'input.tiling' });
  }
  const [inputRows, inputColumns] = input.shape;
  if (rows.input === inputRows && columns.input === inputColumns) return;
  throw new OverreadError('internal', `Expected the receptive field for an input of ${inputRows} × ${inputColumns}, got ${rows.input} × ${columns.input}. Please report this.`, { expected: [inputRows, inputColumns], got: [rows.input, columns.input] });
}

/** The tiles that are left, nearest to the focus first. */
class TileOrder {
  #tiles: Tile[];
  #sortedBy: Region | undefined;

  constructor(tiles: readonly Tile[], private readonly focus: TiledOptions['focus']) {
    this.#tiles = [...tiles].reverse();
  }

  get left(): number {
    return this.#tiles.length;
  }

  next(): Tile | undefined {
    const focus = typeof this.focus === 'function' ? this.focus() : this.focus;
    if (focus && !sameRegion(focus, this.#sortedBy)) {
      this.#tiles = outwardsFrom(this.#tiles, focus).reverse();
      this.#sortedBy = focus;
    }
    return this.#tiles.pop();
  }
}

function sameRegion(a: Region, b: Region | undefined): boolean {
  return b !== undefined && a.x === b.x && a.y === b.y && a.columns === b.columns && a.rows === b.rows;
}
