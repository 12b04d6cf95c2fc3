import type { AuditedEvent } from '../../src/audit/record.ts';
import type { DicomJson } from '../../src/dicom/dicomjson.ts';
import { OverreadError, toOverreadError } from '../../src/errors.ts';
import type { ExportContext, Verdict } from '../../src/export/derived.ts';
import type { DicomObject } from '../../src/export/part10.ts';
import type { Naturalized, SourceInstance } from '../../src/export/source.ts';
import { isInstanceReference, type Image } from '../../src/image/image.ts';
import type { HeatmapResult, Result } from '../../src/results/result.ts';
import { auditedModel, auditedResult, auditedSources } from '../audit/audit.ts';
import type { StoreSettings } from '../configuration.ts';
import type { KeptResult, ResultsStore } from '../results-store.ts';
import { Observable } from '../state.ts';
import type { KeptSlide, SlideResults } from '../slides/slide-results.ts';
import { storedSlide } from '../slides/stored.ts';
import type { DicomInstance } from '../types/ohif.ts';
import { withoutPatient, type Draft, type Drafts } from './drafts.ts';
import type { InstanceUIDs, Pacs } from './pacs.ts';
import { SlideKeeping, type SlideDrafts } from './slide-drafts.ts';

/** How far a result is on its way to the PACS. */
export type StoreStatus =
  | { readonly kind: 'storing' }
  /** Read back, and found to be what was sent. */
  | { readonly kind: 'stored'; readonly instances: readonly string[] }
  | { readonly kind: 'failed'; readonly message: string };

export interface StorerState {
  /** By the result's key; one that is not here was not stored. */
  readonly statuses: ReadonlyMap<string, StoreStatus>;
  readonly verdicts: ReadonlyMap<string, Verdict>;
  /** Of objects that could not be read back; nothing is wrong with the study. */
  readonly note?: string;
  /** Why a mask of a slide does not survive a reload. */
  readonly slideNote?: string;
}

/** What is asked of the viewer. */
export interface StorerViewer {
  /** Attributes of every image of a study, as the viewer has them. */
  instancesOf(studyInstanceUID: string): readonly object[];
  /** The pixels that a heat map lies on, where it is written over them. */
  imageOf(result: HeatmapResult): Promise<Image>;
  algorithmOf(modelId: string): ExportContext['algorithm'];
  /** DICOM person name of who is signed in. */
  user(): string | undefined;
}

type Writers = typeof import('./writers.ts');

export interface StorerParts {
  readonly results: ResultsStore;
  readonly viewer: StorerViewer;
  readonly pacs: Pacs;
  readonly drafts: Drafts;
  readonly writers: () => Promise<Writers>;
  readonly settings: StoreSettings;
  /** Masks of slides, which are kept apart. */
  readonly slides?: Pick<SlideResults, 'all' | 'get' | 'keep'>;
  readonly slideDrafts?: SlideDrafts;
  /** Hears of every store and every verdict. */
  readonly audit?: (event: AuditedEvent) => void;
}

/**
 * Stores results and brings stored ones back. A result has the same objects and UIDs at every attempt until all of them
 * were read back, also over a reload of the page; a changed result, or another verdict, is another set of objects.
 */
export class Storer {
  readonly state = new Observable<StorerState>({ statuses: new Map(), verdicts: new Map() });
  readonly #parts: StorerParts;
  readonly #drafts = new Map<string, Draft>();
  /** Results that came from the PACS, or are in it: no drafts. */
  readonly #stored = new WeakSet<object>();
  /** Studies whose drafts were looked for; what this page drops later stays dropped. */
  readonly #restored = new Set<string>();
  /** Objects that were read, and studies at the number of images that they had then. */
  readonly #loaded = new Set<string>();
  #loading: Promise<void> = Promise.resolve();
  readonly #slides: SlideKeeping | undefined;

  constructor(parts: StorerParts) {
    this.#parts = parts;
    const { slides, slideDrafts } = parts;
    this.#slides = slides && slideDrafts && new SlideKeeping({ slides, drafts: slideDrafts, problem: slideNote => this.state.set({ slideNote }) });
  }

  /** Keeps what is not stored over a reload. To be called whenever results change. */
  readonly onResults = (): void => {
    const { results, drafts } = this.#parts;
    const there = new Map(results.all().map(kept => [kept.key, kept]));
    for (const [key, kept] of there) {
      const draft = this.#drafts.get(key);
      if (this.#stored.has(kept.result) || draft?.result === kept.result) continue;
      // Changed since: what was sent of it is another state of it.
      this.#status(key, undefined);
      this.#put({ key, studyInstanceUID: kept.studyInstanceUID, result: kept.result, ...this.#verdictOf(key) });
    }
    for (const key of this.#drafts.keys()) {
      if (there.has(key)) continue;
      this.#drafts.delete(key);
      void drafts.remove(key).catch(() => undefined);
    }
  };

  /** Studies are open: their results that were not stored come back, and those that are in the PACS. */
  async open(studies: ReadonlySet<string>): Promise<void> {
    try {
      await this.restore(studies);
      await this.load(studies);
    } catch (error) {
      this.state.set({ note: toOverreadError(error).message });
    }
  }

  /** Results that were not stored when the page was left, of these studies. */
  async restore(studies: ReadonlySet<string>): Promise<void> {
    const { results, drafts } = this.#parts;
    const fresh = new Set([...studies].filter(study => !this.#restored.has(study)));
    if (fresh.size === 0) return;
    for (const study of fresh) this.#restored.add(study);
    await this.#slides?.restore(fresh);
    for (const kept of await drafts.all().catch(() => [])) {
      if (!fresh.has(kept.studyInstanceUID) || results.get(kept.key)) continue;
      const draft = { ...kept, result: described(kept.result, this.#parts.viewer.instancesOf(kept.studyInstanceUID)) };
      this.#drafts.set(draft.key, draft);
      if (draft.verdict) this.#verdict(draft.key, draft.verdict);
      results.keep(draft.result);
    }
  }

  /** The reader's word on a result; another than before makes it one that is not stored. */
  judge(key: string, decision: Verdict['decision'] | undefined, reason?: string): void {
    const kept = this.#parts.results.get(key);
    if (!kept || this.state.get().statuses.get(key)?.kind === 'storing') return;
    this.#verdict(key, decision && { decision, ...(reason && { reason }), decidedAt: new Date().toISOString() });
    this.#parts.audit?.({ action: 'verdict', outcome: 'success', ...auditedResult(kept.result), details: { decision: decision ?? 'withdrawn' } });
    this.#status(key, undefined);
    this.#stored.delete(kept.result);
    this.#put({ key, studyInstanceUID: kept.studyInstanceUID, result: kept.result, ...this.#verdictOf(key) });
  }

  /** Whether this site stores results of this kind. */
  canStore({ kind }: Result): boolean {
    return this.#parts.settings.results.includes(kind);
  }

  /** @returns whether all of it is in the PACS and was read back */
  async store(key: string): Promise<boolean> {
    const kept = this.#parts.results.get(key);
    const status = this.state.get().statuses.get(key)?.kind;
    if (!kept || !this.canStore(kept.result) || status === 'storing' || status === 'stored') return status === 'stored';
    this.#status(key, { kind: 'storing' });
    try {
      const instances = await this.#send(kept);
      this.#stored.add(kept.result);
      this.#drafts.delete(key);
      await this.#parts.drafts.remove(key).catch(() => undefined);
      this.#status(key, { kind: 'stored', instances });
      this.#parts.audit?.({ action: 'store', outcome: 'success', ...auditedResult(kept.result), stored: instances });
      return true;
    } catch (error) {
      const { code, message } = toOverreadError(error);
      this.#status(key, { kind: 'failed', message });
      this.#parts.audit?.({ action: 'store', outcome: 'failure', error: code, ...auditedResult(kept.result), stored: this.#drafts.get(key)?.stored ?? [] });
      return false;
    }
  }

  /** Whether a mask of a slide can be stored: whole, and what could not be read is not passed over. */
  canStoreSlide({ status, mask, stored }: KeptSlide): boolean {
    return !stored && status === 'done' && mask.unread.size === 0 && this.#parts.settings.results.includes('labelmap');
  }

  /** As {@link store}, of a mask of a slide. */
  async storeSlide(key: string): Promise<boolean> {
    const slide = this.#parts.slides?.get(key);
    const status = this.state.get().statuses.get(key)?.kind;
    if (!slide || !this.canStoreSlide(slide) || status === 'storing' || status === 'stored') return status === 'stored';
    this.#status(key, { kind: 'storing' });
    const event = { action: 'store', model: auditedModel(slide.model), ...auditedSources(slide.source.sources) } as const;
    try {
      const { sourcesOf, anonymousSlide, fileOf } = await this.#parts.writers();
      const sources = sourcesOf(this.#parts.viewer.instancesOf(slide.studyInstanceUID));
      if (!sources[0]) throw new OverreadError('input/inconsistent', 'The slide of this mask is not open in the viewer. Open the study, and store again.', { expected: slide.studyInstanceUID });
      const { source, model, device, createdAt, targets, mask } = slide;
      const before = this.#slides?.objectOf(key);
      const object = before ?? anonymousSlide(
        { source, model, device, createdAt, targets, labelsIn: region => mask.labelsIn(region), glassTiles: mask.glass?.indices.length ?? 0 }, this.#contextOf(key, model, sources),
      );
      this.#slides?.made(key, object);
      const uid = object.SOPInstanceUID as string;
      await this.#sendOne({ studyInstanceUID: slide.studyInstanceUID, seriesInstanceUID: object.SeriesInstanceUID as string, sopInstanceUID: uid }, fileOf(object, sources[0]), before !== undefined);
      this.#loaded.add(uid);
      this.#slides?.stored(key);
      this.#status(key, { kind: 'stored', instances: [uid] });
      this.#parts.audit?.({ ...event, outcome: 'success', stored: [uid] });
      return true;
    } catch (error) {
      const { code, message } = toOverreadError(error);
      this.#status(key, { kind: 'failed', message });
      this.#parts.audit?.({ ...event, outcome: 'failure', error: code });
      return false;
    }
  }

  /** Keeps masks of slides over a reload; one that is read further is another one. To be called whenever they change. */
  readonly onSlides = (): void => {
    for (const { key, status } of this.#parts.slides?.all() ?? []) {
      if (status === 'running') this.#status(key, undefined);
    }
    this.#slides?.look();
  };

  /** One after the other; one that fails does not stop the others. */
  async storeAll(studies: ReadonlySet<string>): Promise<void> {
    for (const { key } of this.#parts.results.ofStudies(studies)) await this.store(key);
  }

  async #send({ key, result, studyInstanceUID }: KeptResult): Promise<string[]> {
    const { viewer, writers } = this.#parts;
    const { sourcesOf, anonymousObjects, fileOf } = await writers();
    const sources = sourcesOf(viewer.instancesOf(studyInstanceUID));
    const source = sources[0];
    if (!source) throw new OverreadError('input/inconsistent', 'The images of this result are not open in the viewer. Open the study, and store again.', { expected: studyInstanceUID });
    const before = this.#drafts.get(key);
    const again = before?.objects !== undefined && before.result === result;
    const objects = again ? before.objects! : anonymousObjects(result, this.#contextOf(key, result.model, sources), await this.#picture(result), this.#parts.settings);
    const there = new Set(again ? before.stored : []);
    const draft: Draft = { key, studyInstanceUID, result, ...this.#verdictOf(key), objects };
    this.#put(draft);
    for (const object of objects) {
      const uid = object.SOPInstanceUID as string;
      if (there.has(uid)) continue;
      const bytes = fileOf(object, source);
      const of = { studyInstanceUID, seriesInstanceUID: object.SeriesInstanceUID as string, sopInstanceUID: uid };
      try {
        await this.#sendOne(of, bytes, again);
      } catch (error) {
        const known = toOverreadError(error);
        throw new OverreadError(known.code, `${String(object.Modality)} ${uid} is not stored (${there.size} of ${objects.length} are): ${known.message}`, { ...known.fields, sopInstanceUID: uid }, error);
      }
      there.add(uid);
      this.#put({ ...draft, stored: [...there] });
    }
    return [...there];
  }

  /** After a failure it may be there all the same: the answer was lost, or another attempt was quicker. */
  async #sendOne(of: InstanceUIDs, bytes: Uint8Array, again: boolean): Promise<void> {
    const { pacs, writers } = this.#parts;
    const { sameObject } = await writers();
    const isThere = (): Promise<boolean> => pacs.retrieve(of).then(back => sameObject(bytes, back), () => false);
    if (again && (await isThere())) return;
    try {
      await pacs.store(of.studyInstanceUID, bytes);
    } catch (error) {
      if (await isThere()) return;
      throw error;
    }
    if (!sameObject(bytes, await pacs.retrieve(of))) {
      throw new OverreadError('network/status', 'The server gave back another object than was sent. Tell who runs the server.', { expected: 'the same object', got: 'another' });
    }
  }

  #contextOf(key: string, model: { readonly id: string }, sources: readonly SourceInstance[]): ExportContext {
    const user = this.#parts.viewer.user();
    return { sources, algorithm: this.#parts.viewer.algorithmOf(model.id), ...(user && { user }), ...this.#verdictOf(key) };
  }

  /** A heat map on a picture that lies nowhere in space is written over it. */
  async #picture(result: Result): Promise<Image | undefined> {
    if (result.kind !== 'heatmap' || result.source.modality === 'SM' || result.source.shape[2] !== 1) return undefined;
    return this.#parts.viewer.imageOf(result);
  }

  /** Brings back what is in the PACS of these studies, each object once. To be called when images came. */
  load(studies: ReadonlySet<string>): Promise<void> {
    return (this.#loading = this.#loading.then(async () => {
      for (const study of studies) {
        try {
          await this.#loadStudy(study);
        } catch (error) {
          const { code, message } = toOverreadError(error);
          // Files that were dropped on the viewer have no PACS behind them: nothing is amiss.
          if (code !== 'config/invalid') this.state.set({ note: `Stored results were not looked for: ${message}` });
        }
      }
    }));
  }

  async #loadStudy(studyInstanceUID: string): Promise<void> {
    const { viewer, pacs, writers, results } = this.#parts;
    const instances = viewer.instancesOf(studyInstanceUID);
    if (instances.length === 0 || this.#loaded.has(`${studyInstanceUID} ${instances.length}`)) return;
    this.#loaded.add(`${studyInstanceUID} ${instances.length}`);
    // Of others, captures are pictures that the viewer shows itself: they are not fetched.
    const captures = new Set((instances as readonly Naturalized[]).filter(({ Manufacturer }) => String(Manufacturer) === 'Overread').map(({ SOPInstanceUID }) => String(SOPInstanceUID)));
    const wanted = (json: DicomJson): boolean => LOADED.has(value(json, '00080016')) || (value(json, '00080016') === SECONDARY_CAPTURE && captures.has(value(json, '00080018')));
    const listed = (await pacs.list(studyInstanceUID)).filter(json => !this.#loaded.has(value(json, '00080018')) && wanted(json));
    if (listed.length === 0) return;
    const { sourcesOf, readObject, joinObjects } = await writers();
    const sources = sourcesOf(instances);
    const read = [];
    const problems: string[] = [];
    for (const json of listed) {
      const sopInstanceUID = value(json, '00080018');
      try {
        const object = await readObject(await pacs.retrieve({ studyInstanceUID, seriesInstanceUID: value(json, '0020000E'), sopInstanceUID }), sources as SourceInstance[]);
        this.#loaded.add(sopInstanceUID);
        if (object) read.push(object);
      } catch (error) {
        const known = toOverreadError(error);
        // Its images may still come; what is of others is theirs.
        if (known.code !== 'input/inconsistent') this.#loaded.add(sopInstanceUID);
        if (known.code !== 'input/refused' && known.code !== 'input/inconsistent') problems.push(`${sopInstanceUID}: ${known.message}`);
      }
    }
    for (const { result, verdict, sopInstanceUID, provenance, tiles } of joinObjects(read)) {
      if (tiles && this.#parts.slides) {
        const slide = storedSlide(tiles, sopInstanceUID);
        this.#parts.slides.keep(slide);
        this.#status(slide.key, { kind: 'stored', instances: [sopInstanceUID] });
      }
      // OHIF shows segmentations of others itself.
      if (!result || !provenance.ours) continue;
      this.#stored.add(result);
      if (results.has(result)) continue;
      const { key } = results.keep(result);
      if (verdict) this.#verdict(key, { ...verdict, decidedAt: result.createdAt });
      this.#status(key, { kind: 'stored', instances: [sopInstanceUID] });
    }
    this.state.set({ note: problems.length > 0 ? `Stored results that could not be read: ${problems.join('; ')}` : undefined });
  }

  #verdictOf(key: string): { verdict?: Verdict } {
    const verdict = this.state.get().verdicts.get(key);
    return verdict ? { verdict } : {};
  }

  #put(draft: Draft): void {
    this.#drafts.set(draft.key, draft);
    const objects: readonly DicomObject[] | undefined = draft.objects;
    void this.#parts.drafts.put({ ...draft, result: withoutPatient(draft.result), ...(objects && { objects }) }).catch(() => undefined);
  }

  #status(key: string, status: StoreStatus | undefined): void {
    const statuses = new Map(this.state.get().statuses);
    if (status) statuses.set(key, status);
    else if (!statuses.delete(key)) return;
    this.state.set({ statuses });
  }

  #verdict(key: string, verdict: Verdict | undefined): void {
    const verdicts = new Map(this.state.get().verdicts);
    if (verdict) verdicts.set(key, verdict);
    else verdicts.delete(key);
    this.state.set({ verdicts });
  }
}

const value = (json: DicomJson, tag: string): string => String(json[tag]?.Value?.[0] ?? '');

const SECONDARY_CAPTURE = '1.2.840.10008.5.1.4.1.1.7';

/** Segmentations, parametric maps, reports and annotations. */
const LOADED: ReadonlySet<string> = new Set([
  '1.2.840.10008.5.1.4.1.1.66.4', '1.2.840.10008.5.1.4.1.1.66.7', '1.2.840.10008.5.1.4.1.1.30', '1.2.840.10008.5.1.4.1.1.88.22', '1.2.840.10008.5.1.4.1.1.88.33',
  '1.2.840.10008.5.1.4.1.1.88.34', '1.2.840.10008.5.1.4.1.1.91.1',
]);

/** With the series' description, which is not kept: the viewer has it. */
function described<R extends Result>(result: R, instances: readonly object[]): R {
  const series = new Set(result.source.sources.map(source => (isInstanceReference(source) ? source.seriesInstanceUID : undefined)));
  const of = (instances as readonly DicomInstance[]).find(({ SeriesInstanceUID }) => SeriesInstanceUID !== undefined && series.has(SeriesInstanceUID));
  const seriesDescription = of?.SeriesDescription;
  return typeof seriesDescription === 'string' && seriesDescription.trim() !== '' ? { ...result, source: { ...result.source, attributes: { ...result.source.attributes, seriesDescription } } } : result;
}
