import { OverreadError, toOverreadError } from '../../src/errors.ts';
import { referenceOf, type ImageReference } from '../../src/image/image.ts';
import { dotsOn, isDots, type DotsOrigin } from '../../src/results/dots.ts';
import type { PointsResult } from '../../src/results/points.ts';
import { frameKey, sourcesOf } from '../identity.ts';
import type { MarkerGuide, MarkerSurface } from '../overlays/points.ts';
import type { KeptResult, ResultsStore } from '../results-store.ts';
import type { Cornerstone, CornerstoneTools, Subscription } from '../types/ohif.ts';
import { DensityMaps } from './density-maps.ts';
import { readDots, save, writeDots, type DotFormat } from './dot-files.ts';
import { Dotting } from './dotting.ts';
import { PointEdits } from './point-edits.ts';
import { RoiCounts } from './roi-counts.ts';

interface Parts {
  readonly cornerstone: Cornerstone;
  readonly tools: CornerstoneTools;
  readonly results: ResultsStore;
  /** Of all viewports, with what they show now. */
  readonly surfaces: () => readonly MarkerSurface[];
  /** Labels have changed. */
  readonly repaint: () => void;
  /** The image or the slide of the active viewport. @throws OverreadError `input/no-pixels` where there is none */
  readonly activeImage: () => Promise<ImageReference>;
  readonly report: (error: OverreadError) => void;
  /** A result was handed to the user as a file. */
  readonly exported?: (result: PointsResult, format: string) => void;
}

/** What a reader does with counts: edits markers, sets dots without a model, counts in regions, looks at the density. */
export class Counting {
  readonly edits: PointEdits;
  readonly dotting: Dotting;
  readonly rois: RoiCounts;
  readonly density: DensityMaps;
  readonly #parts: Parts;
  #frame: number | undefined;
  /** While markers are edited. */
  #cursor: HTMLStyleElement | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    const { results, cornerstone, tools, surfaces } = parts;
    this.edits = new PointEdits({ results, history: { push: memo => cornerstone.utilities.HistoryMemo.DefaultHistoryMemo.push(memo) } });
    this.dotting = new Dotting({ page: globalThis as unknown as Window, results, edits: this.edits, surfaces });
    this.rois = new RoiCounts({ surfaces, annotations: () => tools.annotation.state.getAllAnnotations(), onError: parts.report });
    this.density = new DensityMaps(results);
  }

  /** For the overlays. */
  readonly guide: MarkerGuide = {
    labelsOf: (viewportId, imageId) => this.rois.labelsOf(viewportId, imageId),
    imageChanged: () => this.soon(),
  };

  /** Follows the viewer's annotations and tools, until unsubscribed. */
  follow(): Subscription[] {
    const { cornerstone: { eventTarget }, tools: { Enums: { Events } } } = this.#parts;
    const look = () => this.soon();
    // Whoever takes up another tool has done with dots.
    const end = () => this.dotting.end();
    const heard = [
      ...([Events.ANNOTATION_ADDED, Events.ANNOTATION_COMPLETED, Events.ANNOTATION_MODIFIED, Events.ANNOTATION_REMOVED, Events.ANNOTATION_VISIBILITY_CHANGE] as const).map(event => [event, look] as const),
      [Events.TOOL_ACTIVATED, end] as const,
    ];
    for (const [event, listener] of heard) eventTarget.addEventListener(event, listener);
    return [
      { unsubscribe: () => heard.forEach(([event, listener]) => eventTarget.removeEventListener(event, listener)) },
      this.dotting.follow(),
      { unsubscribe: this.dotting.state.subscribe(() => this.#showCursor()) },
    ];
  }

  /** What is drawn has changed. */
  look(): void {
    this.dotting.look();
    if (this.rois.look()) this.#parts.repaint();
  }

  /** One look for what happens within a frame. */
  soon(): void {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = undefined;
      this.look();
    });
  }

  leave(): void {
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
    this.#frame = undefined;
    this.dotting.end();
    this.#showCursor();
    this.density.end();
    this.rois.clear();
  }

  /** Begins, or goes on with, dots on what the active viewport shows. */
  async startDots(): Promise<KeptResult | undefined> {
    return this.#reported(async () => {
      const kept = this.#dotsOn(await this.#parts.activeImage());
      this.dotting.start(kept.key);
      return kept;
    });
  }

  /** Adds the dots of a file to those on what the active viewport shows. */
  async importDots(file: File): Promise<KeptResult | undefined> {
    return this.#reported(async () => {
      const source = await this.#parts.activeImage();
      const before = this.#known(source);
      const there = before?.result as PointsResult | undefined;
      // The class of dots that were only begun is no class yet.
      const labels = there && there.classOf.length > 0 ? there.classes.map(({ target }) => target.label) : [];
      const read = await readDots(file, source, labels);
      const merged: DotsOrigin = there && there.classOf.length > 0 ? {
        labels: read.labels,
        coordinates: Float32Array.from([...there.coordinates, ...read.coordinates]),
        classOf: Uint8Array.from([...there.classOf, ...read.classOf]),
      } : { ...read, labels: read.labels.length > 0 ? read.labels : ['Cell'] };
      const made = dotsOn(source, new Date().toISOString(), merged);
      if (!before) return this.#parts.results.keep(made);
      this.edits.replaceDots(before.key, made);
      return this.#parts.results.get(before.key);
    });
  }

  /** Hands a count's markers to the user as a file. */
  async exportDots(key: string, format: DotFormat): Promise<void> {
    await this.#reported(async () => {
      const result = this.#parts.results.get(key)?.result;
      if (result?.kind !== 'points') return;
      const { name, blob } = await writeDots(result, format);
      save(name, blob);
      this.#parts.exported?.(result, format);
    });
  }

  #known(source: ImageReference): KeptResult | undefined {
    const wanted = sourceKey({ source });
    return this.#parts.results.all().find(({ result }) => result.kind === 'points' && isDots(result) && sourceKey(result) === wanted);
  }

  #dotsOn(source: ImageReference): KeptResult {
    return this.#known(source) ?? this.#parts.results.keep(dotsOn(referenceOf(source), new Date().toISOString()));
  }

  async #reported<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      this.#parts.report(toOverreadError(error));
      return undefined;
    }
  }

  #showCursor(): void {
    const on = this.dotting.state.get().key !== undefined;
    if (!on) {
      this.#cursor?.remove();
      this.#cursor = undefined;
    } else if (!this.#cursor) {
      this.#cursor = document.createElement('style');
      this.#cursor.textContent = '[data-viewport-uid], [data-viewport-uid] * { cursor: crosshair !important; }';
      document.head.append(this.#cursor);
    }
  }
}

function sourceKey(of: Pick<PointsResult, 'source'>): string {
  return sourcesOf(of as PointsResult).map(frameKey).join(',');
}
