import { OverreadError } from '../src/errors.ts';
import { isInstanceReference } from '../src/image/image.ts';
import type { PointsResult } from '../src/results/points.ts';
import type { LabelmapResult, Result } from '../src/results/result.ts';
import { frameKey, picturesOf, sourcesOf } from './identity.ts';

/** A result and what the user did with it. */
export interface KeptResult {
  /** Unique among the kept results: the same model, version and frames replace each other, of heat maps also the same score and method. */
  readonly key: string;
  readonly studyInstanceUID: string;
  /** Of the first picture. */
  readonly seriesInstanceUID: string;
  readonly result: Result;
  readonly visible: boolean;
  /** Of a mask or a count that a reader edited by hand: as it was before. */
  readonly unedited?: LabelmapResult | PointsResult;
}

/**
 * Results of this page's lifetime, in memory, by study. Leaving an image does not drop its result; coming back finds it.
 * A result answers only for the frames that it was computed from.
 */
export class ResultsStore {
  readonly #byKey = new Map<string, KeptResult>();
  readonly #listeners = new Set<() => void>();
  #snapshot: readonly KeptResult[] = [];

  /**
   * Keeps a result, in place of an earlier one of the same model and version on the same frames. It becomes visible.
   * @throws OverreadError `input/inconsistent` when the frames are of no study or of several, or a picture's of several series
   */
  keep(result: Result): KeptResult {
    const sources = sourcesOf(result);
    const [first] = sources;
    const studies = new Set(sources.map(source => source.studyInstanceUID));
    const whole = picturesOf(result).every(({ sources: frames }) => {
      const series = frames.map(frame => (isInstanceReference(frame) ? frame.seriesInstanceUID : undefined));
      return series.every(uid => uid !== undefined && uid === series[0]);
    });
    if (!first || studies.size > 1 || !whole) {
      throw new OverreadError(
        'input/inconsistent',
        `Expected a result on pictures of one study, each of one series, got one on ${studies.size} studies and ${new Set(sources.map(s => s.seriesInstanceUID)).size} series. It is not kept: run the model again.`,
        { expected: 'one study', got: sources },
      );
    }
    const kept: KeptResult = {
      key: keyOf(result),
      studyInstanceUID: first.studyInstanceUID,
      seriesInstanceUID: first.seriesInstanceUID,
      result,
      visible: true,
    };
    this.#byKey.delete(kept.key); // so that the newest is last
    this.#byKey.set(kept.key, kept);
    this.#changed();
    return kept;
  }

  /** All results, oldest first. The same array until something changes. */
  all(): readonly KeptResult[] {
    return this.#snapshot;
  }

  ofStudies(studyInstanceUIDs: ReadonlySet<string>): readonly KeptResult[] {
    return this.#snapshot.filter(kept => studyInstanceUIDs.has(kept.studyInstanceUID));
  }

  /** Whether there is a result of the same model on the same frames. */
  has(result: Result): boolean {
    return this.#byKey.has(keyOf(result));
  }

  get(key: string): KeptResult | undefined {
    return this.#byKey.get(key);
  }

  /**
   * Puts another state of a mask in its place: a moved threshold, an edit, or, without `unedited`, the mask before it.
   * Nothing happens when there is no mask of that key.
   */
  replaceMask(key: string, result: LabelmapResult, unedited?: LabelmapResult): void {
    this.#replace(key, result, unedited);
  }

  /** As {@link replaceMask}, of a count: its markers after an edit, or, without `unedited`, as the model gave them. */
  replacePoints(key: string, result: PointsResult, unedited?: PointsResult): void {
    this.#replace(key, result, unedited);
  }

  #replace<R extends LabelmapResult | PointsResult>(key: string, result: R, unedited: R | undefined): void {
    const kept = this.#byKey.get(key);
    if (kept?.result.kind !== result.kind) return;
    const { unedited: _, ...rest } = kept;
    this.#byKey.set(key, { ...rest, result, ...(unedited && { unedited }) });
    this.#changed();
  }

  setVisible(key: string, visible: boolean): void {
    const kept = this.#byKey.get(key);
    if (!kept || kept.visible === visible) return;
    this.#byKey.set(key, { ...kept, visible });
    this.#changed();
  }

  remove(key: string): void {
    if (this.#byKey.delete(key)) this.#changed();
  }

  /** @returns what ends the subscription */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #changed(): void {
    this.#snapshot = [...this.#byKey.values()];
    for (const listener of this.#listeners) listener();
  }
}

function keyOf(result: Result): string {
  const { id, version, sha256 } = result.model;
  // A score has a map of its own by each method.
  const of = result.kind === 'heatmap' ? `:${result.saliency?.method ?? ''}:${result.target.label}` : '';
  return `${id}@${version}:${sha256}:${result.kind}${of}:${sourcesOf(result).map(frameKey).join(',')}`;
}
