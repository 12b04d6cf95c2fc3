import { createHash } from 'node:crypto';
import path from 'node:path';
import { isOverreadError, OverreadError, toOverreadError } from '../errors.ts';
import type { SlideInput } from '../engine.ts';
import type { ObjectCount } from '../results/block-instances.ts';
import { CountedTiles, pointsOfTiles } from '../results/counted-tiles.ts';
import { instanceRuleOf } from '../results/instances.ts';
import { segmentsOf } from '../results/measure.ts';
import { joinedGlass, type GlassTiles, type TiledResult } from '../results/tiled-result.ts';
import { statusOf } from './infer-files.ts';
import { objectsJson, pointsJson, refusedEntry, segmentsJson, type InferEntry, type SlideJson } from './infer-json.ts';
import { writePoints } from './io/points-files.ts';
import { slideLabels, writeSlideMask } from './io/slide-mask.ts';
import { slideObjects } from './io/slide-objects.ts';
import { TileLog } from './io/tile-log.ts';
import type { TilesRunner } from './model-runner.ts';
import type { SlideReading } from './slide-inputs.ts';
import { ExitStatus } from './terminal.ts';

export interface InferSlidesOptions extends Pick<SlideInput, 'level' | 'opticalPath'> {
  readonly runner: TilesRunner;
  /** Folder for the masks; without it, tiles are counted and not kept. */
  readonly out?: string;
  /** Go on with runs that were stopped. */
  readonly resume?: boolean;
  /** Read what shows nothing but glass too. */
  readonly readGlass?: boolean;
  /** With `out`, write the objects too, of a model that tells them apart. */
  readonly instances?: boolean;
  /** A line for the person who waits. */
  readonly note: (line: string) => void;
  /** Called with each tile's number and how many there are. */
  readonly onTile?: (finished: number, total: number) => void;
}

export interface InferSlidesReport {
  readonly entries: readonly InferEntry[];
  readonly status: number;
}

/**
 * Segments slides, one after the other, tile by tile; one that is refused does not stop the others. A tile that cannot be
 * read is listed in the result, and the others are read.
 * @throws OverreadError `job/cancelled` when the runner was stopped: the tiles that are made stay for `resume`; `config/invalid`
 */
export async function inferSlides(readings: readonly SlideReading[], options: InferSlidesOptions): Promise<InferSlidesReport> {
  const entries: InferEntry[] = [];
  let unread = 0;
  for (const reading of readings) {
    try {
      const entry = await inferSlide(reading, options);
      unread += entry.result && 'slide' in entry.result ? entry.result.slide!.unread.length : 0;
      entries.push(entry);
    } catch (error) {
      const known = toOverreadError(error);
      if (known.code === 'job/cancelled' || known.code === 'config/invalid') throw known;
      const { identity, device } = options.runner;
      options.note(`${reading.files[0]}: ${known.code}: ${known.message}`);
      entries.push(refusedEntry(identity, device.backend, reading.files, known));
    }
  }
  const status = statusOf(entries);
  return { entries, status: status === ExitStatus.ok && unread > 0 ? ExitStatus.refused : status };
}

async function inferSlide(reading: SlideReading, options: InferSlidesOptions): Promise<InferEntry> {
  const { runner, out, resume = false, readGlass, note, level, opticalPath } = options;
  const input = reading.files[0]!;
  const slide = await reading.open();
  const counting = runner.manifest.task === 'count';
  if (counting && resume) throw new OverreadError('config/invalid', 'Expected no --resume with a model that counts: its tiles are not kept on disk.', { got: '--resume' });
  const counted = new CountedTiles(runner.manifest.output.targets.length);
  const kept = new KeptTiles(out === undefined || counting ? undefined : path.join(out, `${stemOf(input, runner, options)}.tiles`), resume);
  try {
    const source = { instances: slide.instances, frames: slide.frames, ...(level !== undefined && { level }), ...(opticalPath !== undefined && { opticalPath }) };
    const progress = progressOf(input, note, options.onTile);
    const result = await runner.runTiles({ source, ...(readGlass && { readGlass }) }, {
      onRun: run => {
        const there = kept.open(run.fingerprint);
        const { shape: [columns, rows] } = run.source;
        note(`${input}: ${columns} × ${rows} pixels, ${run.level!.reason}; ${run.tiles} tiles${there ? `, ${there} of them there already` : ''}`);
        if (run.glass) note(`${input}: ${glassSaid(run.glass, run.tiles)}`);
        progress.begin(run.tiles - (run.glass?.indices.length ?? 0), there, (columns * rows) / run.tiles);
        return kept.log?.indices();
      },
      onCounted: tile => {
        counted.add(tile);
        progress.tile();
      },
      onTile: tile => {
        if (!('error' in tile)) kept.log?.append(tile);
        else note(`${input}: tile ${tile.index} not read: ${tile.error.code}: ${tile.error.message}`);
        progress.tile();
      },
    });
    if (counting) {
      const points = pointsOfTiles(result, runner.manifest.output.targets, counted, result.tiles - (result.glass?.indices.length ?? 0));
      const files = out === undefined ? [] : await writePoints(points, out, input);
      return { ...entryOf(result, 0), result: { ...pointsJson(points, files), slide: slideJson(result, 0) } };
    }
    const stem = kept.log?.file.replace(/\.tiles$/, '');
    const mask = kept.log && writeSlideMask(stem!, kept.log, result, runner.manifest);
    const rule = instanceRuleOf(runner.manifest);
    const objects = kept.log && rule && slideObjects(slideLabels(kept.log, result), rule, options.instances ? `${stem!}.objects.csv` : undefined);
    kept.log?.remove();
    return entryOf(result, kept.there, mask, objects);
  } catch (error) {
    kept.log?.close();
    if (!isOverreadError(error, 'job/cancelled')) throw error;
    throw new OverreadError('job/cancelled', `Stopped at ${input}. ${kept.log ? `The tiles that are made are in ${kept.log.file}: the same command with --resume goes on with them.` : 'With --out, tiles are kept as they come, and --resume goes on with them.'}`, {}, error);
  } finally {
    await slide.close();
  }
}

/** Tiles on disk, opened when the engine has said of which run they are. */
class KeptTiles {
  log: TileLog | undefined;
  there = 0;

  constructor(private readonly file: string | undefined, private readonly resume: boolean) {}

  /** @returns how many there are */
  open(fingerprint: string): number {
    if (this.file === undefined) return 0;
    this.log = this.resume ? TileLog.resume(this.file, fingerprint) : TileLog.create(this.file, fingerprint);
    return (this.there = this.log.size);
  }
}

function entryOf(result: TiledResult, resumed: number, mask?: { readonly file: string; readonly counts: ArrayLike<number> }, objects?: ObjectCount & { readonly file?: string }): InferEntry {
  const { model: { id, version, sha256 }, device, source, timingMs, outOfDistribution } = result;
  const segments = mask ? segmentsOf(mask.counts, result.segments.map(({ target }) => target), source) : result.segments;
  return {
    model: { id, version, sha256 },
    backend: device.backend,
    sources: source.sources,
    result: {
      kind: 'labelmap',
      segments: segmentsJson({ segments }),
      ...(mask && { file: mask.file }),
      ...(objects && { objects: objectsJson(objects, source.spacingMm, objects.file) }),
      ...(outOfDistribution && { outOfDistribution }),
      slide: slideJson(result, resumed),
    },
    timingMs,
  };
}

function slideJson({ source: { shape: [columns, rows], spacingMm }, level, tiles, unread, glass }: TiledResult, resumed: number): SlideJson {
  return {
    level: level!, shape: [columns, rows], ...(spacingMm && { spacingMm }), tiles, resumed,
    unread: unread.map(({ index, region, error: { code, message } }) => ({ index, region, code, message })),
    ...(glass && { glass: { tiles: glass.indices.length, pixels: joinedGlass(glass).reduce((sum, region) => sum + region.columns * region.rows, 0), reason: glass.reason } }),
  };
}

function glassSaid({ indices, reason }: GlassTiles, tiles: number): string {
  return indices.length === 0 ? reason : `${indices.length} of ${tiles} tiles show nothing but glass and are not read; ${reason}`;
}

/** The same for the same slide, model and choices: where a run that was stopped is looked for. */
function stemOf(input: string, { manifest, identity }: TilesRunner, { level, opticalPath }: InferSlidesOptions): string {
  const where = /^https?:/.test(input) ? input : path.resolve(input);
  const hash = createHash('sha256').update(JSON.stringify([where, level, opticalPath, identity.sha256])).digest('hex').slice(0, 8);
  const name = path.basename(input).replace(/\.[A-Za-z]{1,5}$/, '').replace(/[^A-Za-z0-9_-]+/g, '_').slice(-80);
  return `${name || 'slide'}-${hash}.${manifest.id}`;
}

/** A line at most every two seconds. */
function progressOf(input: string, note: (line: string) => void, onTile?: (finished: number, total: number) => void) {
  let [total, finished, done, pixelsPerTile, start, said] = [0, 0, 0, 0, 0, 0];
  return {
    begin(tiles: number, there: number, pixels: number): void {
      [total, finished, pixelsPerTile] = [tiles, there, pixels];
      start = said = performance.now();
    },
    tile(): void {
      finished++;
      done++;
      onTile?.(finished, total);
      const now = performance.now();
      if (now - said < 2000 && finished < total) return;
      said = now;
      const perSecond = done / ((now - start) / 1000);
      note(`${input}: ${finished}/${total} tiles (${((100 * finished) / total).toFixed(1)} %), ${((perSecond * pixelsPerTile) / 1e6).toFixed(2)} megapixels/s, ${Math.ceil((total - finished) / perSecond)} s left`);
    },
  };
}
