import { toOverreadError, type OverreadError } from '../../src/errors.ts';
import { breathe } from '../../src/breathe.ts';
import type { Target } from '../../src/manifest.ts';
import type { KeptResult, ResultsStore } from '../results-store.ts';
import { Observable } from '../state.ts';
import { compareSets, headline, type Pair } from './pair.ts';
import type { ResultSet, ResultSets, SegmentationsInHand } from './sets.ts';
import type { SideBySide } from './side-by-side.ts';

/** How two results lie on the image; `apart` is each as it is drawn without a comparison. */
export type ComparisonView = 'difference' | 'wipe' | 'side-by-side' | 'apart';

export type ComparisonPhase =
  | { readonly kind: 'idle' }
  | { readonly kind: 'running' }
  | { readonly kind: 'shown'; readonly pair: Pair; readonly a: ResultSet; readonly b: ResultSet; readonly shown: ShownSets }
  | { readonly kind: 'error'; readonly error: OverreadError };

/** As they are drawn: on the images of A, under keys of their own. */
interface ShownSets {
  readonly a: KeptResult;
  readonly b: KeptResult;
  /** Scores have none. */
  readonly difference?: KeptResult;
}

export interface ComparisonState {
  /** The id of what is to be set against another, before it is. */
  readonly first?: string;
  /** Ids of two result sets. */
  readonly asked?: { readonly a: string; readonly b: string };
  readonly phase: ComparisonPhase;
  readonly view: ComparisonView;
  /** Where the divider of the wipe stands, as a share of the viewport's width. */
  readonly divider: number;
  /** Markers no further apart than this are one, in pixels. */
  readonly withinPixels: number;
  /** A blinded reading is on: nothing but its two results is drawn, and they have no names. */
  readonly blinded: boolean;
  /** There is no B: A is shown as it is. */
  readonly alone: boolean;
}

/** Numbers of all pairs; of one that cannot be compared, why. */
export interface Overview {
  /** 'Dice', 'F1' and the like. */
  readonly of: string;
  readonly names: readonly string[];
  readonly values: readonly (readonly (number | string | undefined)[])[];
}

interface Parts {
  readonly results: Pick<ResultsStore, 'all' | 'subscribe'>;
  readonly sets: ResultSets;
  readonly segmentations: Pick<SegmentationsInHand, 'setVisible' | 'hideNames' | 'list'>;
  readonly sideBySide?: SideBySide;
  /** Waited for before the numbers are made again, so that a slider's moves become one. */
  readonly settleMs?: number;
}

const SETTLE_MS = 200;
const WITHIN_PIXELS = 8;

/**
 * One comparison at a time, of two results of a kind on one study. It follows both: a moved threshold, a stroke of the
 * brush or a deleted marker is in it a moment later.
 */
export class Comparer {
  readonly state = new Observable<ComparisonState>({ phase: { kind: 'idle' }, view: 'difference', divider: 0.5, withinPixels: WITHIN_PIXELS, blinded: false, alone: false });
  readonly sets: ResultSets;
  readonly #parts: Parts;
  /** Sets of a blinded reading, by id: they are in no list. */
  #given: readonly ResultSet[] = [];
  #compared: { readonly a: unknown; readonly b: unknown } | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #hidden: readonly string[] = [];
  #turn = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.sets = parts.sets;
    parts.results.subscribe(() => this.#follow());
    parts.sets.copies.subscribe(() => this.#follow());
  }

  /** Chooses what is to be set against another; what was compared ends. */
  choose(first: string | undefined): void {
    this.end();
    this.state.set({ first });
  }

  /** Compares two sets by their ids; the state says what came out. */
  async compare(a: string, b: string): Promise<void> {
    this.#given = [];
    this.state.set({ first: a });
    await this.#start(a, b);
  }

  /** Compares two sets that are at hand, under names and in colours that say nothing; or shows one alone. */
  async compareBlinded(a: ResultSet, b: ResultSet | undefined): Promise<void> {
    this.#given = [{ ...plain(a), id: 'blinded a', name: b ? 'A' : 'The result' }, { ...plain(b ?? a), id: 'blinded b', name: 'B' }];
    const { view } = this.state.get();
    this.state.set({ alone: b === undefined, view: b === undefined || view === 'apart' ? 'wipe' : view });
    await this.#start('blinded a', 'blinded b');
  }

  async swap(): Promise<void> {
    const { asked } = this.state.get();
    if (!asked) return;
    this.state.set({ first: asked.b });
    await this.#start(asked.b, asked.a);
  }

  /**
   * Every set of the kind and study of one against every other, by one number each.
   * @returns undefined for fewer than three; of a pair that cannot be compared, why
   */
  overview(id: string, openStudies: ReadonlySet<string>): Overview | undefined {
    const all = this.sets.list(openStudies);
    const those = all.filter(one => one.id === id || this.sets.against(id, openStudies).some(other => other.id === one.id));
    if (those.length < 3) return undefined;
    const { withinPixels } = this.state.get();
    let of = '';
    const cell = (a: string, b: string): number | string | undefined => {
      try {
        const pair = this.#pair({ a, b });
        if (!pair) return undefined;
        const { name, value } = headline(pair.a, pair.b, withinPixels);
        of = name;
        return value;
      } catch (error) {
        return toOverreadError(error).message;
      }
    };
    const values = those.map((a, i) => those.map((b, j) => (j > i ? cell(a.id, b.id) : undefined)));
    return { of, names: those.map(({ name }) => name), values: values.map((row, i) => row.map((value, j) => (j > i ? value : values[j]![i]))) };
  }

  setView(view: ComparisonView): void {
    this.state.set({ view });
    this.#arrange();
  }

  setDivider(divider: number): void {
    this.state.set({ divider: Math.min(1, Math.max(0, divider)) });
  }

  setWithin(withinPixels: number): void {
    if (!(withinPixels > 0)) return;
    this.state.set({ withinPixels });
    this.#again();
  }

  /** Takes everything off the image but a reading's own results, and the names off the viewer's masks; or gives them back. */
  setBlinded(blinded: boolean): void {
    if (this.state.get().blinded === blinded) return;
    this.state.set({ blinded });
    this.#parts.segmentations.hideNames(blinded);
    this.#arrange();
  }

  /** A segmentation of the viewer has changed. */
  changed(segmentationId: string): void {
    const { asked } = this.state.get();
    if (asked && [asked.a, asked.b].some(id => this.sets.segmentationId(id) === segmentationId)) this.#again();
  }

  /** The viewer has another segmentation: it is hidden, too, while a reading is on. */
  segmentationAdded(): void {
    if (!this.state.get().blinded) return;
    this.#parts.segmentations.hideNames(true);
    this.#arrange();
  }

  /** The user left two viewports side by side by other ways. */
  layoutChanged(): void {
    if (this.state.get().view === 'side-by-side' && this.#parts.sideBySide?.left()) this.setView('wipe');
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#turn++;
    this.#compared = undefined;
    this.#given = [];
    this.state.set({ asked: undefined, phase: { kind: 'idle' }, alone: false });
    this.#arrange();
  }

  /** Results as they are to be drawn: the difference in place of what it compares, or nothing where both are drawn apart. */
  present(results: readonly KeptResult[]): readonly KeptResult[] {
    const { phase, view, blinded } = this.state.get();
    const difference = phase.kind === 'shown' && view === 'difference' ? phase.shown.difference : undefined;
    const also = difference ? [difference] : [];
    if (blinded) return also;
    if (phase.kind !== 'shown' || view === 'apart' || phase.pair.kind === 'scores') return results;
    const { a: { kept: { studyInstanceUID, result: { kind } } } } = phase;
    const gives = (kept: KeptResult) => kept.studyInstanceUID === studyInstanceUID && kept.result.kind === kind;
    return [...results.map(kept => (gives(kept) ? { ...kept, visible: false } : kept)), ...also];
  }

  /** The two that are drawn apart: A left of the divider or in the left viewport, B right. */
  apart(): { readonly a: KeptResult; readonly b: KeptResult } | undefined {
    const { phase, view } = this.state.get();
    return phase.kind === 'shown' && phase.pair.kind !== 'scores' && (view === 'wipe' || view === 'side-by-side') ? phase.shown : undefined;
  }

  async #start(a: string, b: string): Promise<void> {
    this.#compared = undefined;
    this.state.set({ asked: { a, b }, phase: { kind: 'running' } });
    await this.#run();
  }

  #again(): void {
    this.#compared = undefined;
    this.#follow();
  }

  async #run(): Promise<void> {
    const { asked, withinPixels } = this.state.get();
    if (!asked) return;
    const turn = ++this.#turn;
    // The panel says that it works before it works.
    await breathe();
    if (turn !== this.#turn) return;
    try {
      const found = this.#pair(asked);
      if (!found) return this.end();
      const { a, b } = found;
      this.#compared = { a: a.kept.result, b: b.kept.result };
      const pair = compareSets(a, b, withinPixels);
      this.state.set({ phase: { kind: 'shown', pair, a, b, shown: shownOf(pair, a, b) } });
    } catch (error) {
      this.state.set({ phase: { kind: 'error', error: toOverreadError(error) } });
    }
    this.#arrange();
  }

  /** Both sets; a mask of the viewer is read on the grid of what it is set against. */
  #pair({ a, b }: { readonly a: string; readonly b: string }): { readonly a: ResultSet; readonly b: ResultSet } | undefined {
    const get = (id: string, on?: ResultSet) => this.#given.find(set => set.id === id) ?? this.sets.get(id, on?.kept.result);
    if (this.sets.segmentationId(a) === undefined) {
      const first = get(a);
      const second = first && get(b, first);
      return second && { a: first, b: second };
    }
    const second = get(b);
    const first = second && get(a, second);
    return first && { a: first, b: second };
  }

  #follow(): void {
    const { asked } = this.state.get();
    if (!asked) return;
    const result = (id: string) => {
      const given = this.#given.find(set => set.id === id);
      if (given) return given.kept.result;
      return this.sets.segmentationId(id) === undefined ? this.sets.get(id)?.kept.result : null;
    };
    const [a, b] = [result(asked.a), result(asked.b)];
    if (a === undefined || b === undefined) return this.end();
    const same = (now: unknown, then: unknown) => now === null || now === then;
    if (this.#compared && same(a, this.#compared.a) && same(b, this.#compared.b)) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#run(), this.#parts.settleMs ?? SETTLE_MS);
  }

  /** The viewer's own masks give way to the comparison, and come back after it; two viewports are opened or closed. */
  #arrange(): void {
    const { asked, phase, view, blinded } = this.state.get();
    const { segmentations, sideBySide } = this.#parts;
    const compared = phase.kind === 'shown' && view !== 'apart' && asked ? [asked.a, asked.b].flatMap(id => this.sets.segmentationId(id) ?? []) : [];
    const hide = blinded ? segmentations.list().map(({ id }) => id) : compared;
    for (const id of this.#hidden) if (!hide.includes(id)) segmentations.setVisible(id, true);
    for (const id of hide) segmentations.setVisible(id, false);
    this.#hidden = hide;
    if (phase.kind === 'shown' && view === 'side-by-side' && phase.pair.kind !== 'scores') sideBySide?.open(phase.shown.a);
    else if (phase.kind !== 'running') sideBySide?.close();
  }
}

/** Without a model's own colours. */
function plain(set: ResultSet): ResultSet {
  const { kept, kept: { result } } = set;
  const colourless = ({ color: _, ...target }: Target): Target => target;
  if (result.kind === 'labelmap') return { ...set, kept: { ...kept, result: { ...result, segments: result.segments.map(of => ({ ...of, target: colourless(of.target) })) } } };
  if (result.kind === 'points') return { ...set, kept: { ...kept, result: { ...result, classes: result.classes.map(of => ({ ...of, target: colourless(of.target) })) } } };
  return set;
}

function shownOf(pair: Pair, a: ResultSet, b: ResultSet): ShownSets {
  const { studyInstanceUID, seriesInstanceUID } = a.kept;
  const on = { studyInstanceUID, seriesInstanceUID, visible: true };
  return {
    a: { ...on, key: `compared ${a.id}`, result: pair.a },
    b: { ...on, key: `compared ${b.id}`, result: pair.b },
    ...(pair.kind !== 'scores' && { difference: { ...on, key: `difference ${a.id} ${b.id}`, result: pair.difference } }),
  };
}
