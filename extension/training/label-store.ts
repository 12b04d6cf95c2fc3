import type { Recipe } from '../../src/training/recipe.ts';
import { browserDatabase, type BrowserDatabase } from '../../src/runtime/browser-database.ts';
import type { LabelItem, LabelPixels, LabelSummary } from './label-item.ts';
import { packed } from './packed.ts';

/** A training that was begun and is not at its end: what it takes to go on. */
export interface StoredRun {
  /** Folder of the model where it starts. */
  readonly location: string;
  readonly parentName: string;
  readonly recipe: Recipe;
  /** Of the labels that were there when it began. */
  readonly labels: readonly string[];
  /** Of the new model. */
  readonly id: string;
  readonly name: string;
  readonly allowSlow: boolean;
  /** Where the checkpoint stands; 0 before the first. */
  readonly step: number;
}

/** Labelled pictures and a training under way, as this browser keeps them. */
export interface LabelStore {
  /** Random bytes of this browser, made once: the key of every hash that names a patient here. */
  secret(): Promise<Uint8Array>;
  summaries(): Promise<readonly LabelSummary[]>;
  item(id: string): Promise<LabelItem | undefined>;
  put(items: readonly LabelItem[]): Promise<void>;
  remove(id: string): Promise<void>;
  run(): Promise<StoredRun | undefined>;
  /** A run, and its checkpoint where there is one. */
  putRun(run: StoredRun, checkpoint?: Uint8Array): Promise<void>;
  checkpoint(): Promise<Uint8Array | undefined>;
  removeRun(): Promise<void>;
  /** Labels, runs and the key: nothing is left. */
  purge(): Promise<void>;
}

/** As it lies in the database: its numbers in as few bytes as hold them. */
type StoredPixels = Omit<LabelPixels, 'image'> & { readonly image: Omit<LabelPixels['image'], 'pixels'> & { readonly pixels: ReturnType<typeof packed> } };

function toStore({ summary, pixels: { image, mask, objects } }: LabelItem): { readonly summary: LabelSummary; readonly pixels: StoredPixels } {
  const pixels = packed(image.pixels);
  const bytes = [pixels, mask, objects].reduce((sum, of) => sum + (of?.byteLength ?? 0), 0);
  return { summary: { ...summary, bytes }, pixels: { image: { ...image, pixels }, ...(mask && { mask }), ...(objects && { objects }) } };
}

const STORES = { summaries: 'id', pixels: null, run: null, secret: null } as const;
const ONLY = 'only';

/** In the browser's IndexedDB, of this origin; in memory where there is none. */
export function browserLabels(database = browserDatabase('overread-training', STORES) ?? memoryDatabase()): LabelStore {
  const of = async (id: string): Promise<LabelItem | undefined> => {
    const [summary, pixels] = await Promise.all([database.get<LabelSummary>('summaries', id), database.get<StoredPixels>('pixels', id)]);
    return summary && pixels && { summary, pixels: { ...pixels, image: { ...pixels.image, pixels: Float32Array.from(pixels.image.pixels) } } };
  };
  let secret: Promise<Uint8Array> | undefined;
  const made = async (): Promise<Uint8Array> => {
    const known = await database.get<Uint8Array>('secret', ONLY);
    if (known) return known;
    const fresh = crypto.getRandomValues(new Uint8Array(32));
    await database.write([{ store: 'secret', put: fresh, key: ONLY }]);
    return fresh;
  };
  return {
    secret: () => (secret ??= made().catch((error: unknown) => {
      secret = undefined;
      throw error;
    })),
    summaries: async () => [...(await database.all<LabelSummary>('summaries'))].sort((a, b) => (a.collectedAt < b.collectedAt ? -1 : 1)),
    item: of,
    put: items => database.write(items.map(toStore).flatMap(({ summary, pixels }) => [{ store: 'summaries', put: summary }, { store: 'pixels', put: pixels, key: summary.id }])),
    remove: id => database.write([{ store: 'summaries', remove: id }, { store: 'pixels', remove: id }]),
    run: () => database.get<StoredRun>('run', ONLY),
    putRun: (run, checkpoint) => database.write([{ store: 'run', put: run, key: ONLY }, ...(checkpoint ? [{ store: 'run', put: checkpoint, key: 'checkpoint' }] : [])]),
    checkpoint: () => database.get<Uint8Array>('run', 'checkpoint'),
    removeRun: () => database.write([{ store: 'run', clear: true }]),
    purge: async () => {
      secret = undefined;
      await database.write(Object.keys(STORES).map(store => ({ store, clear: true })));
    },
  };
}

/** For pages without IndexedDB: what is collected lives as long as the page. */
export function memoryDatabase(): BrowserDatabase {
  const stores = new Map<string, Map<string, unknown>>();
  const of = (store: string) => stores.get(store) ?? stores.set(store, new Map()).get(store)!;
  return {
    get: async <T>(store: string, key: string) => of(store).get(key) as T | undefined,
    all: async <T>(store: string) => [...of(store).values()] as T[],
    write: async changes => {
      for (const change of changes) {
        if ('clear' in change) of(change.store).clear();
        else if ('remove' in change) of(change.store).delete(change.remove);
        else of(change.store).set(change.key ?? (change.put as { readonly id: string }).id, change.put);
      }
    },
  };
}
