import { toOverreadError, type OverreadError } from '../../src/errors.ts';
import { rethreshold } from '../../src/results/rethreshold.ts';
import { save } from '../counting/dot-files.ts';
import { frameKey, sourcesOf } from '../identity.ts';
import { Observable } from '../state.ts';
import type { Comparer } from './comparer.ts';
import { comparisonOf, describeSet, isSet, linkTo, parseComparison, saveComparison, savedSet, type SavedComparison, type SavedSet } from './saved.ts';
import type { ResultSet } from './sets.ts';

export interface OfferedState {
  /** A comparison that a link or a file named, and that can be made once its results are there. */
  readonly saved?: SavedComparison;
  readonly error?: OverreadError;
  /** A quiet line. */
  readonly note?: string;
}

interface Parts {
  readonly comparer: Comparer;
  readonly openStudies: () => ReadonlySet<string>;
  /** Of the page when it was loaded: the viewer's own navigation drops the fragment. */
  readonly address: string;
  readonly copyText: (text: string) => Promise<void>;
}

/** Comparisons as files and links: what is compared and how it is shown, never a picture or a patient. */
export class OfferedComparisons {
  readonly state: Observable<OfferedState>;
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
    let offered: OfferedState = {};
    try {
      const saved = comparisonOf(parts.address);
      if (saved) offered = { saved };
    } catch (error) {
      offered = { error: toOverreadError(error) };
    }
    this.state = new Observable(offered);
  }

  /** What is compared now, as it would be saved; undefined while nothing is. */
  current(): SavedComparison | undefined {
    const { phase, view, divider, withinPixels, blinded } = this.#parts.comparer.state.get();
    return phase.kind === 'shown' && !blinded ? saveComparison({ a: phase.a.kept, b: phase.b.kept, view, divider, withinPixels }) : undefined;
  }

  saveFile(): void {
    const saved = this.current();
    if (saved) save('overread-comparison.json', new Blob([JSON.stringify(saved, null, 2)], { type: 'application/json' }));
  }

  async copyLink(withStudy: boolean): Promise<void> {
    const saved = this.current();
    const { phase } = this.#parts.comparer.state.get();
    if (!saved || phase.kind !== 'shown') return;
    try {
      await this.#parts.copyText(linkTo(saved, location.href, withStudy ? phase.a.kept.studyInstanceUID : undefined));
      this.state.set({ note: withStudy ? 'The link is in the clipboard, with the UID of the study.' : 'The link is in the clipboard. It names no study: open one after it.' });
    } catch (error) {
      this.state.set({ error: toOverreadError(error) });
    }
  }

  async loadFile(file: File): Promise<void> {
    try {
      this.state.set({ saved: parseComparison(await file.text(), file.name), error: undefined, note: undefined });
    } catch (error) {
      this.state.set({ saved: undefined, error: toOverreadError(error) });
    }
  }

  dismiss(): void {
    this.state.set({ saved: undefined, error: undefined, note: undefined });
  }

  /** What is not there yet, in words; empty when the offered comparison can be made. */
  missing(): readonly string[] {
    const { saved } = this.state.get();
    if (!saved) return [];
    const absent = [saved.a, saved.b].filter(of => this.#fitting(of).length === 0);
    // There is one mask of the viewer where two are meant.
    return (absent.length > 0 || this.#pairOf(saved) ? absent : [saved.b]).map(describeSet);
  }

  /** Makes the offered comparison; thresholds that are other ones now are set in a copy, and the result stays as it is. */
  async make(): Promise<void> {
    const { saved } = this.state.get();
    const { comparer } = this.#parts;
    const found = saved && this.#pairOf(saved);
    if (!saved || !found) return;
    const { a, b } = found;
    comparer.setView(saved.view);
    comparer.setDivider(saved.divider);
    comparer.setWithin(saved.withinPixels);
    await comparer.compare(this.#as(saved.a, a), this.#as(saved.b, b));
    const notes = [
      ...([saved.a, saved.b].some(({ edited }) => edited) ? ['One of the two was edited by hand when this was saved: the edit is not in it.'] : []),
      ...(found.othersFit ? ['Other results of the study fit as well: the newest are compared. Choose A and B by hand if others were meant.'] : []),
    ];
    this.state.set({ saved: undefined, note: notes.length > 0 ? notes.join(' ') : undefined });
  }

  /** What is meant, of several that fit the newest: of one image where there is such a pair. A mask of the viewer is never set against itself. */
  #pairOf(saved: SavedComparison): { readonly a: string; readonly b: string; readonly othersFit: boolean } | undefined {
    const [ofA, ofB] = [this.#fitting(saved.a), this.#fitting(saved.b)];
    const a = ofA.findLast(id => ofB.some(other => this.#imagesOf(other) === this.#imagesOf(id))) ?? ofA.at(-1);
    if (a === undefined) return undefined;
    const others = saved.b.model ? ofB : ofB.filter(id => id !== a);
    const b = others.findLast(id => this.#imagesOf(id) === this.#imagesOf(a)) ?? others.at(-1);
    if (b === undefined) return undefined;
    const drawn = [saved.a, saved.b].filter(({ model }) => !model);
    return { a, b, othersFit: new Set(ofA.map(id => this.#imagesOf(id))).size > 1 || drawn.some(of => this.#fitting(of).length > drawn.length) };
  }

  /** All results that are meant, the newest last, and after the others those that are as they were; of two of one model at other thresholds it may be the same one. */
  #fitting(saved: SavedSet): readonly string[] {
    const { comparer: { sets }, openStudies } = this.#parts;
    const all = sets.list(openStudies()).filter(({ kind }) => kind === saved.kind);
    if (!saved.model) return all.filter(({ id }) => sets.segmentationId(id) !== undefined).map(({ id }) => id);
    const found = all.map(({ id }) => id).filter(id => {
      if (sets.segmentationId(id) !== undefined) return false;
      const set = sets.get(id);
      return set !== undefined && isSet(saved, set.kept);
    });
    const exact = found.filter(id => same(saved, sets.get(id)));
    return [...found.filter(id => !exact.includes(id)), ...exact];
  }

  /** One text for the frames that a result is of; a mask of the viewer is brought to those of what it is set against. */
  #imagesOf(id: string): string {
    const { comparer: { sets } } = this.#parts;
    if (sets.segmentationId(id) !== undefined) return '';
    const set = sets.get(id);
    return set ? sourcesOf(set.kept.result).map(frameKey).join() : '';
  }

  /** The result itself where it is as it was saved, else a copy at the thresholds of then. */
  #as(saved: SavedSet, id: string): string {
    const { sets } = this.#parts.comparer;
    const set = sets.get(id);
    if (!set || same(saved, set)) return id;
    const { result } = set.kept;
    if (result.kind !== 'labelmap' || !saved.thresholds || !result.probabilities) return id;
    return sets.add({ ...set, kept: { ...set.kept, result: rethreshold(result, saved.thresholds) } }).id;
  }
}

function same(saved: SavedSet, set: ResultSet | undefined): boolean {
  return set !== undefined && savedSet(set.kept).thresholds?.join() === saved.thresholds?.join();
}
