import { isDots } from '../../src/results/dots.ts';
import type { LabelmapResult, Result } from '../../src/results/result.ts';
import { thresholdsOf } from '../../src/results/rethreshold.ts';
import { methodName } from '../panels/saliency.ts';
import type { KeptResult, ResultsStore } from '../results-store.ts';
import { Observable } from '../state.ts';

/** Something that can be set against another of its kind. */
export interface ResultSet {
  readonly id: string;
  readonly name: string;
  readonly kept: KeptResult;
  /** Drawn by hand, or loaded without codes: its segments may have no name to go by. */
  readonly drawn?: boolean;
}

/** One that can be chosen; a mask of the viewer is only read when it is. */
export interface Candidate {
  readonly id: string;
  readonly name: string;
  readonly studyInstanceUID: string;
  readonly kind: Result['kind'];
  /** A copy that the reader keeps for comparing, and can take away again. */
  readonly copy?: boolean;
}

/** Masks of the viewer that are no results of ours. */
export interface SegmentationsInHand {
  list(): readonly { readonly id: string; readonly name: string; readonly studyInstanceUID: string }[];
  /**
   * As a result, on the grid of `on` where it lies on all of its images, else on its own.
   * @throws OverreadError `input/inconsistent` when its images are not open or make no grid
   */
  read(segmentationId: string, on?: Result): KeptResult & { readonly result: LabelmapResult };
  setVisible(segmentationId: string, visible: boolean): void;
  /** Takes the names of all away until they are given back. */
  hideNames(hidden: boolean): void;
}

interface Parts {
  readonly results: Pick<ResultsStore, 'all' | 'get'>;
  readonly segmentations: SegmentationsInHand;
}

const SEGMENTATION = 'segmentation ', RESULT = 'result ', UNEDITED = 'unedited ';

/** What can be compared: results, each as its model gave it too where a reader edited it, copies of either, and masks of the viewer. */
export class ResultSets {
  /** Copies, oldest first. */
  readonly copies = new Observable<{ readonly all: readonly ResultSet[] }>({ all: [] });
  readonly #parts: Parts;
  #made = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  list(openStudies: ReadonlySet<string>): readonly Candidate[] {
    const { results, segmentations } = this.#parts;
    // A slide is drawn by ways of its own.
    const ofResults = results.all().filter(({ result }) => result.source.modality !== 'SM').flatMap((kept): Candidate[] => {
      const { key, studyInstanceUID, result: { kind }, unedited } = kept;
      const about = { studyInstanceUID, kind };
      return [{ ...about, id: `${RESULT}${key}`, name: this.#nameOf(kept) }, ...(unedited ? [{ ...about, id: `${UNEDITED}${key}`, name: `${this.#nameOf({ ...kept, result: unedited })}, before it was edited` }] : [])];
    });
    const ofViewer = segmentations.list().map(({ id, name, studyInstanceUID }): Candidate => ({ id: `${SEGMENTATION}${id}`, name, studyInstanceUID, kind: 'labelmap' }));
    const copies = this.copies.get().all.map(({ id, name, kept }): Candidate => ({ id, name, studyInstanceUID: kept.studyInstanceUID, kind: kept.result.kind, copy: true }));
    return [...ofResults, ...copies, ...ofViewer].filter(({ studyInstanceUID }) => openStudies.has(studyInstanceUID));
  }

  /** What one can be set against: all others of its study and kind. */
  against(id: string, openStudies: ReadonlySet<string>): readonly Candidate[] {
    const all = this.list(openStudies);
    const own = all.find(candidate => candidate.id === id);
    return all.filter(other => own && other.id !== id && other.studyInstanceUID === own.studyInstanceUID && other.kind === own.kind);
  }

  /**
   * @param on of a mask of the viewer: the result that it is to be set against
   * @throws OverreadError of the viewer's masks
   */
  get(id: string, on?: Result): ResultSet | undefined {
    const { results, segmentations } = this.#parts;
    if (id.startsWith(SEGMENTATION)) {
      const segmentationId = id.slice(SEGMENTATION.length);
      const listed = segmentations.list().find(one => one.id === segmentationId);
      return listed && { id, name: listed.name, kept: segmentations.read(segmentationId, on), drawn: true };
    }
    const kept = results.get(id.slice(id.indexOf(' ') + 1));
    if (kept && id.startsWith(RESULT)) return { id, name: this.#nameOf(kept), kept, ...(kept.result.kind === 'points' && isDots(kept.result) && { drawn: true }) };
    if (kept?.unedited && id.startsWith(UNEDITED)) return { id, name: `${this.#nameOf({ ...kept, result: kept.unedited })}, before it was edited`, kept: { ...kept, key: id, result: kept.unedited } };
    return this.copies.get().all.find(copy => copy.id === id);
  }

  /** Keeps one as it is now, so that a moved threshold can be set against it. */
  copy(id: string): ResultSet | undefined {
    const set = this.get(id);
    return set && this.add(set);
  }

  /** Keeps a copy of what is handed over, under a name that says what it is. */
  add(set: ResultSet): ResultSet {
    const n = ++this.#made;
    const name = this.segmentationId(set.id) === undefined ? this.#nameOf(set.kept) : set.name;
    const made: ResultSet = { ...set, id: `copy ${n}`, name: `${name} (copy ${n})`, kept: { ...set.kept, key: `copy ${n}` } };
    this.copies.set({ all: [...this.copies.get().all, made] });
    return made;
  }

  removeCopy(id: string): void {
    this.copies.set({ all: this.copies.get().all.filter(copy => copy.id !== id) });
  }

  /** The viewer's mask that an id stands for. */
  segmentationId(id: string): string | undefined {
    return id.startsWith(SEGMENTATION) ? id.slice(SEGMENTATION.length) : undefined;
  }

  /** The model, and what else tells its result from the others of its study: version, image, a moved threshold, an edit. */
  #nameOf(kept: KeptResult): string {
    const { model, source: { attributes, modality }, kind } = kept.result;
    const same = this.#parts.results.all().filter(other => other.key !== kept.key && other.studyInstanceUID === kept.studyInstanceUID && other.result.kind === kind && other.result.model.name === model.name);
    const version = same.length > 0 ? [model.version] : [];
    const image = same.some(({ result }) => result.model.version === model.version) ? [attributes.viewPosition ?? attributes.seriesDescription ?? modality] : [];
    const target = kept.result.kind === 'heatmap' ? [`of ${kept.result.target.label}`, ...(kept.result.saliency ? [`by ${methodName(kept.result.saliency.method)}`] : [])] : [];
    return [[model.name, ...version, ...image, ...target].join(' '), ...movedThreshold(kept.result), ...(wasEdited(kept.result) ? ['edited'] : [])].join(', ');
  }
}

export function wasEdited(result: Result): boolean {
  if (result.kind === 'points') return result.editedAt !== undefined && !isDots(result);
  return result.kind === 'labelmap' && result.editedAt !== undefined;
}

/** 'at 90 %', where it is not the model's own. */
export function movedThreshold(result: Result): readonly string[] {
  if (result.kind !== 'labelmap' || !result.probabilities) return [];
  const { operatingPoints } = result.probabilities;
  const now = thresholdsOf(result);
  if (!now || now.every((threshold, i) => threshold === operatingPoints[i])) return [];
  return [`at ${now.map(threshold => `${Number((100 * threshold).toFixed(1))} %`).join(' / ')}`];
}
