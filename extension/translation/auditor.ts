import type { AuditedEvent } from '../../src/audit/record.ts';
import type { MrModality } from '../../src/dicom/mr.ts';
import type { EngineClient } from '../../src/engine-client.ts';
import { OverreadError, throwIfAborted, toOverreadError } from '../../src/errors.ts';
import type { TranslationAudit } from '../../src/evaluation/translation.ts';
import type { Image } from '../../src/image/image.ts';
import { auditedModel, auditedSources } from '../audit/audit.ts';
import type { CatalogueEntry } from '../catalogue.ts';
import { save } from '../counting/dot-files.ts';
import { sourcesOf } from '../identity.ts';
import { describeProgress } from '../progress.ts';
import type { ResultsStore } from '../results-store.ts';
import { volumesOfFrames } from '../sources/mr-series.ts';
import { Observable } from '../state.ts';
import type { Places } from './two-series.ts';

/** A series that can be chosen. */
export interface SeriesChoice {
  readonly displaySetInstanceUID: string;
  readonly studyInstanceUID: string;
  readonly label: string;
  readonly modality: string;
  readonly imageIds: readonly string[];
  /** Why it counts as synthesised. */
  readonly synthesised?: string;
}

export interface AuditDone {
  readonly audit: TranslationAudit;
  readonly studyInstanceUID: string;
  readonly real: string;
  readonly translated: string;
  readonly modelName: string;
}

export interface TranslationState {
  /** Of the studies that are open. */
  readonly series: readonly SeriesChoice[];
  readonly running?: { readonly text: string };
  readonly done?: AuditDone;
  /** The change that is shown, by its place in the list. */
  readonly selected?: number;
  readonly error?: OverreadError;
}

interface Parts {
  readonly viewer: {
    series(): readonly SeriesChoice[];
    readFrame(imageId: string, signal: AbortSignal): Promise<Image>;
    show(places: Places): Promise<void>;
  };
  readonly engine: Pick<EngineClient, 'run'>;
  readonly results: Pick<ResultsStore, 'keep'>;
  readonly audit: (event: AuditedEvent) => void;
}

/** Audits a translated series against a real one of the same study: two runs of one model, and what differs, in both viewports. */
export class TranslationAuditor {
  readonly state = new Observable<TranslationState>({ series: [] });
  readonly #parts: Parts;
  #abort: AbortController | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** What can be chosen now. What was found goes with its study. */
  look(open: ReadonlySet<string>): void {
    const series = this.#parts.viewer.series();
    const { series: before, done } = this.state.get();
    const key = (all: readonly SeriesChoice[]) => JSON.stringify(all.map(({ displaySetInstanceUID, label, synthesised, imageIds }) => [displaySetInstanceUID, label, synthesised, imageIds.length]));
    if (key(series) !== key(before)) this.state.set({ series });
    if (done && !open.has(done.studyInstanceUID)) this.state.set({ done: undefined, selected: undefined });
  }

  /**
   * It never rejects: what went wrong is in the state.
   * @param as what the translated series is read as, of a model of MR series: a description such as 'FLAIR from T1' may be taken for the other one
   */
  async run(entry: CatalogueEntry, real: SeriesChoice, translated: SeriesChoice, as?: MrModality): Promise<void> {
    this.#abort?.abort();
    const { signal } = (this.#abort = new AbortController());
    const tell = (text: string) => {
      if (!signal.aborted) this.state.set({ running: { text } });
    };
    this.state.set({ done: undefined, selected: undefined, error: undefined });
    tell('Reading both series');
    const runs = this.#runs(entry, tell, signal);
    try {
      const [before, read] = [await this.#read(real, signal), await this.#read(translated, signal)];
      const after = as ? { ...read, attributes: { ...read.attributes, mrModality: as } } : read;
      // Registration and what comes with it are fetched with the first audit.
      const { auditTranslation } = await import('../../src/evaluation/translation.ts');
      const audit = await auditTranslation({ manifest: entry.manifest, run: runs }, before, after, { signal });
      throwIfAborted(signal);
      for (const result of [audit.results.real, audit.results.translated]) this.#parts.results.keep(result);
      this.state.set({ done: { audit, studyInstanceUID: real.studyInstanceUID, real: real.label, translated: translated.label, modelName: entry.manifest.name } });
      await this.show(0);
    } catch (thrown) {
      const error = toOverreadError(thrown);
      if (error.code !== 'job/cancelled') this.state.set({ error });
    } finally {
      if (this.#abort?.signal === signal) this.state.set({ running: undefined });
    }
  }

  cancel(): void {
    this.#abort?.abort();
    this.state.set({ running: undefined });
  }

  /** Shows a change in both viewports; the middle slices where there is none. */
  async show(selected: number): Promise<void> {
    const { done } = this.state.get();
    if (!done) return;
    const change = done.audit.changes[selected];
    const middle = ({ source: { sources } }: TranslationAudit['results']['real']) => sources[Math.floor(sources.length / 2)]!;
    const { real, translated } = done.audit.results;
    this.state.set({ selected: change && selected });
    await this.#parts.viewer.show(change ? { real: change.source, translated: change.translated.source } : { real: middle(real), translated: middle(translated) });
  }

  async exportCsv(): Promise<void> {
    const { done } = this.state.get();
    if (!done) return;
    const { translationCsv } = await import('../../src/evaluation/translation-report.ts');
    save('translation-audit.csv', new Blob([translationCsv(done.audit)], { type: 'text/csv' }));
    const { real, translated } = done.audit.results;
    this.#parts.audit({ action: 'export', outcome: 'success', model: auditedModel(real.model), ...auditedSources([...sourcesOf(real), ...sourcesOf(translated)]), details: { format: 'translation-csv' } });
  }

  /** The model on one series, as the audit log hears of it. */
  #runs(entry: CatalogueEntry, tell: (text: string) => void, signal: AbortSignal) {
    const { location, manifest: { id, version, name } } = entry;
    return async (images: readonly Image[], { force = false }: { readonly force?: boolean } = {}) => {
      const sources = auditedSources(images.flatMap(image => image.sources));
      const event = { action: force ? 'override' : 'run', ...sources, details: { audit: 'translation' } } as const;
      // What is handed to the worker is gone here, and is still needed to lay one on the other.
      const copies = images.map(image => ({ ...image, pixels: image.pixels.slice() }));
      const which = force ? 'translated' : 'real';
      try {
        const result = await this.#parts.engine.run({ location, images: copies, ...(force && { force }) }, { signal, onProgress: progress => tell(`${name} on the ${which} series: ${describeProgress(progress).text}`) });
        this.#parts.audit({ ...event, outcome: 'success', model: auditedModel(result.model) });
        return result;
      } catch (thrown) {
        const { code } = toOverreadError(thrown);
        this.#parts.audit({ ...event, outcome: code === 'job/cancelled' ? 'cancelled' : 'failure', error: code, model: auditedModel({ id, version }) });
        throw thrown;
      }
    };
  }

  async #read({ imageIds, label }: SeriesChoice, signal: AbortSignal): Promise<Image> {
    const frames: Image[] = [];
    for (const imageId of imageIds) {
      frames.push(await this.#parts.viewer.readFrame(imageId, signal));
      throwIfAborted(signal);
    }
    const images = frames.length === 1 ? frames : volumesOfFrames(frames);
    if (images.length === 1) return images[0]!;
    throw new OverreadError('input/geometry', `Expected one series in '${label}', got ${images.length}. Choose another.`, { expected: 1, got: images.length });
  }
}
