import type { SynthesisRule } from '../../src/dicom/synthesis.ts';
import type { EngineClient } from '../../src/engine-client.ts';
import { OverreadError, throwIfAborted } from '../../src/errors.ts';
import { isInstanceReference } from '../../src/image/image.ts';
import type { ModelManifest } from '../../src/manifest.ts';
import { instanceRuleOf } from '../../src/results/instances.ts';
import type { TiledResult, TiledRun } from '../../src/results/tiled-result.ts';
import type { CatalogueEntry } from '../catalogue.ts';
import { describeProgress, type ProgressView } from '../progress.ts';
import type { Cornerstone, Services } from '../types/ohif.ts';
import { slideReader } from './frames.ts';
import { countObjects } from './objects.ts';
import { followView } from './view.ts';
import { SlideMask } from './mask.ts';
import type { KeptSlide, SlideResults } from './slide-results.ts';
import { isOfSlide, shownSlide, type SlideDisplaySet } from './target.ts';

/** A slide that a run was started on. */
export interface SlideTarget {
  readonly viewportId: string;
  readonly displaySet: SlideDisplaySet;
}

export interface SlideRunOptions {
  readonly force: boolean;
  /** Read what shows nothing but glass too. */
  readonly readGlass?: boolean;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: ProgressView) => void;
}

/** How much of the bar is what comes before the first tile. */
const BEFORE_TILES = 0.08;

/** Runs models over slides: as far as it came is kept, and a later run goes on from there. */
export class SlideRuns {
  readonly #services: Services;
  readonly #cornerstone: Cornerstone;
  readonly #engine: Pick<EngineClient, 'start' | 'runTiles'>;
  readonly #results: SlideResults;
  readonly #rules: readonly SynthesisRule[] | undefined;
  #counting: AbortController | undefined;

  constructor(parts: { services: Services; cornerstone: Cornerstone; engine: Pick<EngineClient, 'start' | 'runTiles'>; results: SlideResults; rules: readonly SynthesisRule[] | undefined }) {
    this.#services = parts.services;
    this.#cornerstone = parts.cornerstone;
    this.#engine = parts.engine;
    this.#results = parts.results;
    this.#rules = parts.rules;
  }

  /** The slide of a viewport; undefined when it shows none. */
  pick(viewportId?: string): SlideTarget | undefined {
    const displaySet = viewportId === undefined ? undefined : shownSlide(this.#services, viewportId);
    return displaySet && { viewportId: viewportId!, displaySet };
  }

  isOpen({ displaySet }: SlideTarget): boolean {
    return this.#services.displaySetService.getDisplaySetByUID(displaySet.displaySetInstanceUID) !== undefined;
  }

  /**
   * Reads what is not read yet, what is on screen first. Parts that could not be read before are tried again.
   * @throws OverreadError as the engine's `runTiles`; what was read before it stays
   */
  async run({ manifest, location }: CatalogueEntry, target: SlideTarget, { force, readGlass, signal, onProgress }: SlideRunOptions): Promise<KeptSlide> {
    const { displaySet } = target;
    onProgress(describeProgress({ stage: 'read pixels' }));
    const reader = slideReader(this.#services, this.#cornerstone, displaySet);
    const instances = await reader.instances(signal);
    const device = await this.#engine.start();
    throwIfAborted(signal);
    const before = this.#results.all().find(({ model, source }) => model.id === manifest.id && model.version === manifest.version && isOfSlide(source, displaySet));
    const started = performance.now();
    let kept: KeptSlide | undefined;
    let result: TiledResult | undefined;
    let stopFollowing: (() => void) | undefined;
    let stale = false;
    const attempt = (done: readonly number[]) => {
      const run = this.#engine.runTiles({ location, slide: { instances, frames: reader.frames, ...(this.#rules && { synthesisRules: this.#rules }) }, done, ...(force && { force }), ...(readGlass && { readGlass }) }, {
        signal,
        onProgress: progress => {
          // From then on the tiles tell.
          if (!kept) onProgress(beforeTiles(describeProgress(progress)));
        },
        onRun: told => {
          stale = done.length > 0 && told.fingerprint !== before?.fingerprint;
          if (stale) throw new OverreadError('input/inconsistent', 'Expected the model and the slide as they were, but one has changed. Run it again.', { expected: before?.fingerprint, got: told.fingerprint });
          kept = this.#begin(told, manifest, device, displaySet, done.length > 0 ? before : undefined);
          stopFollowing = followView(this.#services, kept, region => run.focus(region));
          onProgress(tilesRead(kept.mask));
        },
        onTile: tile => {
          if (!kept) return;
          const { mask } = kept;
          if ('error' in tile) mask.fail(tile.index, tile.region, tile.error);
          else mask.put(tile.index, tile.region, tile.labels);
          onProgress(tilesRead(mask));
        },
      });
      return run.result;
    };
    try {
      result = await attempt([...(before?.mask.parts.keys() ?? [])]).catch((error: unknown) => {
        // The tiles that are there were made with other weights, or of another level: begin anew.
        if (stale) return attempt([]);
        throw error;
      });
    } finally {
      stopFollowing?.();
      if (kept) {
        this.#end(kept, performance.now() - started, result);
        void this.#count(kept);
      }
    }
    if (!kept) throw new OverreadError('internal', 'Expected to be told of the slide before its result, was not. Please report this.', {});
    return this.#results.get(kept.key)!;
  }

  #begin(run: TiledRun, manifest: ModelManifest, device: KeptSlide['device'], displaySet: SlideDisplaySet, before: KeptSlide | undefined): KeptSlide {
    if (!isOfSlide(run.source, displaySet)) {
      throw new OverreadError('internal', 'Expected a result on the slide that was sent, got one on another. It was thrown away. Please report this.', { expected: displaySet.SeriesInstanceUID, got: run.source.sources });
    }
    const [first] = run.source.sources.filter(isInstanceReference);
    const [columns, rows] = run.source.shape;
    const rule = instanceRuleOf(manifest);
    this.#counting?.abort();
    const kept: KeptSlide = before ? { ...before, device, status: 'running', visible: true, objects: undefined } : {
      key: `slide ${run.fingerprint}`,
      fingerprint: run.fingerprint,
      source: run.source,
      studyInstanceUID: first!.studyInstanceUID,
      model: run.model,
      targets: manifest.output.targets,
      device,
      mask: new SlideMask({ columns, rows, tiles: run.tiles }),
      ...(run.level && { level: run.level }),
      ...(rule && { rule }),
      status: 'running',
      ms: 0,
      createdAt: new Date().toISOString(),
      visible: true,
    };
    kept.mask.retry();
    kept.mask.leaveOut(run.glass);
    this.#results.keep(kept);
    return kept;
  }

  /** Counts what is there; a run that begins meanwhile ends it. */
  async #count({ key, mask, rule }: KeptSlide): Promise<void> {
    if (!rule) return;
    const counting = (this.#counting = new AbortController());
    const objects = await countObjects(mask, rule, counting.signal);
    if (objects && !counting.signal.aborted) this.#results.update(key, { objects });
  }

  #end({ key, mask, ms }: KeptSlide, spentMs: number, result: TiledResult | undefined): void {
    const done = mask.missing === 0;
    this.#results.update(key, {
      status: done ? 'done' : 'stopped',
      ms: ms + spentMs,
      ...(result && { device: result.device }),
      ...(result?.outOfDistribution && { outOfDistribution: result.outOfDistribution }),
    });
  }
}

export function beforeTiles(view: ProgressView): ProgressView {
  return { ...view, fraction: view.fraction * BEFORE_TILES };
}

function tilesRead({ parts, unread, wanted }: SlideMask): ProgressView {
  return tilesDone(parts.size + unread.size, wanted);
}

export function tilesDone(done: number, wanted: number): ProgressView {
  const fraction = wanted > 0 ? done / wanted : 1;
  return {
    text: 'Reading the slide, what is on screen first',
    detail: `tile ${done} of ${wanted}`,
    percent: Math.floor(fraction * 100),
    fraction: BEFORE_TILES + (1 - BEFORE_TILES) * fraction,
  };
}
