import type { Result } from '../../src/results/result.ts';
import { browserDatabase } from '../../src/runtime/browser-database.ts';
import type { ResultSet } from '../comparing/sets.ts';
import { isOfViewer } from './export.ts';
import { withoutPatient } from '../storage/drafts.ts';
import type { Question, Reading, ReadingCase } from './reading.ts';

/** What survives a reload: cases that are being collected, or a reading. */
export interface KeptReading {
  readonly question: Question;
  /** Before it is started. */
  readonly cases: readonly ReadingCase[];
  readonly reading?: Reading;
}

export interface ReadingStore {
  get(): Promise<KeptReading | undefined>;
  put(kept: KeptReading): Promise<void>;
}

const STORE = 'readings', KEY = 'current';

/** In the browser's IndexedDB, of this origin; in memory where there is none. */
export function browserReadings(): ReadingStore {
  const database = browserDatabase('overread-readings', { [STORE]: null });
  if (!database) return memoryReadings();
  return { get: () => database.get<KeptReading>(STORE, KEY), put: kept => database.write([{ store: STORE, put: kept, key: KEY }]) };
}

export function memoryReadings(): ReadingStore {
  let kept: KeptReading | undefined;
  return { get: async () => kept, put: async now => void (kept = now) };
}

/** A result as a case keeps it: without what names the patient, and without what is not drawn. */
export function forCase(set: ResultSet): ResultSet {
  const plain = withoutPatient(set.kept.result);
  const result = isOfViewer(set) ? { ...plain, model: { ...plain.model, name: 'Mask of the viewer' } } : plain;
  const { name, version } = result.model;
  // What somebody called a mask or a series may hold a name.
  return { ...set, name: `${name} ${version}`.trim(), kept: { ...set.kept, key: set.id, result: asDrawn(result) } };
}

/** Of a mask, the thresholds stay: the key says by them which one it was. */
function asDrawn(result: Result): Result {
  if (result.kind === 'points') {
    const { density: _, ...rest } = result;
    return rest;
  }
  if (result.kind !== 'labelmap') return result;
  const { instances: _, probabilities, ...rest } = result;
  return { ...rest, ...(probabilities && { probabilities: { ...probabilities, values: new Uint8Array(), labels: new Uint8Array() } }) };
}
