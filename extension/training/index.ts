import type { AuditedEvent } from '../../src/audit/record.ts';
import type { EngineClient } from '../../src/engine-client.ts';
import { toOverreadError, type OverreadError } from '../../src/errors.ts';
import type { KeptModel } from '../../src/runtime/kept-files.ts';
import { checkTrainable } from '../../src/training/accepts.ts';
import type { CatalogueEntry } from '../catalogue.ts';
import { save } from '../counting/dot-files.ts';
import { Observable } from '../state.ts';
import { LabelCollector, type CollectParts } from './collect.ts';
import { patientsOf, type LabelItem, type LabelSummary } from './label-item.ts';
import { teaches } from './label-set.ts';
import { browserLabels, type LabelStore } from './label-store.ts';
import { nextToLabel, showImage, type Unlabelled } from './next-to-label.ts';
import { Recalibration } from './recalibration.ts';
import { recipeOf, type RecipeChoice } from './recipes.ts';
import { Trainings } from './trainings.ts';
import { folderFiles, parentOf, Versions } from './versions.ts';

export interface LabelsState {
  readonly labels: readonly LabelSummary[];
  /** A quiet line on what was collected. */
  readonly note?: string;
  /** What could not be done with labels or versions. */
  readonly error?: OverreadError;
}

interface Parts extends Omit<CollectParts, 'store'> {
  readonly engine: EngineClient;
  readonly store?: LabelStore;
  readonly entries: () => readonly CatalogueEntry[];
  /** Whether whoever is signed in may train here. */
  readonly allowed: () => boolean;
  readonly audit: (event: AuditedEvent) => unknown;
  /** The list of models is another one. */
  readonly onModels: (chosen: string | undefined) => Promise<void>;
}

/** Fine-tuning in the viewer: labels, trainings, versions. All of it stays in this browser. */
export class Training {
  readonly state = new Observable<LabelsState>({ labels: [] });
  readonly collector: LabelCollector;
  readonly trainings: Trainings;
  readonly versions = new Versions();
  readonly recalibration: Recalibration;
  readonly #parts: Parts;
  readonly #store: LabelStore;
  #looked: Promise<void> | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#store = parts.store ?? browserLabels();
    this.collector = new LabelCollector({ ...parts, store: this.#store });
    this.recalibration = new Recalibration(parts);
    this.trainings = new Trainings({ engine: parts.engine, store: this.#store, audit: parts.audit });
  }

  /** Reads what is kept, once. */
  look(): Promise<void> {
    return (this.#looked ??= this.#reported(async () => {
      await Promise.all([this.#readLabels(), this.trainings.look(), this.versions.look()]);
    }).then(() => undefined));
  }

  /** What a training would run on. The first look opens the device. */
  async lookAtDevice(): Promise<void> {
    await this.#reported(async () => this.trainings.state.set({ device: await this.#parts.engine.start() }));
  }

  get allowed(): boolean {
    return this.#parts.allowed();
  }

  /** Models of the catalogue that can be trained further. */
  parents(): readonly CatalogueEntry[] {
    return this.#parts.entries().filter(({ manifest }) => {
      try {
        checkTrainable(manifest);
        return true;
      } catch {
        return false;
      }
    });
  }

  /** Labels that a model can learn from. */
  labelsFor({ manifest }: CatalogueEntry): readonly LabelSummary[] {
    return this.state.get().labels.filter(label => teaches(manifest, label));
  }

  /** Pictures of open studies that a model read and nobody labelled, the least sure first. */
  async next({ manifest: { id } }: CatalogueEntry, openStudies: ReadonlySet<string>): Promise<readonly Unlabelled[]> {
    const labelled = new Set(this.state.get().labels.map(label => label.id));
    const results = this.#parts.results().filter(({ studyInstanceUID }) => openStudies.has(studyInstanceUID));
    return nextToLabel(results, id, labelled, await this.#store.secret());
  }

  show({ source }: Unlabelled): void {
    showImage(this.#parts.services, this.#parts.cornerstone, source);
  }

  async addMask(choice: string): Promise<void> {
    await this.#add(() => this.collector.mask(choice));
  }

  async addFindings(findings: Readonly<Record<string, 0 | 1>>): Promise<void> {
    await this.#add(() => this.collector.findings(findings));
  }

  async removeLabel(id: string): Promise<void> {
    await this.#reported(async () => {
      await this.#store.remove(id);
      await this.#readLabels(undefined);
    });
  }

  /** Removes every label, what is paused, and the key of the hashes. Models that were kept stay. */
  async purge(): Promise<void> {
    if (this.trainings.state.get().underWay) return;
    await this.#reported(async () => {
      await this.trainings.discard('');
      await this.#store.purge();
      await this.#readLabels('All labels were removed from this browser.');
    });
  }

  /** Hands all labels to the user as a data set that `overread train` reads. */
  async exportLabels(): Promise<void> {
    await this.#reported(async () => {
      const { writeArchive } = await import('./archive.ts');
      save('overread-labels.zip', new Blob([await writeArchive(await this.#items()) as Uint8Array<ArrayBuffer>], { type: 'application/zip' }));
      this.#parts.audit({ action: 'export', outcome: 'success', details: { format: 'labels' } });
    });
  }

  async importLabels(file: File): Promise<void> {
    await this.#reported(async () => {
      const { readArchive } = await import('./archive.ts');
      const items = await readArchive(new Uint8Array(await file.arrayBuffer()), file.name, await this.#store.secret());
      await this.#store.put(items);
      await this.#readLabels(`${items.length} labels of ${patientsOf(items.map(({ summary }) => summary))} patients were added from ${file.name}.`);
    });
  }

  async start(parent: CatalogueEntry, choice: RecipeChoice, allowSlow: boolean): Promise<void> {
    await this.#reported(async () => {
      const { manifest, location } = parent;
      const recipe = recipeOf(choice, manifest);
      const { id, name } = this.versions.next(parent, this.#parts.entries().map(entry => entry.manifest.id));
      await this.trainings.start({ location, manifest, recipe, labels: this.labelsFor(parent).map(label => label.id), id, name, allowSlow });
    });
  }

  /** Reads the labels that fit with a model, for other operating points. */
  async readForPoints(entry: CatalogueEntry): Promise<void> {
    const labels = this.labelsFor(entry).filter(({ findings }) => findings !== undefined);
    const store = this.#store;
    async function* items() {
      for (const { id } of labels) {
        const item = await store.item(id);
        if (item) yield item;
      }
    }
    await this.recalibration.read(entry, labels.length, items());
  }

  /** Keeps a model with the points that were chosen as a version, installs it and chooses it. */
  async keepPoints(entry: CatalogueEntry): Promise<void> {
    await this.#reported(async () => {
      const { model, beside } = await this.recalibration.made(this.versions.next(entry, this.#parts.entries().map(({ manifest }) => manifest.id), 'recalibrated'));
      const { manifest, location } = await this.versions.keep(model, beside);
      await this.#parts.engine.unload(location);
      this.recalibration.close();
      this.#parts.audit({ action: 'training', outcome: 'success', model: model.manifest.recalibration!.parent, details: { kind: 'recalibration' } });
      await this.#parts.onModels(manifest.id);
    });
  }

  /** Keeps what is at its end as a version, installs it and chooses it. */
  async keep(): Promise<void> {
    const { outcome } = this.trainings.state.get();
    if (!outcome) return;
    await this.#reported(async () => {
      const { manifest, location } = await this.versions.keep(outcome.tuned, outcome.beside);
      // A version of this address may have been there before, and be in the engine still.
      await this.#parts.engine.unload(location);
      await this.trainings.discard(`Kept and installed: ${manifest.name}.`);
      await this.#parts.onModels(manifest.id);
    });
  }

  /** Back to the model that a version came from; the version is kept and can be installed again. */
  async rollBack(version: KeptModel): Promise<void> {
    await this.#install(version, false, parentOf(version.manifest));
  }

  async install(version: KeptModel): Promise<void> {
    await this.#install(version, true, version.manifest.id);
  }

  async removeVersion(version: KeptModel): Promise<void> {
    await this.#reported(async () => {
      await this.versions.remove(version);
      await this.#parts.onModels(version.installed ? parentOf(version.manifest) : undefined);
    });
  }

  /** Hands a version, or what is not kept yet, to the user: a model folder as a zip. */
  async download(version?: KeptModel): Promise<void> {
    await this.#reported(async () => {
      const { outcome } = this.trainings.state.get();
      const files = version ? await this.versions.files(version) : outcome && folderFiles(outcome.tuned);
      const id = version?.manifest.id ?? outcome?.tuned.manifest.id;
      if (!files || id === undefined) return;
      const { zipped } = await import('./archive.ts');
      save(`${id}.zip`, new Blob([zipped(new Map([...files].map(([name, bytes]) => [`${id}/${name}`, bytes]))) as Uint8Array<ArrayBuffer>], { type: 'application/zip' }));
    });
  }

  async #install(version: KeptModel, installed: boolean, chosen: string | undefined): Promise<void> {
    await this.#reported(async () => {
      await this.versions.setInstalled(version, installed);
      await this.#parts.onModels(chosen);
    });
  }

  async #add(collect: () => Promise<LabelItem>): Promise<void> {
    await this.#reported(async () => {
      const before = this.state.get().labels;
      // Else a browser that runs out of room may throw all of it away.
      if (before.length === 0) void globalThis.navigator?.storage?.persist?.().catch(() => false);
      const { summary } = await collect();
      await this.#readLabels(before.some(({ id }) => id === summary.id) ? 'The label of this image was replaced.' : 'Added.');
    });
  }

  async #items(): Promise<readonly LabelItem[]> {
    const items = await Promise.all(this.state.get().labels.map(({ id }) => this.#store.item(id)));
    return items.filter(item => item !== undefined);
  }

  async #readLabels(note?: string): Promise<void> {
    this.state.set({ labels: await this.#store.summaries(), note });
  }

  async #reported<T>(work: () => Promise<T>): Promise<T | undefined> {
    this.state.set({ error: undefined });
    try {
      return await work();
    } catch (error) {
      this.state.set({ error: toOverreadError(error), note: undefined });
      return undefined;
    }
  }
}
