import * as Comlink from 'comlink';
import type { Answer, SentTiledResult, SentTilesJob, TilesCalls } from './engine-protocol.ts';
import type { SlideInput } from './engine.ts';
import { toOverreadError } from './errors.ts';
import type { DicomWebSeries } from './image/slide/dicomweb-frames.ts';
import type { FrameReader } from './image/slide/frames.ts';
import type { Region } from './image/tiles.ts';
import type { CountedTile, LabelledTile, TiledResult, TiledRun, UnreadTile } from './results/tiled-result.ts';
import type { Known } from './run-tiles.ts';
import type { OnProgress } from './runtime/types.ts';

/** A slide as the page gives it to the worker. */
export interface EngineSlideJob {
  /** Folder of the model; a relative one is meant from the page. */
  readonly location: string;
  /** With `frames` as a series on a DICOMweb server the worker reads by itself; a reader is called here, on the page. */
  readonly slide: Omit<SlideInput, 'frames'> & { readonly frames: DicomWebSeries | FrameReader };
  /** Tiles that are there already, of a run with the same fingerprint. */
  readonly done?: Iterable<number>;
  /** What is on screen, in pixels of the level that is read. */
  readonly focus?: Region;
  readonly force?: boolean;
  /** Read what shows nothing but glass too. */
  readonly readGlass?: boolean;
}

export interface SlideCallOptions {
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
  /** Told once, before the first tile; may give the indices of tiles that are there already, of a run with the same fingerprint. */
  readonly onRun?: (run: TiledRun) => Known | Promise<Known>;
  /** Each tile as it comes, its labels a buffer of its own. The worker waits: a promise holds it back. */
  readonly onTile: (tile: LabelledTile | UnreadTile) => void | Promise<void>;
  /** Of a model that counts: its tiles; `onTile` then hears of unread ones only. Without it, such a model is refused. */
  readonly onCounted?: (tile: CountedTile) => void | Promise<void>;
}

/** A run under way. */
export interface SlideRun {
  readonly result: Promise<TiledResult>;
  /** Says what is on screen now, in pixels of the level that is read: its tiles come next. */
  focus(region: Region): void;
}

/** The job in two parts: what can be cloned, and what the worker calls. */
export function sendTiles(jobId: string, { location, slide, done = [], focus, force, readGlass }: EngineSlideJob, options: SlideCallOptions) {
  const { frames, ...rest } = slide;
  const reader = 'frame' in frames ? frames : undefined;
  const series = 'frame' in frames ? undefined : frames;
  const { signal, onProgress, onRun, onTile, onCounted } = options;
  // What comes after Cancel was under way already: nobody waits for it any more.
  const unlessStopped = <A extends unknown[]>(call?: (...args: A) => void | Promise<void>) => (...args: A) => (signal?.aborted ? undefined : call?.(...args));
  const calls: TilesCalls = {
    progress: unlessStopped(onProgress),
    run: async run => [...((await onRun?.(run)) ?? [])],
    tile: unlessStopped(tile => onTile('error' in tile ? { ...tile, error: toOverreadError(tile.error) } : tile)),
    counted: unlessStopped(onCounted),
    frame: (sopInstanceUID, frameNumber) => answered(async () => reader!.frame(sopInstanceUID, frameNumber, signal)),
    headers: () => answered(async () => (typeof series?.headers === 'function' ? series.headers() : series?.headers ?? {})),
  };
  const job: SentTilesJob = {
    jobId, location,
    slide: rest,
    ...(series && { series: { url: new URL(series.url, globalThis.location?.href).href, ...(series.headers && { headers: typeof series.headers === 'function' ? 'asked' as const : series.headers }) } }),
    done: [...done],
    counts: onCounted !== undefined,
    ...(focus && { focus }),
    ...(force && { force }),
    ...(readGlass && { readGlass }),
  };
  return { job, calls: Comlink.proxy(calls), received };
}

function received(answer: Answer<SentTiledResult>): Answer<TiledResult> {
  if (!answer.ok) return answer;
  const { unread, ...rest } = answer.value;
  return { ok: true, value: { ...rest, unread: unread.map(tile => ({ ...tile, error: toOverreadError(tile.error) })) } };
}

async function answered<T>(work: () => Promise<T>): Promise<Answer<T>> {
  try {
    return { ok: true, value: await work() };
  } catch (error) {
    return { ok: false, error: toOverreadError(error).toJSON() };
  }
}
