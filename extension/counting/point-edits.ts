import type { PointsResult } from '../../src/results/points.ts';
import { editPoints, withTargets, type PointsEdit } from '../../src/results/points-edit.ts';
import type { Target } from '../../src/manifest.ts';
import { isDots } from '../../src/results/dots.ts';
import type { ResultsStore } from '../results-store.ts';
import type { Memo } from '../types/annotations.ts';

interface Parts {
  readonly results: Pick<ResultsStore, 'get' | 'replacePoints'>;
  /** The viewer's own history: its undo and redo buttons take edits back and make them again. */
  readonly history: { push(memo: Memo): unknown };
}

/** What a reader does with markers: every edit is counted at once, and is a step of the viewer's history. */
export class PointEdits {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** @returns whether anything was changed */
  edit(key: string, edit: PointsEdit, at = new Date().toISOString()): boolean {
    const before = this.#points(key);
    return before !== undefined && this.#put(key, before, editPoints(before, edit, at));
  }

  /** Another palette of a set of dots. A model's classes are its own. */
  setTargets(key: string, targets: readonly Target[], at = new Date().toISOString()): void {
    const before = this.#points(key);
    if (before && isDots(before) && targets.length >= before.classes.length) this.#put(key, before, withTargets(before, targets, at));
  }

  /** Puts other dots in the place of a reader's. */
  replaceDots(key: string, dots: PointsResult): void {
    const before = this.#points(key);
    if (before && isDots(before) && isDots(dots)) this.#put(key, before, dots);
  }

  /** Gives up what was edited by hand; undo brings it back. */
  discard(key: string): void {
    const before = this.#points(key);
    const unedited = this.#unedited(key);
    if (before && unedited) this.#put(key, before, unedited);
  }

  #put(key: string, before: PointsResult, after: PointsResult): boolean {
    if (after === before) return false;
    const unedited = this.#unedited(key) ?? (isDots(before) ? undefined : before);
    const put = (from: PointsResult, to: PointsResult) => {
      // Another run, or another step, has put something else in its place.
      if (this.#points(key) !== from) return;
      this.#parts.results.replacePoints(key, to, to === unedited ? undefined : unedited);
    };
    put(before, after);
    // Without an id: the viewer goes to annotations by the ids of steps, and this is none.
    this.#parts.history.push({ restoreMemo: isUndo => (isUndo === false ? put(before, after) : put(after, before)) });
    return true;
  }

  #points(key: string): PointsResult | undefined {
    const result = this.#parts.results.get(key)?.result;
    return result?.kind === 'points' ? result : undefined;
  }

  #unedited(key: string): PointsResult | undefined {
    const unedited = this.#parts.results.get(key)?.unedited;
    return unedited?.kind === 'points' ? unedited : undefined;
  }
}
