import type { PointsResult } from '../../src/results/points.ts';
import type { PointsEdit } from '../../src/results/points-edit.ts';
import { apply, invert, magnification } from '../overlays/affine.ts';
import { planeToCanvas } from '../overlays/marker-drawing.ts';
import { markerIndexOf } from '../overlays/marker-index.ts';
import type { MarkerSurface } from '../overlays/points.ts';
import type { ResultsStore } from '../results-store.ts';
import { Observable } from '../state.ts';
import type { Subscription } from '../types/ohif.ts';
import type { PointEdits } from './point-edits.ts';

export interface DottingState {
  /** Of the kept result whose markers are edited; absent where none are. */
  readonly key?: string;
  /** The class of the next marker. */
  readonly classIndex: number;
  /** A click takes markers away. */
  readonly erasing: boolean;
}

interface Parts {
  readonly page: Window;
  readonly results: Pick<ResultsStore, 'get'>;
  readonly edits: Pick<PointEdits, 'edit'>;
  readonly surfaces: () => readonly MarkerSurface[];
}

/** A marker is meant when the pointer is no farther from its middle, in pixels of the page. */
const REACH_CSS = 7;

interface Place {
  readonly result: PointsResult;
  /** Index coordinates of the result's plane. */
  readonly x: number;
  readonly y: number;
  /** The marker under the pointer. */
  readonly marker: number | undefined;
}

/**
 * Setting markers by click and key. While it is on, the first mouse button is its own on images that show the edited markers, and so
 * are the keys 1–9, Delete, Backspace and Escape; all else goes to the viewer, so that its pan, zoom and undo work on. It listens before the viewer does:
 * Cornerstone waits after each click for a second one, too long for a thousand dots.
 */
export class Dotting {
  readonly state = new Observable<DottingState>({ classIndex: 0, erasing: false });
  readonly #parts: Parts;
  #pointer: MouseEvent | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  start(key: string): void {
    const result = this.#points(key);
    if (!result) return;
    const { classIndex } = this.state.get();
    this.state.set({ key, erasing: false, classIndex: classIndex < result.classes.length ? classIndex : 0 });
  }

  end(): void {
    if (this.state.get().key !== undefined) this.state.set({ key: undefined, erasing: false });
  }

  choose(classIndex: number): void {
    const { key } = this.state.get();
    if (key !== undefined && this.#points(key)?.classes[classIndex]) this.state.set({ classIndex, erasing: false });
  }

  setErasing(erasing: boolean): void {
    this.state.set({ erasing });
  }

  /** Ends when what is edited is no longer there. */
  look(): void {
    const { key } = this.state.get();
    if (key !== undefined && !this.#points(key)) this.end();
  }

  /** Hears the page until unsubscribed. */
  follow(): Subscription {
    const { page } = this.#parts;
    const capture = { capture: true } as const;
    const heard = { mousedown: this.#onPress, dblclick: this.#onDoubleClick, mousemove: this.#onMove, keydown: this.#onKey } as const;
    for (const [type, listener] of Object.entries(heard)) page.addEventListener(type, listener as EventListener, capture);
    return {
      unsubscribe: () => {
        for (const [type, listener] of Object.entries(heard)) page.removeEventListener(type, listener as EventListener, capture);
      },
    };
  }

  readonly #onPress = (event: MouseEvent): void => {
    const place = event.button === 0 ? this.#placeOf(event) : undefined;
    if (!place) return;
    consume(event);
    const { key, classIndex, erasing } = this.state.get();
    const edit = (change: PointsEdit) => this.#parts.edits.edit(key!, change);
    const { marker, x, y } = place;
    if (erasing || event.shiftKey) {
      if (marker !== undefined) edit({ kind: 'remove', marker });
    } else if (marker === undefined) edit({ kind: 'add', x, y, classIndex });
    // On a marker of the class already it does nothing: a click that slipped twice must not count twice.
    else edit({ kind: 'class', marker, classIndex });
  };

  /** The viewer would enlarge the viewport. */
  readonly #onDoubleClick = (event: MouseEvent): void => {
    if (this.#placeOf(event)) consume(event);
  };

  readonly #onMove = (event: MouseEvent): void => {
    this.#pointer = event;
  };

  readonly #onKey = (event: KeyboardEvent): void => {
    const { key } = this.state.get();
    if (key === undefined || event.ctrlKey || event.metaKey || event.altKey || isField(event.target)) return;
    const result = this.#points(key);
    if (/^[1-9]$/.test(event.key) && result) {
      // Also where there is no such class: in the viewer the digits are window presets.
      consume(event);
      this.choose(Number(event.key) - 1);
    } else if (event.key === 'Delete' || event.key === 'Backspace') {
      const place = this.#pointer && this.#placeOf(this.#pointer);
      if (place?.marker === undefined) return;
      consume(event);
      this.#parts.edits.edit(key, { kind: 'remove', marker: place.marker });
    } else if (event.key === 'Escape') {
      consume(event);
      this.end();
    }
  };

  /** Where on the edited markers' plane a pointer is; undefined elsewhere on the page. */
  #placeOf({ clientX, clientY, target }: MouseEvent): Place | undefined {
    const { key } = this.state.get();
    if (key === undefined) return undefined;
    for (const { element, shown, toPage } of this.#parts.surfaces()) {
      const of = shown.find(other => other.key === key);
      const { left, top, width, height } = element.getBoundingClientRect();
      const [pageX, pageY] = [clientX - left, clientY - top];
      if (!of || pageX < 0 || pageY < 0 || pageX >= width || pageY >= height || !element.parentElement?.contains(target as Node | null)) continue;
      const planeToPage = planeToCanvas(of, toPage);
      const [cornerX, cornerY] = apply(invert(planeToPage), pageX, pageY);
      const [x, y] = [cornerX - 0.5, cornerY - 0.5];
      return { result: of.result, x, y, marker: markerIndexOf(of.result).nearest(x, y, REACH_CSS / magnification(planeToPage)) };
    }
    return undefined;
  }

  #points(key: string): PointsResult | undefined {
    const result = this.#parts.results.get(key)?.result;
    return result?.kind === 'points' ? result : undefined;
  }
}

function consume(event: Event): void {
  event.preventDefault();
  event.stopImmediatePropagation();
}

/** Where digits are typed. */
function isField(target: EventTarget | null): boolean {
  return (target as Element | null)?.closest?.('input:not([type=range],[type=checkbox],[type=radio]), textarea, select, [contenteditable]') != null;
}
