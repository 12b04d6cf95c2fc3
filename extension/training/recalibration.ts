import type { EngineClient } from '../../src/engine-client.ts';
import { OverreadError, toOverreadError } from '../../src/errors.ts';
import { chosenPoints, recalibratedManifest, recalibrationCard, type ChosenPoint } from '../../src/evaluation/recalibration.ts';
import type { ScoredItem } from '../../src/evaluation/scores.ts';
import type { RecalibrationRecord } from '../../src/manifest.ts';
import type { OperatingGoal } from '../../src/metrics/roc.ts';
import type { ModelIdentity } from '../../src/results/result.ts';
import { keptFiles } from '../../src/runtime/kept-files.ts';
import type { ModelFiles } from '../../src/runtime/types.ts';
import type { CatalogueEntry } from '../catalogue.ts';
import { Observable } from '../state.ts';
import type { LabelItem } from './label-item.ts';
import { SET_NAME } from './label-set.ts';
import type { NewModel } from './versions.ts';

export interface RecalibrationState {
  readonly goal: OperatingGoal;
  readonly reading?: { readonly done: number; readonly of: number };
  /** What a model said of the labelled pictures. */
  readonly scored?: Scored;
  /** Points that reach the goal, where there are such. */
  readonly chosen?: readonly ChosenPoint[];
  readonly error?: OverreadError;
}

interface Scored {
  readonly entry: CatalogueEntry;
  readonly identity: ModelIdentity;
  readonly items: readonly ScoredItem[];
}

interface Parts {
  readonly engine: Pick<EngineClient, 'run'>;
  /** How a model's folder is read. */
  readonly files?: (location: string) => ModelFiles;
}

const GOAL: OperatingGoal = { by: 'sensitivity', least: 0.9 };

/** Other operating points for a model, by the labels that were collected: nothing is trained, and nothing leaves the browser. */
export class Recalibration {
  readonly state = new Observable<RecalibrationState>({ goal: GOAL });
  readonly #parts: Parts;
  #stop: AbortController | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * Reads labelled pictures with a model, one after the other. What its gate thinks of them is not asked: they are labelled.
   * @param items read one at a time, so that no more than one picture is in memory
   */
  async read(entry: CatalogueEntry, count: number, items: AsyncIterable<LabelItem>): Promise<void> {
    if (this.#stop) return;
    const stop = (this.#stop = new AbortController());
    const { state } = this;
    state.set({ error: undefined, scored: undefined, chosen: undefined, reading: { done: 0, of: count } });
    try {
      const scored: ScoredItem[] = [];
      let identity: ModelIdentity | undefined;
      for await (const { summary: { patient, findings }, pixels: { image } } of items) {
        if (!findings) continue;
        const result = await this.#parts.engine.run({ location: entry.location, images: [image], force: true }, { signal: stop.signal });
        if (result.kind !== 'scores') throw new OverreadError('config/invalid', `Expected a model that gives scores, got ${entry.manifest.name}, which gives a ${result.kind}. Choose a classifier.`);
        identity = result.model;
        scored.push({
          patientId: patient, probabilities: Object.fromEntries(result.scores.map(({ target, probability }) => [target.label, probability])),
          truths: Object.fromEntries(Object.entries(findings).map(([label, value]) => [label, value === 1])),
        });
        state.set({ reading: { done: scored.length, of: count } });
      }
      if (!identity) throw new OverreadError('dataset/invalid', 'Expected labels that say whether a finding is there, got none. Add findings first.');
      state.set({ scored: { entry, identity, items: scored } });
      this.#choose();
    } catch (error) {
      const known = toOverreadError(error);
      if (known.code !== 'job/cancelled') state.set({ error: known });
    } finally {
      this.#stop = undefined;
      state.set({ reading: undefined });
    }
  }

  /** Asks for other points of what was read. */
  aim(goal: OperatingGoal): void {
    this.state.set({ goal });
    if (this.state.get().scored) this.#choose();
  }

  /** The model with the points that are shown, as a folder beside its parent. */
  async made({ id, name }: { readonly id: string; readonly name: string }): Promise<{ readonly model: NewModel; readonly beside: string }> {
    const { scored, chosen } = this.state.get();
    if (!scored || !chosen) throw new OverreadError('internal', 'Expected operating points that were chosen, got none. Please report this.');
    const { entry: { manifest, location }, identity, items } = scored;
    const record: RecalibrationRecord = {
      parent: { id: manifest.id, version: manifest.version, sha256: identity.sha256 },
      dataset: { name: SET_NAME, licence: 'not stated', items: items.length, patients: new Set(items.map(({ patientId }) => patientId)).size },
      points: Object.fromEntries(chosen.map(({ label, record: of }) => [label, of])),
      at: new Date().toISOString(),
    };
    const folder = (this.#parts.files ?? keptFiles)(location);
    // Its hashes are in the manifest: what was read wrongly is found when it is loaded.
    const files = new Map(await Promise.all(Object.keys(manifest.graph.sha256).map(async file => [file, await folder.read(file)] as const)));
    const report = { ...record, curves: Object.fromEntries(chosen.map(({ label, roc, reliability }) => [label, { roc, reliability }])) };
    return { model: { manifest: recalibratedManifest(manifest, id, record, name), files, card: recalibrationCard({ ...manifest, name }, record), report }, beside: location };
  }

  /** Stops reading, and forgets what was read. */
  close(): void {
    this.#stop?.abort();
    this.state.set({ scored: undefined, chosen: undefined, error: undefined });
  }

  #choose(): void {
    const { scored, goal } = this.state.get();
    if (!scored) return;
    try {
      this.state.set({ chosen: chosenPoints(scored.items, scored.entry.manifest, goal), error: undefined });
    } catch (error) {
      this.state.set({ chosen: undefined, error: toOverreadError(error) });
    }
  }
}
