import { toOverreadError, type OverreadError } from '../../src/errors.ts';
import type { Result, ResultKind } from '../../src/results/result.ts';
import type { OverlayStyle } from '../configuration.ts';
import { sourcesOf } from '../identity.ts';
import type { ResultsStore } from '../results-store.ts';
import { gridViewports, shownImage } from '../sources/target.ts';
import type { Cornerstone, Services } from '../types/ohif.ts';
import type { Layer, Overlay, Overlays } from './overlay.ts';
import { FrameIndexes, placeOn } from './place.ts';

export interface Presentation {
  readonly shown: boolean;
  readonly style: OverlayStyle;
}

/**
 * Keeps what is drawn equal to what is kept: every result on every viewport that shows its own images, and on no other.
 * It works from what is, not from what happened, so an event that is missed or comes twice does no harm.
 */
export class OverlayPresenter {
  readonly #services: Services;
  readonly #results: Pick<ResultsStore, 'all'>;
  readonly #overlays: Overlays;
  readonly #frames: FrameIndexes;
  readonly #presentation: () => Presentation;
  readonly #onError: (error: OverreadError) => void;
  #wanted = false;
  #work: Promise<void> | undefined;

  constructor(parts: {
    services: Services;
    cornerstone: Cornerstone;
    results: Pick<ResultsStore, 'all'>;
    overlays: Overlays;
    presentation: () => Presentation;
    onError: (error: OverreadError) => void;
  }) {
    this.#services = parts.services;
    this.#results = parts.results;
    this.#overlays = parts.overlays;
    this.#presentation = parts.presentation;
    this.#onError = parts.onError;
    this.#frames = new FrameIndexes(parts.cornerstone);
  }

  /** Draws as soon as it can; calls while it draws become one more round. */
  refresh(): Promise<void> {
    this.#wanted = true;
    return (this.#work ??= this.#run());
  }

  /** The viewer has left the mode and taken all segmentations down. */
  forget(): void {
    this.#wanted = false;
    for (const overlay of Object.values(this.#overlays)) overlay?.forget();
  }

  async #run(): Promise<void> {
    await Promise.resolve(); // events come in bursts: one round for all of them
    while (this.#wanted) {
      this.#wanted = false;
      try {
        const layers = this.#layers();
        for (const kind of Object.keys(this.#overlays) as ResultKind[]) {
          // The key says which kind the layers are of; TypeScript cannot follow it through the map.
          const overlay = this.#overlays[kind] as Overlay<Result> | undefined;
          await overlay?.draw(layers.filter(layer => layer.placed[0]!.kept.result.kind === kind));
        }
      } catch (error) {
        this.#onError(toOverreadError(error));
      }
    }
    this.#work = undefined;
  }

  #layers(): Layer<Result>[] {
    const { shown, style } = this.#presentation();
    const layers = new Map<string, Layer<Result>>();
    const displaySets = this.#services.displaySetService.getActiveDisplaySets();
    for (const kept of this.#results.all()) {
      for (const displaySet of displaySets) {
        if (displaySet.StudyInstanceUID !== kept.studyInstanceUID || !sourcesOf(kept.result).some(s => s.seriesInstanceUID === displaySet.SeriesInstanceUID)) continue;
        const imageIds = placeOn(kept.result, this.#frames.of(displaySet));
        if (!imageIds) continue;
        const { model, kind } = kept.result;
        const key = `${displaySet.displaySetInstanceUID} ${kind} ${model.id}@${model.version} ${model.sha256}`;
        const before = layers.get(key);
        layers.set(key, {
          key, displaySet, style,
          placed: [...(before?.placed ?? []), { kept, imageIds }],
          viewportIds: before?.viewportIds ?? this.#viewportsOf(displaySet.displaySetInstanceUID),
          visible: (before?.visible ?? false) || (shown && kept.visible),
        });
      }
    }
    return [...layers.values()];
  }

  #viewportsOf(displaySetInstanceUID: string): string[] {
    return gridViewports(this.#services)
      .filter(({ viewportId, displaySetInstanceUIDs }) => {
        if (shownImage(this.#services, viewportId)?.displaySet.displaySetInstanceUID === displaySetInstanceUID) return true;
        // A plane across the slices shows none of them.
        const viewport = this.#services.cornerstoneViewportService.getCornerstoneViewport(viewportId);
        return viewport?.type === 'orthographic' && displaySetInstanceUIDs?.[0] === displaySetInstanceUID;
      })
      .map(({ viewportId }) => viewportId);
  }
}
