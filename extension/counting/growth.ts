import { toOverreadError, type OverreadError } from '../../src/errors.ts';
import type { PlateMap } from '../../src/export/plate-csv.ts';
import type { GrowthSeries } from '../../src/results/growth.ts';
import type { PointsResult } from '../../src/results/points.ts';
import { frameKey, sourcesOf } from '../identity.ts';
import type { KeptResult, ResultsStore } from '../results-store.ts';
import { Observable } from '../state.ts';
import type { DicomInstance } from '../types/ohif.ts';
import { save } from './dot-files.ts';
import { countsByPatient, factsOf, type ImageFacts, type PatientCounts } from './growth-counts.ts';

export interface PatientGrowth extends PatientCounts {
  readonly series: readonly GrowthSeries[];
}

export interface GrowthState {
  /** Of open studies, those with counts at a time. */
  readonly patients: readonly PatientGrowth[];
  /** Models whose counts there are. */
  readonly models: readonly { readonly id: string; readonly name: string }[];
  /** Whose counts are shown. */
  readonly modelId?: string;
  /** Name of the file that said which series is which well. */
  readonly plateFile?: string;
}

interface Parts {
  readonly results: Pick<ResultsStore, 'all' | 'ofStudies'>;
  readonly openStudies: () => ReadonlySet<string>;
  /** The viewer's instance of a frame; undefined while its study is not open. */
  readonly instanceOf: (kept: KeptResult) => DicomInstance | undefined;
  readonly report: (error: OverreadError) => void;
  /** A result was handed to the user as a file. */
  readonly exported?: (result: PointsResult, format: string) => void;
}

type Counted = KeptResult & { readonly result: PointsResult };

/** Counts of several images against time: of one model, of the patients whose studies are open. */
export class Growth {
  readonly state = new Observable<GrowthState>({ patients: [], models: [] });
  readonly #parts: Parts;
  readonly #facts = new Map<string, ImageFacts>();
  #plate: PlateMap | undefined;
  #seen: unknown;
  #looks = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  choose(modelId: string): void {
    this.state.set({ modelId });
    void this.look();
  }

  /** Which series is which well, and what the wells were given, from a CSV. */
  async importPlate(file: File): Promise<void> {
    try {
      const { parsePlateCsv } = await import('../../src/export/plate-csv.ts');
      this.#plate = parsePlateCsv(await file.text(), file.name);
      this.state.set({ plateFile: file.name });
      await this.look();
    } catch (error) {
      this.#parts.report(toOverreadError(error));
    }
  }

  async exportCsv({ series, patient }: PatientGrowth): Promise<void> {
    const { growthCsv } = await import('../../src/export/plate-csv.ts');
    save(`growth-${patient.replace(/[^\w.-]+/g, '_')}.csv`, new Blob([growthCsv(series)], { type: 'text/csv' }));
    for (const { result } of this.#parts.results.ofStudies(this.#parts.openStudies())) if (result.kind === 'points') this.#parts.exported?.(result, 'growth-csv');
  }

  /** Works from what is; nothing is done while that is as before. */
  async look(): Promise<void> {
    const open = this.#parts.openStudies();
    const all = this.#parts.results.all().filter((kept): kept is Counted => kept.result.kind === 'points');
    const counted = all.filter(kept => this.#factsOf(kept) && open.has(kept.studyInstanceUID));
    const models = [...new Map(counted.map(({ result: { model } }) => [model.id, { id: model.id, name: model.name }])).values()];
    const { modelId: wanted } = this.state.get();
    const modelId = models.some(({ id }) => id === wanted) ? wanted : models.at(-1)?.id;
    // Earlier studies of the same patients are read with them, open or not.
    const patients = new Set(counted.map(kept => this.#factsOf(kept)!.patient));
    const shown = all.filter(kept => kept.result.model.id === modelId && patients.has(this.#factsOf(kept)?.patient ?? ''));
    const seen = [...shown.map(({ result }) => result), this.#plate, modelId, models.length];
    if (Array.isArray(this.#seen) && this.#seen.length === seen.length && seen.every((of, i) => of === (this.#seen as unknown[])[i])) return;
    this.#seen = seen;
    const look = ++this.#looks;
    const byPatient = countsByPatient(shown, kept => this.#factsOf(kept), this.#plate);
    // What fits lines is loaded when there is something to fit.
    const { growthSeries } = shown.length > 0 ? await import('../../src/results/growth.ts') : { growthSeries: () => [] };
    if (look !== this.#looks) return;
    this.state.set({ models, ...(modelId !== undefined && { modelId }), patients: byPatient.map(of => ({ ...of, series: growthSeries(of.counts) })) });
  }

  /** Of an image whose study was open once. */
  #factsOf(kept: KeptResult): ImageFacts | undefined {
    const [first] = sourcesOf(kept.result);
    if (!first) return undefined;
    const key = frameKey(first);
    const known = this.#facts.get(key);
    if (known) return known;
    const instance = this.#parts.instanceOf(kept);
    if (!instance) return undefined;
    const facts = factsOf(instance);
    this.#facts.set(key, facts);
    return facts;
  }
}
