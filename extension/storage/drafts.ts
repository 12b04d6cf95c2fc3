import type { Verdict } from '../../src/export/derived.ts';
import type { DicomObject } from '../../src/export/part10.ts';
import type { Result } from '../../src/results/result.ts';
import { browserDatabase } from '../../src/runtime/browser-database.ts';

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
  const database = browserDatabase(DATABASE, { [STORE]: 'key' });
  if (!database) return memoryDrafts();
  return {
    put: draft => database.write([{ store: STORE, put: draft }]),
    remove: key => database.write([{ store: STORE, remove: key }]),
    all: () => database.all<Draft>(STORE),
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

/** Numbers of patients, and text that somebody typed: a name may be in it. */
const NOT_KEPT: ReadonlySet<string> = new Set(['patientID', 'seriesDescription', 'protocolName']);

/** The result without what names the patient. */
export function withoutPatient(result: Result): Result {
  return plain(result) as Result;
}

/** Anything without what names the patient, and without functions. */
export function plain(value: unknown): unknown {
  if (value === null || typeof value !== 'object' || ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return value;
  if (Array.isArray(value)) return value.map(plain);
  return Object.fromEntries(Object.entries(value).flatMap(([key, v]) => (NOT_KEPT.has(key) || typeof v === 'function' ? [] : [[key, plain(v)]])));
}
