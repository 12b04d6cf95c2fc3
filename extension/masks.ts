import type { Comparer } from './comparing/comparer.ts';
import { SEGMENTATION_PANEL_ID } from './id.ts';
import { MaskEdits } from './mask-edits.ts';
import type { LabelmapOverlay } from './overlays/labelmap.ts';
import type { FrameIndexes } from './overlays/place.ts';
import type { ResultsStore } from './results-store.ts';
import { openIntensities, type SegmentIntensities } from './segment-intensities.ts';
import { activeViewportId } from './sources/target.ts';
import { Observable } from './state.ts';
import type { Cornerstone, Services, Subscription } from './types/ohif.ts';

/** A stroke of the brush tells of itself with every move: one look for those of a moment. */
const MOMENT_MS = 100;

interface Parts {
  readonly services: Services;
  readonly cornerstone: Cornerstone;
  readonly results: ResultsStore;
  readonly overlay: LabelmapOverlay;
  readonly frames: FrameIndexes;
  readonly comparer: Comparer;
}

/** What a reader does with masks, joined with the viewer: edits, thresholds, intensities. */
export class Masks {
  readonly edits: MaskEdits;
  readonly intensities: SegmentIntensities;
  /** Changes when the viewer has other segmentations. */
  readonly seen = new Observable<{ readonly changes: number }>({ changes: 0 });
  readonly #services: Services;
  readonly #overlay: LabelmapOverlay;
  readonly #results: ResultsStore;
  readonly #comparer: Comparer;

  constructor({ services, cornerstone, results, overlay, frames, comparer }: Parts) {
    this.#services = services;
    this.#overlay = overlay;
    this.#results = results;
    this.edits = new MaskEdits({ results, changed: () => overlay.changed() });
    this.intensities = openIntensities(services, cornerstone, frames);
    this.#comparer = comparer;
  }

  /** Follows the viewer's segmentations, until unsubscribed. */
  follow(): Subscription[] {
    const { segmentationService: segmentation } = this.#services;
    const changed = new Set<string>();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = () => {
      timer = undefined;
      this.edits.read();
      for (const id of changed) this.#comparer.changed(id);
      changed.clear();
    };
    const count = () => this.seen.set({ changes: this.seen.get().changes + 1 });
    return [
      segmentation.subscribe(segmentation.EVENTS.SEGMENTATION_DATA_MODIFIED, ({ segmentationId }: { segmentationId: string }) => {
        changed.add(segmentationId);
        timer ??= setTimeout(look, MOMENT_MS);
      }),
      segmentation.subscribe(segmentation.EVENTS.SEGMENTATION_ADDED, count),
      segmentation.subscribe(segmentation.EVENTS.SEGMENTATION_REMOVED, count),
      { unsubscribe: () => clearTimeout(timer) },
    ];
  }

  /** The mode is left: what was drawn by hand is kept. */
  leave(): void {
    this.edits.read();
  }

  /** Segmentations that the user deleted in the viewer: results stay in our panel, hidden; a comparison ends. */
  deleted(keys: readonly string[]): void {
    for (const key of keys) {
      if (this.#results.get(key)) this.#results.setVisible(key, false);
      else this.#comparer.end();
    }
  }

  /** Opens the viewer's own tools on a mask. */
  editByHand(key: string): void {
    const { segmentationService, panelService } = this.#services;
    const viewportId = activeViewportId(this.#services);
    const segmentationId = this.#overlay.segmentationIdOf(key);
    if (this.#comparer.state.get().asked) this.#comparer.setView('apart');
    if (viewportId && segmentationId && segmentationService.getViewportIdsWithSegmentation(segmentationId).includes(viewportId)) {
      segmentationService.setActiveSegmentation(viewportId, segmentationId);
    }
    panelService?.activatePanel(SEGMENTATION_PANEL_ID, true);
  }
}
