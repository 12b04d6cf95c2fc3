import { editedLabelmap } from '../src/results/edit.ts';
import type { LabelmapResult } from '../src/results/result.ts';
import { rethreshold, thresholdsOf } from '../src/results/rethreshold.ts';
import type { KeptResult, ResultsStore } from './results-store.ts';

/** A mask as the viewer holds it, where it differs from what was drawn. */
export interface DrawnMask {
  readonly key: string;
  /** What was drawn. */
  readonly result: LabelmapResult;
  /** What is there now, of the result's size. */
  readonly labels: Uint8Array;
  /** What the viewer calls a segment number. */
  nameOf(segmentNumber: number): string | undefined;
  /** Says that it was taken over, so that what is drawn next is compared with it. */
  taken(): void;
}

interface Parts {
  readonly results: Pick<ResultsStore, 'get' | 'replaceMask'>;
  /** Masks of the viewer that differ from what was drawn there. */
  readonly changed: () => readonly DrawnMask[];
}

/**
 * What a reader does with a model's mask: moves its thresholds, or edits it by hand with the viewer's own tools. An edit
 * is never thrown away by the way: while there is one, thresholds stand still until it is given up by name.
 */
export class MaskEdits {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Takes over what was drawn by hand since the last time; a mask that was undone to what the model gave is unedited again. */
  read(at = new Date().toISOString()): void {
    const { results, changed } = this.#parts;
    for (const { key, result, labels, nameOf, taken } of changed()) {
      const kept = results.get(key);
      // Another mask is about to be drawn there: what the viewer holds is of before.
      if (kept?.result !== result) continue;
      taken();
      const unedited = uneditedOf(kept) ?? result;
      if (same(labels, unedited.labels)) results.replaceMask(key, unedited);
      else results.replaceMask(key, editedLabelmap(unedited, labels, nameOf, at), unedited);
    }
  }

  /**
   * Moves the threshold of one segment.
   * @returns false when nothing moved: the mask was edited by hand, or keeps no probabilities
   */
  setThreshold(key: string, segmentNumber: number, threshold: number): boolean {
    this.read();
    const mask = maskOf(this.#parts.results.get(key));
    if (!mask || mask.editedAt !== undefined) return false;
    const thresholds = thresholdsOf(mask);
    if (!thresholds || segmentNumber < 1 || segmentNumber > thresholds.length) return false;
    const moved = rethreshold(mask, thresholds.map((before, i) => (i === segmentNumber - 1 ? threshold : before)));
    this.#parts.results.replaceMask(key, moved);
    return true;
  }

  /** All thresholds back to the model's operating points; an edited mask stays as it is. */
  resetThresholds(key: string): boolean {
    this.read();
    const mask = maskOf(this.#parts.results.get(key));
    if (!mask?.probabilities || mask.editedAt !== undefined) return false;
    this.#parts.results.replaceMask(key, rethreshold(mask, mask.probabilities.operatingPoints));
    return true;
  }

  /** Gives up what was edited by hand. */
  discard(key: string): void {
    this.read();
    const unedited = uneditedOf(this.#parts.results.get(key));
    if (unedited) this.#parts.results.replaceMask(key, unedited);
  }
}

function maskOf(kept: KeptResult | undefined): LabelmapResult | undefined {
  return kept?.result.kind === 'labelmap' ? kept.result : undefined;
}

function uneditedOf(kept: KeptResult | undefined): LabelmapResult | undefined {
  return kept?.unedited?.kind === 'labelmap' ? kept.unedited : undefined;
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
