import { toOverreadError, type OverreadError } from '../src/errors.ts';
import type { LabelmapResult } from '../src/results/result.ts';
import { breathe } from '../src/breathe.ts';
import { compareMasks, maskOf, maskOnGrid, type Mask, type MaskComparison } from './compare-masks.ts';
import { differenceResult } from './overlays/difference.ts';
import type { KeptResult, ResultsStore } from './results-store.ts';
import { Observable } from './state.ts';

/** Something that a mask can be compared with. */
export interface Candidate {
  readonly id: string;
  readonly name: string;
}

export type ComparisonPhase =
  | { readonly kind: 'idle' }
  | { readonly kind: 'running' }
  | { readonly kind: 'shown'; readonly numbers: MaskComparison; readonly difference: KeptResult & { readonly result: LabelmapResult }; readonly names: { readonly a: string; readonly b: string } }
  | { readonly kind: 'error'; readonly error: OverreadError };

export interface ComparisonState {
  /** The result's key, and the id of the candidate that it is compared with. */
  readonly asked?: { readonly key: string; readonly with: string };
  readonly phase: ComparisonPhase;
  /** Whether the difference is on the image, in place of the two masks. */
  readonly onImage: boolean;
}

/** What a comparison asks of the viewer: masks that are no results of ours. */
export interface SegmentationsInHand {
  /** Labelmaps of the viewer that were not made here. */
  list(): readonly Candidate[];
  /** @throws OverreadError `input/inconsistent` when it does not lie on the result's images */
  mask(segmentationId: string, on: KeptResult & { readonly result: LabelmapResult }): Mask;
  setVisible(segmentationId: string, visible: boolean): void;
}

interface Parts {
  readonly results: Pick<ResultsStore, 'all' | 'get' | 'subscribe'>;
  readonly segmentations: SegmentationsInHand;
  /** Waited for before the numbers are made again, so that a slider's moves become one. */
  readonly settleMs?: number;
}

const SETTLE_MS = 200;

/**
 * One comparison at a time: a result's mask with another result's, or with one that the user loaded or drew. It follows
 * both: a moved threshold or a stroke of the brush is in it a moment later.
 */
export class Comparer {
  readonly state = new Observable<ComparisonState>({ phase: { kind: 'idle' }, onImage: true });
  readonly #parts: Parts;
  #compared: { readonly a: unknown; readonly b: unknown } | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #hidden: string | undefined;
  #turn = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
    parts.results.subscribe(() => this.#follow());
  }

  /** What a result can be compared with: other masks of its study, and labelmaps of the viewer. */
  candidates(key: string): readonly Candidate[] {
    const { results, segmentations } = this.#parts;
    const own = results.get(key);
    const others = results.all().filter(other => other.key !== key && other.studyInstanceUID === own?.studyInstanceUID && other.result.kind === 'labelmap');
    return [...others.map(other => ({ id: `result ${other.key}`, name: this.#nameOf(other) })), ...segmentations.list().map(({ id, name }) => ({ id: `segmentation ${id}`, name }))];
  }

  /** Compares; the state says what came out. */
  async compare(key: string, candidateId: string): Promise<void> {
    this.#restore();
    this.#compared = undefined;
    this.state.set({ asked: { key, with: candidateId }, phase: { kind: 'running' }, onImage: true });
    await this.#run();
  }

  /** Shows the difference on the image, or the two masks again. */
  setOnImage(onImage: boolean): void {
    this.state.set({ onImage });
    this.#hideOther();
  }

  /** A segmentation of the viewer has changed. */
  changed(segmentationId: string): void {
    if (this.state.get().asked?.with !== `segmentation ${segmentationId}`) return;
    this.#compared = undefined;
    this.#follow();
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#turn++;
    this.#restore();
    this.#compared = undefined;
    this.state.set({ asked: undefined, phase: { kind: 'idle' } });
  }

  /** Results as they are to be drawn: the difference in place of what it compares. */
  present(results: readonly KeptResult[]): readonly KeptResult[] {
    const { asked, phase, onImage } = this.state.get();
    if (!asked || phase.kind !== 'shown' || !onImage) return results;
    const hidden = (key: string) => key === asked.key || `result ${key}` === asked.with;
    return [...results.map(kept => (hidden(kept.key) ? { ...kept, visible: false } : kept)), phase.difference];
  }

  async #run(): Promise<void> {
    const { asked } = this.state.get();
    if (!asked) return;
    const turn = ++this.#turn;
    // The panel says that it works before it works.
    await breathe();
    if (turn !== this.#turn) return;
    try {
      const kept = this.#parts.results.get(asked.key);
      if (kept?.result.kind !== 'labelmap') return this.end();
      const a = kept as KeptResult & { readonly result: LabelmapResult };
      const { mask, of } = this.#other(asked.with, a);
      this.#compared = { a: a.result, b: of };
      const first = maskOf(a.result, this.#nameOf(a));
      const names = { a: first.name, b: mask.name };
      const numbers = compareMasks(first, mask, a.result.source);
      const difference = { ...a, key: `difference ${asked.key} ${asked.with}`, result: differenceResult(a.result, names, { a: first.labels, b: mask.labels }), visible: true };
      this.state.set({ phase: { kind: 'shown', numbers, difference, names } });
      this.#hideOther();
    } catch (error) {
      this.state.set({ phase: { kind: 'error', error: toOverreadError(error) } });
    }
  }

  /** The other mask, and what it was taken from. */
  #other(id: string, a: KeptResult & { readonly result: LabelmapResult }): { mask: Mask; of: unknown } {
    const key = id.startsWith('result ') ? id.slice('result '.length) : undefined;
    if (key === undefined) return { mask: this.#parts.segmentations.mask(id.slice('segmentation '.length), a), of: undefined };
    const other = this.#parts.results.get(key);
    if (other?.result.kind !== 'labelmap') throw new Error('its result is gone');
    return { mask: maskOnGrid(other.result, this.#nameOf(other), a.result, this.#nameOf(a)), of: other.result };
  }

  #follow(): void {
    const { asked } = this.state.get();
    if (!asked) return;
    const b = asked.with.startsWith('result ') ? this.#parts.results.get(asked.with.slice('result '.length)) : undefined;
    if (!this.#parts.results.get(asked.key) || (asked.with.startsWith('result ') && !b)) return this.end();
    if (this.#compared && this.#compared.a === this.#parts.results.get(asked.key)!.result && this.#compared.b === b?.result) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#run(), this.#parts.settleMs ?? SETTLE_MS);
  }

  /** A segmentation of the viewer gives way to the difference, and comes back after it. */
  #hideOther(): void {
    const { asked, phase, onImage } = this.state.get();
    const other = asked?.with.startsWith('segmentation ') && phase.kind === 'shown' && onImage ? asked.with.slice('segmentation '.length) : undefined;
    if (other === this.#hidden) return;
    this.#restore();
    if (other !== undefined) this.#parts.segmentations.setVisible(other, false);
    this.#hidden = other;
  }

  #restore(): void {
    if (this.#hidden !== undefined) this.#parts.segmentations.setVisible(this.#hidden, true);
    this.#hidden = undefined;
  }

  /** The model; with its version, or its image, where the name alone would not tell two results of a study apart. */
  #nameOf(kept: KeptResult): string {
    const { model, source: { attributes, modality } } = kept.result;
    const same = this.#parts.results.all().filter(other => other !== kept && other.studyInstanceUID === kept.studyInstanceUID && other.result.kind === 'labelmap' && other.result.model.name === model.name);
    if (same.length === 0) return model.name;
    const versions = same.some(({ result }) => result.model.version === model.version) ? [attributes.viewPosition ?? attributes.seriesDescription ?? modality] : [];
    return [model.name, model.version, ...versions].join(' ');
  }
}
