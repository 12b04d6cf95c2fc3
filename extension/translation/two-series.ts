import type { InstanceReference, SourceReference } from '../../src/image/image.ts';
import { isInstanceReference } from '../../src/image/image.ts';
import { frameKey } from '../identity.ts';
import type { FrameIndexes } from '../overlays/place.ts';
import { gridViewports } from '../sources/target.ts';
import type { DisplaySet, Services } from '../types/ohif.ts';

/** The viewports that it makes, from left to right. */
export const VIEWPORTS = { real: 'overread-real', translated: 'overread-translated' } as const;

/** By the viewer's own synchronizers: what is done in one is done in the other. Each keeps a window of its own, since their contrasts differ. */
const SYNCHRONIZED = ['zoompan', 'imageslice'] as const;

/** The part of the grid's service that makes a layout. */
interface Layouts {
  setLayout?(layout: {
    readonly numRows: number;
    readonly numCols: number;
    readonly layoutType: 'grid';
    readonly layoutOptions: readonly object[];
    readonly activeViewportId: string;
    findOrCreateViewport(position: number): object;
  }): Promise<void> | void;
}

/** Where a change is: a slice of each series. */
export interface Places {
  readonly real: SourceReference;
  readonly translated: SourceReference;
}

/** A real series and its translation beside each other in linked viewports. */
export class TwoSeries {
  readonly #services: Services;
  readonly #frames: FrameIndexes;

  constructor(services: Services, frames: FrameIndexes) {
    this.#services = services;
    this.#frames = frames;
  }

  /** Shows a slice of each; the layout is made where it is not there. */
  async show(places: Places): Promise<void> {
    const { viewportGridService, cornerstoneViewportService } = this.#services;
    const sides = (['real', 'translated'] as const).map(side => ({ viewportId: VIEWPORTS[side], ...this.#find(places[side]) }));
    const open = gridViewports(this.#services);
    const there = sides.every(({ viewportId, displaySet }) => displaySet && open.some(viewport => viewport.viewportId === viewportId && viewport.displaySetInstanceUIDs?.[0] === displaySet.displaySetInstanceUID));
    if (!there) {
      await (viewportGridService as typeof viewportGridService & Layouts).setLayout?.({
        numRows: 1, numCols: 2, layoutType: 'grid', layoutOptions: [], activeViewportId: VIEWPORTS.real,
        findOrCreateViewport: position => {
          const { viewportId, displaySet, index } = sides[position]!;
          return {
            displaySetInstanceUIDs: displaySet ? [displaySet.displaySetInstanceUID] : [],
            displaySetOptions: [{}],
            viewportOptions: {
              viewportId, viewportType: 'stack', toolGroupId: 'default', allowUnmatchedView: true,
              syncGroups: SYNCHRONIZED.map(type => ({ type, id: `overread-translation-${type}`, source: true, target: true })),
              initialImageOptions: { index },
            },
          };
        },
      });
      return;
    }
    // Both by themselves: where the two were registered, the viewer's slices are not linked.
    for (const { viewportId, index } of sides) {
      const viewport = cornerstoneViewportService.getCornerstoneViewport(viewportId) as { setImageIdIndex?(index: number): unknown } | null | undefined;
      await viewport?.setImageIdIndex?.(index);
    }
  }

  #find(source: SourceReference): { readonly displaySet?: DisplaySet; readonly index: number } {
    if (!isInstanceReference(source)) return { index: 0 };
    const displaySet = this.#services.displaySetService.getActiveDisplaySets().find(set => set.SeriesInstanceUID === source.seriesInstanceUID && this.#imageId(set, source) !== undefined);
    return displaySet ? { displaySet, index: Math.max(0, displaySet.imageIds?.indexOf(this.#imageId(displaySet, source)!) ?? 0) } : { index: 0 };
  }

  #imageId(displaySet: DisplaySet, source: InstanceReference): string | undefined {
    return this.#frames.of(displaySet).get(frameKey(source));
  }
}
