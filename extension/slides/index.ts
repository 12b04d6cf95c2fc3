import type { SynthesisRule } from '../../src/dicom/synthesis.ts';
import type { EngineClient } from '../../src/engine-client.ts';
import type { MarkerGuide } from '../overlays/points.ts';
import type { ResultsStore } from '../results-store.ts';
import { activeViewportId } from '../sources/target.ts';
import type { Cornerstone, Services } from '../types/ohif.ts';
import { SlideCounts } from './count.ts';
import { SlideOverlay, type SlidePresentation } from './overlay.ts';
import { SlidePointsOverlay } from './points.ts';
import { SlideRuns, type SlideTarget } from './run.ts';
import { SlideResults } from './slide-results.ts';

/** Slides in one page: what is run on them, kept of them and drawn over them. */
export class Slides extends SlideRuns {
  readonly results: SlideResults;
  readonly points: SlidePointsOverlay;
  readonly counts: SlideCounts;
  readonly #kept: ResultsStore;
  readonly #services: Services;
  readonly #overlay: SlideOverlay;
  readonly #presentation: () => SlidePresentation;

  /** @param parts `kept` are the results that are kept whole, of which counts may lie on slides */
  constructor(parts: { services: Services; cornerstone: Cornerstone; engine: Pick<EngineClient, 'start' | 'runTiles'>; presentation: () => SlidePresentation; kept: ResultsStore; guide: MarkerGuide; rules: readonly SynthesisRule[] | undefined }) {
    const results = new SlideResults();
    super({ ...parts, results });
    this.results = results;
    this.#services = parts.services;
    this.#presentation = parts.presentation;
    this.#kept = parts.kept;
    this.counts = new SlideCounts(parts);
    this.#overlay = new SlideOverlay(parts.services, parts.cornerstone, () => this.draw());
    this.points = new SlidePointsOverlay(parts.services, parts.cornerstone, parts.guide, () => this.draw());
  }

  /** @param viewportId the active viewport when left out */
  override pick(viewportId = activeViewportId(this.#services)): SlideTarget | undefined {
    return viewportId === undefined ? undefined : super.pick(viewportId);
  }

  draw(): void {
    this.#overlay.draw(this.results.all(), this.#presentation());
    this.points.draw(this.#kept.all(), this.#presentation().shown);
  }

  forget(): void {
    this.#overlay.forget();
    this.points.forget();
  }
}
