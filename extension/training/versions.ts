import type { ModelManifest } from '../../src/manifest.ts';
import { keepModel, keptModels, readKept, removeKept, updateKept, type KeptModel } from '../../src/runtime/kept-files.ts';
import { manifestBytes } from '../../src/training/manifest-bytes.ts';
import type { ModelFolder } from '../../src/training/publish.ts';
import type { Catalogue, CatalogueEntry } from '../catalogue.ts';
import { Observable } from '../state.ts';

/** A model folder that was made here. */
export interface NewModel extends ModelFolder {
  readonly card: string;
  /** What `report.json` holds. */
  readonly report: object;
}

export interface VersionsState {
  /** Models that were trained in this browser, the newest first. */
  readonly versions: readonly KeptModel[];
}

/** What keeps model folders; the browser, but for tests. */
export interface ModelKeeper {
  keep(model: KeptModel, files: ReadonlyMap<string, Uint8Array>): Promise<void>;
  update(model: KeptModel): Promise<void>;
  remove(model: KeptModel): Promise<void>;
  all(): Promise<readonly KeptModel[]>;
  files(model: KeptModel): Promise<ReadonlyMap<string, Uint8Array>>;
}

export const browserKeeper: ModelKeeper = { keep: keepModel, update: updateKept, remove: removeKept, all: keptModels, files: readKept };

/**
 * Models that were trained here, from keeping to rolling back. A version lies beside its parent, under an address of its own that no
 * server has; what is installed is in the catalogue, what was rolled back is kept.
 */
export class Versions {
  readonly state = new Observable<VersionsState>({ versions: [] });

  constructor(private readonly keeper: ModelKeeper = browserKeeper) {}

  async look(): Promise<void> {
    this.state.set({ versions: [...(await this.keeper.all())].reverse() });
  }

  /**
   * Keeps a model and installs it.
   * @param beside folder of its parent
   * @throws OverreadError `store/invalid`
   */
  async keep(made: NewModel, beside: string): Promise<KeptModel> {
    const files = folderFiles(made);
    const model: KeptModel = {
      location: locationOf(beside, made.manifest.id), manifest: made.manifest, keptAt: new Date().toISOString(), installed: true,
      bytes: [...files.values()].reduce((sum, { byteLength }) => sum + byteLength, 0), files: [...files.keys()],
    };
    await this.keeper.keep(model, files);
    await this.look();
    return model;
  }

  /** Takes a version out of the catalogue, or puts it back. */
  async setInstalled(model: KeptModel, installed: boolean): Promise<void> {
    await this.keeper.update({ ...model, installed });
    await this.look();
  }

  async remove(model: KeptModel): Promise<void> {
    await this.keeper.remove(model);
    await this.look();
  }

  files(model: KeptModel): Promise<ReadonlyMap<string, Uint8Array>> {
    return this.keeper.files(model);
  }

  /** An id that no model has yet, and a name to go with it: of lung-unet and lung-unet-tuned-1 both, lung-unet-tuned-2. */
  next({ manifest: { id, name } }: CatalogueEntry, taken: readonly string[], kind: 'tuned' | 'recalibrated' = 'tuned'): { readonly id: string; readonly name: string } {
    const [base, plain] = [id.replace(new RegExp(`-${kind}-\\d+$`), ''), name.replace(new RegExp(`, (${kind} \\d+|trained further)$`), '')];
    const ids = new Set([...taken, ...this.state.get().versions.map(({ manifest }) => manifest.id)]);
    let number = 1;
    while (ids.has(`${base}-${kind}-${number}`)) number++;
    return { id: `${base}-${kind}-${number}`, name: `${plain}, ${kind} ${number}` };
  }

  /** The catalogue with what is installed. Where only some models may be run, a version may be run when its parent may. */
  merged(catalogue: Catalogue): Catalogue {
    const entries = new Map(catalogue.entries.map(entry => [entry.manifest.id, entry]));
    // The oldest first: a version stands on the one before.
    for (const { location, manifest, installed } of [...this.state.get().versions].reverse()) {
      const parent = parentOf(manifest);
      if (installed && parent !== undefined && this.#descends(parent, catalogue)) entries.set(manifest.id, { location, manifest });
    }
    return { ...catalogue, entries: [...entries.values()] };
  }

  /** Whether a model comes, over however many versions, from one that may be run. */
  #descends(id: string, { entries }: Catalogue): boolean {
    if (entries.some(({ manifest }) => manifest.id === id)) return true;
    const version = this.state.get().versions.find(({ manifest }) => manifest.id === id);
    const parent = version && parentOf(version.manifest);
    return parent !== undefined && parent !== id && this.#descends(parent, { entries, problems: [] });
  }
}

/** The model that one was made from, last: of one that was trained and then recalibrated, the trained one. */
export function parentOf({ training, recalibration }: ModelManifest): string | undefined {
  if (!training || !recalibration) return (training ?? recalibration)?.parent.id;
  return (training.trainedAt > recalibration.at ? training : recalibration).parent.id;
}

/** Every file of a model folder, as `overread train` writes them. */
export function folderFiles({ manifest, files, card, report }: NewModel): ReadonlyMap<string, Uint8Array> {
  const text = (of: string) => new TextEncoder().encode(of);
  return new Map([...files, ['manifest.json', manifestBytes(manifest)], ['README.md', text(card)], ['report.json', text(`${JSON.stringify(report, undefined, 1)}\n`)]]);
}

function locationOf(beside: string, id: string): string {
  return new URL(`../${id}/`, beside).href;
}
