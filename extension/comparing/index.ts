import type { AuditedEvent } from '../../src/audit/record.ts';
import type { OverreadError } from '../../src/errors.ts';
import { BlindedReadings } from '../blinded/index.ts';
import { copyText } from '../clipboard.ts';
import type { LabelmapOverlay } from '../overlays/labelmap.ts';
import type { HeatmapStyle } from '../overlays/heatmap-raster.ts';
import type { FrameIndexes } from '../overlays/place.ts';
import { OverlayPresenter, type Presentation } from '../overlays/presenter.ts';
import { SplitOverlay } from '../overlays/split.ts';
import type { Split } from '../overlays/split-canvas.ts';
import type { KeptResult, ResultsStore } from '../results-store.ts';
import { placeOpen } from '../segment-intensities.ts';
import { showImage } from '../training/next-to-label.ts';
import { Observable } from '../state.ts';
import type { Cornerstone, CornerstoneTools, Services, Subscription } from '../types/ohif.ts';
import { Comparer } from './comparer.ts';
import { OfferedComparisons } from './offered.ts';
import { ResultSets } from './sets.ts';
import { SideBySide, SIDES } from './side-by-side.ts';
import { viewerSets } from './viewer-sets.ts';

interface Parts {
  readonly services: Services;
  readonly cornerstone: Cornerstone;
  readonly tools: CornerstoneTools;
  readonly results: ResultsStore;
  readonly labelmaps: LabelmapOverlay;
  readonly frames: FrameIndexes;
  readonly presentation: () => Presentation;
  readonly heatmapStyle: () => HeatmapStyle;
  readonly openStudies: () => ReadonlySet<string>;
  readonly onError: (error: OverreadError) => void;
  readonly audit: (event: AuditedEvent) => unknown;
}

/** Results set against each other in the viewer: what is chosen, its numbers, and how both are drawn. */
export class Comparing {
  readonly comparer: Comparer;
  readonly offered: OfferedComparisons;
  readonly readings: BlindedReadings;
  /** `unseen`: a wipe or two viewports are asked for, and none shows the images as they are. */
  readonly onScreen = new Observable<{ readonly unseen: boolean }>({ unseen: false });
  readonly openStudies: () => ReadonlySet<string>;
  readonly #services: Services;
  readonly #presenter: OverlayPresenter;
  readonly #split: SplitOverlay;
  readonly #sideBySide: SideBySide;

  constructor(parts: Parts) {
    const { services, cornerstone, tools, results, labelmaps, frames, presentation } = parts;
    this.#services = services;
    this.openStudies = parts.openStudies;
    const segmentations = viewerSets({ services, cornerstone, tools, isOurs: id => labelmaps.owns(id), place: result => placeOpen(services, frames, result) });
    this.#sideBySide = new SideBySide(services, frames);
    this.comparer = new Comparer({ results, segmentations, sets: new ResultSets({ results, segmentations }), sideBySide: this.#sideBySide });
    this.offered = new OfferedComparisons({ comparer: this.comparer, openStudies: parts.openStudies, address: location.href, copyText });
    this.readings = new BlindedReadings({ comparer: this.comparer, openStudies: parts.openStudies, showImage: source => showImage(services, cornerstone, source), audit: parts.audit });
    this.#split = new SplitOverlay({
      services, cornerstone, onDivider: share => this.comparer.setDivider(share),
      view: () => ({ sideOf: key => this.#sideOf(key), of: viewportId => this.#splitOf(viewportId, presentation(), parts.heatmapStyle()) }),
    });
    this.#presenter = new OverlayPresenter({
      services, cornerstone, overlays: this.#split.overlays(), presentation, onError: parts.onError,
      results: { all: () => Object.values(this.comparer.apart() ?? {}) },
    });
  }

  /** What is to be drawn of the results, and of what is drawn beside them. */
  present(results: readonly KeptResult[], also: readonly KeptResult[]): readonly KeptResult[] {
    return [...this.comparer.present(results), ...(this.comparer.state.get().blinded ? [] : also)];
  }

  /** Makes what is drawn apart equal to what is compared. */
  async draw(): Promise<void> {
    const { phase } = this.comparer.state.get();
    // It goes with its study.
    if (phase.kind === 'shown' && !this.openStudies().has(phase.a.kept.studyInstanceUID)) this.comparer.end();
    this.comparer.layoutChanged();
    await this.#presenter.refresh();
    this.onScreen.set({ unseen: this.comparer.apart() !== undefined && !this.#split.isSeen });
  }

  follow(draw: () => void): Subscription[] {
    const { segmentationService: segmentation } = this.#services;
    return [{ unsubscribe: this.comparer.state.subscribe(draw) }, segmentation.subscribe(segmentation.EVENTS.SEGMENTATION_ADDED, () => this.comparer.segmentationAdded())];
  }

  leave(): void {
    this.#sideBySide.forget();
    this.comparer.end();
    this.readings.leave();
    this.#presenter.forget();
  }

  #sideOf(key: string): 'a' | 'b' | undefined {
    const apart = this.comparer.apart();
    return key === apart?.a.key ? 'a' : key === apart?.b.key ? 'b' : undefined;
  }

  #splitOf(viewportId: string, { style }: Presentation, heatmap: HeatmapStyle): Split | undefined {
    const { phase, view, divider, blinded, alone } = this.comparer.state.get();
    if (phase.kind !== 'shown') return undefined;
    const names = blinded ? { a: 'A', b: 'B' } : { a: `A · ${phase.a.name}`, b: `B · ${phase.b.name}` };
    const how = { names, style, heatmap };
    if (alone) return { ...how, names: { a: 'The result', b: '' }, share: 1, divided: false };
    if (view === 'wipe') return { ...how, share: divider, divided: true };
    if (viewportId === SIDES.a) return { ...how, share: 1, divided: false };
    return viewportId === SIDES.b ? { ...how, share: 0, divided: false } : undefined;
  }
}
