import type { Verdict } from '../../src/export/derived.ts';
import type { DicomObject } from '../../src/export/part10.ts';
import type { Result } from '../../src/results/result.ts';

/** A result that is not stored yet, as it survives a reload. Never a patient's name or number. */
export interface Draft {
  readonly key: string;
  readonly studyInstanceUID: string;
  readonly result: Result;
  readonly verdict?: Verdict;
  /** From the first attempt to store on: the same objects, by the same UIDs, until all are there. Without patient and study. */
  readonly objects?: readonly DicomObject[];
  /** SOP Instance UIDs that were read back. */
  readonly stored?: readonly string[];
}

export interface Drafts {
  put(draft: Draft): Promise<void>;
  remove(key: string): Promise<void>;
  all(): Promise<readonly Draft[]>;
}

const DATABASE = 'overread';
const STORE = 'drafts';

/** In the browser's IndexedDB, of this origin; in memory where there is none. */
export function browserDrafts(): Drafts {
  if (!('indexedDB' in globalThis)) return memoryDrafts();
  let opened: Promise<IDBDatabase> | undefined;
  const database = (): Promise<IDBDatabase> => (opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: 'key' });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('IndexedDB'));
  }));
  const asked = async <T>(mode: IDBTransactionMode, ask: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> => {
    const store = (await database()).transaction(STORE, mode).objectStore(STORE);
    const request = ask(store);
    return new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error ?? new Error('IndexedDB'));
    });
  };
  return {
    put: async draft => void (await asked('readwrite', store => store.put(draft))),
    remove: async key => void (await asked('readwrite', store => store.delete(key))),
    all: () => asked<Draft[]>('readonly', store => store.getAll() as IDBRequest<Draft[]>),
  };
}

export function memoryDrafts(): Drafts {
  const drafts = new Map<string, Draft>();
  return {
    put: async draft => void drafts.set(draft.key, draft),
    remove: async key => void drafts.delete(key),
    all: async () => [...drafts.values()],
  };
}

/** The result without what names the patient. */
export function withoutPatient(result: Result): Result {
  return plain(result) as Result;
}

function plain(value: unknown): unknown {
  if (value === null || typeof value !== 'object' || ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return value;
  if (Array.isArray(value)) return value.map(plain);
  return Object.fromEntries(Object.entries(value).flatMap(([key, v]) => (key === 'patientID' || typeof v === 'function' ? [] : [[key, plain(v)]])));
}
