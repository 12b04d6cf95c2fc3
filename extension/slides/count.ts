import type { SynthesisRule } from '../../src/dicom/synthesis.ts';
import type { EngineClient } from '../../src/engine-client.ts';
import { isOverreadError, OverreadError, throwIfAborted } from '../../src/errors.ts';
import { CountedTiles, pointsOfTiles } from '../../src/results/counted-tiles.ts';
import type { TiledRun } from '../../src/results/tiled-result.ts';
import type { CatalogueEntry } from '../catalogue.ts';
import { describeProgress } from '../progress.ts';
import type { KeptResult, ResultsStore } from '../results-store.ts';
import type { Cornerstone, Services } from '../types/ohif.ts';
import { slideReader } from './frames.ts';
import { beforeTiles, tilesDone, type SlideRunOptions, type SlideTarget } from './run.ts';
import { isOfSlide } from './target.ts';
import { followView } from './view.ts';

/** How often a count that grows is shown, ms: each time all of its markers are laid out anew. */
const SHOW_MS = 1000;

/** Counts cells on slides, what is on screen first: the count grows with its tiles, and what is there when it is stopped stays. */
export class SlideCounts {
  readonly #services: Services;
  readonly #cornerstone: Cornerstone;
  readonly #engine: Pick<EngineClient, 'start' | 'runTiles'>;
  readonly #results: ResultsStore;
  readonly #rules: readonly SynthesisRule[] | undefined;

  constructor(parts: { services: Services; cornerstone: Cornerstone; engine: Pick<EngineClient, 'start' | 'runTiles'>; kept: ResultsStore; rules: readonly SynthesisRule[] | undefined }) {
    this.#services = parts.services;
    this.#cornerstone = parts.cornerstone;
    this.#engine = parts.engine;
    this.#results = parts.kept;
    this.#rules = parts.rules;
  }

  /**
   * Counts a slide anew, in place of an earlier count by the same model.
   * @throws OverreadError `input/refused` where a reader corrected that count; as the engine's `runTiles`: what was counted before it stays
   */
  async run({ manifest, location }: CatalogueEntry, { displaySet }: SlideTarget, { force, readGlass, signal, onProgress }: SlideRunOptions): Promise<KeptResult> {
    const corrected = this.#results.all().find(({ result }) => result.kind === 'points' && result.editedAt !== undefined && result.model.id === manifest.id && result.model.version === manifest.version && isOfSlide(result.source, displaySet));
    if (corrected) throw new OverreadError('input/refused', `The count of ${manifest.name} on this slide was corrected by hand, and another run would replace it. Discard the correction in its card first, or choose another model.`, { key: corrected.key });
    onProgress(describeProgress({ stage: 'read pixels' }));
    const reader = slideReader(this.#services, this.#cornerstone, displaySet);
    const instances = await reader.instances(signal);
    const device = await this.#engine.start();
    throwIfAborted(signal);
    const started = performance.now();
    const { targets } = manifest.output;
    const tiles = new CountedTiles(targets.length);
    const unread = new Set<number>();
    let told: TiledRun | undefined;
    let key: string | undefined;
    let shownAt = 0;
    let stopFollowing: (() => void) | undefined;
    const wantedOf = ({ tiles: all, glass }: TiledRun) => all - (glass?.indices.length ?? 0);
    const show = (of: TiledRun, made = device) => {
      shownAt = performance.now();
      const base = { model: of.model, device: made, source: of.source, timingMs: { load: 0, encode: 0, predict: shownAt - started, decode: 0 }, createdAt: new Date().toISOString() };
      const result = pointsOfTiles(base, targets, tiles, wantedOf(of));
      const before = key === undefined ? undefined : this.#results.get(key)?.result;
      if (key === undefined) key = this.#results.keep(result).key;
      // A correction that was made meanwhile stands.
      else if (before?.kind === 'points' && before.editedAt === undefined) this.#results.replacePoints(key, result);
    };
    const run = this.#engine.runTiles({ location, slide: { instances, frames: reader.frames, ...(this.#rules && { synthesisRules: this.#rules }) }, done: [], ...(force && { force }), ...(readGlass && { readGlass }) }, {
      signal,
      onProgress: progress => {
        if (!told) onProgress(beforeTiles(describeProgress(progress)));
      },
      onRun: of => {
        if (!isOfSlide(of.source, displaySet)) {
          throw new OverreadError('internal', 'Expected a count of the slide that was sent, got one of another. It was thrown away. Please report this.', { expected: displaySet.SeriesInstanceUID, got: of.source.sources });
        }
        told = of;
        stopFollowing = followView(this.#services, of, region => run.focus(region));
        onProgress(tilesDone(0, wantedOf(of)));
      },
      onTile: tile => void unread.add(tile.index),
      onCounted: tile => {
        if (!told) return;
        tiles.add(tile);
        if (performance.now() - shownAt >= SHOW_MS) show(told);
        onProgress(tilesDone(tiles.regions.length + unread.size, wantedOf(told)));
      },
    });
    try {
      const result = await run.result;
      if (!told) throw new OverreadError('internal', 'Expected to be told of the slide before its result, was not. Please report this.', {});
      show(told, result.device);
    } catch (error) {
      if (told && isOverreadError(error, 'job/cancelled') && tiles.regions.length > 0) show(told);
      throw error;
    } finally {
      stopFollowing?.();
    }
    return this.#results.get(key!)!;
  }
}
