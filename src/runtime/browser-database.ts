import { OverreadError } from '../errors.ts';

/** IndexedDB of this origin, in a page or a worker. What a call writes is there whole or not at all. */
export interface BrowserDatabase {
  get<T>(store: string, key: string): Promise<T | undefined>;
  all<T>(store: string): Promise<readonly T[]>;
  /** @throws OverreadError `store/invalid` where there is no room, or no right to write */
  write(changes: readonly DatabaseChange[]): Promise<void>;
}

export type DatabaseChange =
  | { readonly store: string; readonly put: unknown; /** Only of stores without a key path. */ readonly key?: string }
  | { readonly store: string; readonly remove: string }
  | { readonly store: string; readonly clear: true };

/**
 * Opens a database when it is first asked.
 * @param stores name of each store, and the property that is its key; null where keys are given apart
 * @returns undefined where there is no IndexedDB
 */
export function browserDatabase(name: string, stores: Readonly<Record<string, string | null>>): BrowserDatabase | undefined {
  if (!('indexedDB' in globalThis)) return undefined;
  let opened: Promise<IDBDatabase> | undefined;
  const database = (): Promise<IDBDatabase> => (opened ??= opening(name, stores).catch((error: unknown) => {
    // A private window may say no now and yes later.
    opened = undefined;
    throw error;
  }));
  const asked = async <T>(store: string, ask: (of: IDBObjectStore) => IDBRequest<T>): Promise<T> => {
    const request = ask((await database()).transaction(store, 'readonly').objectStore(store));
    return new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(refused(name, request.error));
    });
  };
  return {
    get: (store, key) => asked(store, of => of.get(key)),
    all: store => asked(store, of => of.getAll()),
    async write(changes) {
      const transaction = (await database()).transaction([...new Set(changes.map(({ store }) => store))], 'readwrite');
      const done = new Promise<void>((resolve, reject) => {
        transaction.oncomplete = () => resolve();
        // What was asked of a full disk fails here, not where it was asked.
        transaction.onabort = () => reject(refused(name, transaction.error));
      });
      for (const change of changes) {
        const store = transaction.objectStore(change.store);
        if ('clear' in change) store.clear();
        else if ('remove' in change) store.delete(change.remove);
        else store.put(change.put, change.key);
      }
      return done;
    },
  };
}

function opening(name: string, stores: Readonly<Record<string, string | null>>): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => {
      for (const [store, keyPath] of Object.entries(stores)) request.result.createObjectStore(store, keyPath === null ? {} : { keyPath });
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(refused(name, request.error));
  });
}

function refused(name: string, error: DOMException | null): OverreadError {
  if (error?.name === 'QuotaExceededError') {
    return new OverreadError('store/invalid', `The browser has no room left for Overread's ${name}. What was there before is whole: remove labels or models that are no longer needed, or free space on the disk, and try again.`, { expected: 'room', got: error.name }, error);
  }
  return new OverreadError('store/invalid', `The browser's store ${name} cannot be used (${error?.message || error?.name || 'no reason given'}). Allow this site to store data, and reload the page.`, { got: error?.name }, error ?? undefined);
}
