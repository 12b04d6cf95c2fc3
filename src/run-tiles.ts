import { OverreadError, throwIfAborted } from './errors.ts';
import type { Region, Tile, TileSource, TissueMap } from './image/tiles.ts';
import { look, type InferOptions } from './infer.ts';
import { segmentsOf } from './results/measure.ts';
import { withoutTiles, type CountedTile, type GlassTiles, type LabelledTile, type LevelRead, type TiledResult, type TiledRun, type UnreadTile } from './results/tiled-result.ts';
import type { LoadedModel, Runtime } from './runtime/types.ts';
import { worstVerdict } from './tasks/gate.ts';
import { isTiled, statisticsOf } from './tasks/tiled.ts';
import { countTiles, tiledCountPlan } from './tasks/tiled-count.ts';
import { segmentPlan, segmentTiles } from './tasks/tiled-segment.ts';

/** Tiles that need not be made. */
export type Known = Iterable<number> | void;

export interface RunTilesOptions extends InferOptions {
  /** Told once, before the first tile; may give the indices of tiles that are there already, of a run with the same fingerprint. */
  readonly onRun?: (run: TiledRun) => Known | Promise<Known>;
  /** Each tile as it is made. The next but one is not begun before this one was taken: memory stays flat. */
  readonly onTile: (tile: LabelledTile | UnreadTile) => void | Promise<void>;
  /** Of a model that counts: its tiles, in place of `onTile`'s, which then hears of unread ones only. `CountedTiles` adds them up. */
  readonly onCounted?: (tile: CountedTile) => void | Promise<void>;
  /** What is on screen: its tiles come first. Asked before each tile. */
  readonly focus?: () => Region | undefined;
  /** As `onRun` gives them. */
  readonly done?: Iterable<number>;
  /** Reads what shows nothing but glass too, where the manifest would leave it out. */
  readonly readGlass?: boolean;
  readonly level?: LevelRead;
}

/** So many tiles in a row that the network did not give are no faults of tiles. */
const TILES_WITHOUT_NETWORK = 8;

/**
 * Segments a plane of any size, or counts its cells, tile by tile, and keeps none of them: memory does not grow with the plane. A tile that
 * cannot be read is handed out as such, and the others go on. Tiles of glass are not handed out: `onRun` is told of them.
 * @throws OverreadError `input/refused`, `input/out-of-distribution`; `model/graph`, `model/manifest` for a model that does
 *   not read in tiles; `network/*` when tile after tile does not come; `device/*`, `job/cancelled`; and what `onTile` throws
 */
export async function runTiles(runtime: Runtime, model: LoadedModel, source: TileSource, options: RunTilesOptions): Promise<TiledResult> {
  const { onProgress, onRun, onTile, onCounted, signal, focus, level, readGlass = false, loadMs = 0, gate } = options;
  const { manifest, identity } = model;
  checkTiles(manifest, onCounted !== undefined);
  const counting = manifest.task === 'count';
  await runtime.ready();
  throwIfAborted(signal);
  const start = performance.now();
  const pictures = gate || source.reference.attributes.synthesised !== undefined ? await look([await source.overview(signal)], manifest, options) : [];
  const outOfDistribution = worstVerdict(pictures.flatMap(({ verdict }) => verdict ?? []));
  const gateMs = performance.now() - start;

  const field = await model.receptiveField(signal);
  const { tiles } = counting ? tiledCountPlan(source, field, model) : segmentPlan(source, field);
  if (manifest.input.tissue) onProgress?.({ stage: 'read pixels' });
  const tissue = manifest.input.tissue && (await source.tissue?.(manifest.input.tissue.marginMm, signal));
  const overview = tissue && (await statisticsOf(source, signal, tissue));
  const fingerprint = fingerprintOf(model, source, tiles.length, tissue);
  const left = tissue && glassAmong(tiles, tissue, readGlass);
  const known = await onRun?.({ fingerprint, source: source.reference, model: identity, tiles: tiles.length, ...(level && { level }), ...(left && { glass: left }) });

  const done = new Set(options.done ?? []);
  for (const index of known ?? []) done.add(index);
  // What an earlier run has read of the glass is read.
  const glass = left && withoutTiles(left, done);

  const counts = new Float64Array(manifest.output.targets.length + 1);
  const unread: UnreadTile[] = [];
  const sums = new Array<number>(manifest.output.targets.length).fill(0);
  let labelled = 0;
  let unreached = 0;
  let taken: Promise<unknown> = Promise.resolve();
  const reading = { field, done, ...(glass && { glass: new Set(glass.indices) }), ...(overview && { overview }), signal, onProgress, focus };
  for await (const tile of counting ? countTiles(model, source, reading) : segmentTiles(model, source, reading)) {
    if ('error' in tile) {
      unread.push(tile);
      unreached = tile.error.code.startsWith('network/') ? unreached + 1 : 0;
      if (unreached >= TILES_WITHOUT_NETWORK) throw tile.error;
    } else {
      unreached = 0;
      labelled++;
      if ('sums' in tile) tile.sums.forEach((cells, c) => (sums[c]! += cells));
      else for (const label of tile.labels) counts[label]!++;
    }
    await taken;
    taken = Promise.resolve('sums' in tile ? onCounted!(tile) : onTile(tile));
    // Heard at the next tile; a failure before it must not end the process.
    taken.catch(() => {});
  }
  await taken;
  return {
    kind: counting ? 'tiled points' : 'tiled labelmap',
    fingerprint,
    model: identity,
    device: model.device ?? runtime.device,
    source: source.reference,
    tiles: tiles.length,
    labelled,
    unread,
    segments: counting ? [] : segmentsOf(counts, manifest.output.targets, source.reference),
    ...(counting && { sums }),
    ...(level && { level }),
    ...(glass && { glass }),
    ...(outOfDistribution && { outOfDistribution }),
    timingMs: { load: loadMs, ...(gate && { gate: gateMs }), encode: 0, predict: performance.now() - start - gateMs, decode: 0 },
    createdAt: new Date().toISOString(),
  };
}

/** @throws OverreadError `model/manifest` */
function checkTiles(manifest: LoadedModel['manifest'], countsHeard: boolean): void {
  if (manifest.task === 'count' && !countsHeard) {
    throw new OverreadError('model/manifest', `${manifest.name} counts cells, and whoever asked for it reads masks only. Choose a segmentation model for this slide.`, { expected: 'segment', got: manifest.task });
  }
  if (!isTiled(manifest)) {
    throw new OverreadError('model/manifest', `${manifest.name} does not read pictures in tiles, so it reads no slides. Choose a model whose manifest has input.tiling.`, { expected: 'input.tiling' });
  }
  const { keepLargestComponents, minimumFraction } = manifest.output;
  if (keepLargestComponents !== undefined || minimumFraction !== undefined) {
    throw new OverreadError('model/manifest', `${manifest.name} has rules for the whole mask (keepLargestComponents, minimumFraction), which is never whole here. Choose another model for slides.`, { got: { keepLargestComponents, minimumFraction } });
  }
}

function fingerprintOf({ identity }: LoadedModel, { reference: { sources, shape } }: TileSource, tiles: number, tissue?: TissueMap): string {
  // Statistics are those of the tissue: other tissue, other labels.
  return JSON.stringify([identity.sha256, sources, shape, tiles, ...(tissue ? [tissue.digest] : [])]);
}

function glassAmong(tiles: readonly Tile[], tissue: TissueMap, readGlass: boolean): GlassTiles {
  const glass = readGlass || !tissue.glass ? [] : tiles.filter(({ covers }) => !tissue.shows(covers));
  const reason = readGlass && tissue.glass ? 'glass is read too, as asked' : tissue.reason;
  return { reason, indices: Uint32Array.from(glass, ({ index }) => index), regions: Uint32Array.from(glass.flatMap(({ covers: { x, y, columns, rows } }) => [x, y, columns, rows])) };
}
