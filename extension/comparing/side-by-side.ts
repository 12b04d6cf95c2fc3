import { FrameIndexes, placeOn } from '../overlays/place.ts';
import type { KeptResult } from '../results-store.ts';
import { activeViewportId, gridViewports, shownImage } from '../sources/target.ts';
import type { GridState, Services } from '../types/ohif.ts';

/** The viewports that it makes, from left to right. */
export const SIDES = { a: 'overread-side-a', b: 'overread-side-b' } as const;

/** By the viewer's own synchronizers: what is done in one is done in the other. */
const SYNCHRONIZED = ['zoompan', 'voi', 'imageslice'] as const;

/** Two viewports of one image beside each other, in place of the viewer's layout until they are closed. */
export class SideBySide {
  readonly #services: Services;
  readonly #frames: FrameIndexes;
  #before: GridState | undefined;
  #seen = false;

  constructor(services: Services, frames: FrameIndexes) {
    this.#services = services;
    this.#frames = frames;
  }

  /** Whether the two were on screen and are no longer: the layout was changed by other ways. OHIF's grid is a moment behind what it was told. */
  left(): boolean {
    if (!this.#before) return false;
    const ids = gridViewports(this.#services).map(({ viewportId }) => viewportId);
    const there = ids.includes(SIDES.a) && ids.includes(SIDES.b);
    if (there) this.#seen = true;
    return this.#seen && !there;
  }

  /** Opens the image that a result lies on, the slice that is on screen where it is of these. */
  open(kept: KeptResult): void {
    const { viewportGridService: grid, displaySetService } = this.#services;
    const displaySet = displaySetService.getActiveDisplaySets().find(set => set.StudyInstanceUID === kept.studyInstanceUID && placeOn(kept.result, this.#frames.of(set)) !== undefined);
    if (!displaySet || !grid.setLayout) return;
    const { displaySetInstanceUID } = displaySet;
    if (this.#before) {
      // Another study's, or another series': the two viewports stay.
      const shows = gridViewports(this.#services).filter(({ viewportId }) => viewportId === SIDES.a || viewportId === SIDES.b);
      for (const { viewportId, displaySetInstanceUIDs } of shows) {
        if (displaySetInstanceUIDs?.[0] !== displaySetInstanceUID) grid.setDisplaySetsForViewport({ viewportId, displaySetInstanceUIDs: [displaySetInstanceUID] });
      }
      return;
    }
    this.#before = { ...grid.getState(), viewports: new Map(grid.getState().viewports) };
    const ids = displaySet.imageIds ?? [];
    const shown = shownImage(this.#services, activeViewportId(this.#services) ?? '');
    const index = Math.max(0, ids.indexOf(shown?.imageId ?? ''));
    this.#seen = false;
    void grid.setLayout({
      numRows: 1, numCols: 2, layoutType: 'grid', layoutOptions: [], activeViewportId: SIDES.a,
      findOrCreateViewport: position => ({
        displaySetInstanceUIDs: [displaySetInstanceUID],
        displaySetOptions: [{}],
        viewportOptions: {
          viewportId: position === 0 ? SIDES.a : SIDES.b, viewportType: 'stack', toolGroupId: 'default', allowUnmatchedView: true,
          syncGroups: SYNCHRONIZED.map(type => ({ type, id: `overread-${type}`, source: true, target: true })),
          initialImageOptions: { index },
        },
      }),
    });
  }

  /** The layout as it was before. */
  close(): void {
    const before = this.#before;
    this.#before = undefined;
    const { viewportGridService: grid } = this.#services;
    const ids = gridViewports(this.#services).map(({ viewportId }) => viewportId);
    // Somebody has chosen another layout meanwhile.
    if (!before || !grid.setLayout || !ids.includes(SIDES.a)) return;
    const viewports = [...before.viewports.values()];
    void grid.setLayout({
      numRows: before.layout?.numRows ?? 1, numCols: before.layout?.numCols ?? 1, layoutType: before.layout?.layoutType ?? 'grid',
      layoutOptions: viewports.map(({ x = 0, y = 0, width = 1, height = 1, positionId }) => ({ x, y, width, height, ...(positionId !== undefined && { positionId }) })),
      ...(before.activeViewportId != null && { activeViewportId: before.activeViewportId }),
      // OHIF writes into what it is given.
      findOrCreateViewport: (position, positionId) => ({ ...(viewports.find(viewport => viewport.positionId === positionId) ?? viewports[position]) }),
      isHangingProtocolLayout: before.isHangingProtocolLayout === true,
    });
  }

  /** The mode is left: the viewer makes its layout anew. */
  forget(): void {
    this.#before = undefined;
  }
}
