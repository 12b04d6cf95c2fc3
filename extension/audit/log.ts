import type { AuditRecord } from '../../src/audit/record.ts';

/** A record and its place in the log, counted from 1. */
export interface LoggedRecord {
  readonly place: number;
  readonly record: AuditRecord;
}

/** Records are added and read, never changed or taken away. */
export interface AuditLog {
  add(record: AuditRecord): Promise<void>;
  count(): Promise<number>;
  /** Those behind a place, in order. */
  after(place: number): Promise<readonly LoggedRecord[]>;
  /** The place up to which all were sent; 0 at first. */
  sentTo(): Promise<number>;
  setSentTo(place: number): Promise<void>;
}

const [RECORDS, CURSOR] = ['records', 'cursor'];

/** In the browser's IndexedDB, of this origin; in memory where there is none. */
export function browserLog(): AuditLog {
  if (!('indexedDB' in globalThis)) return memoryLog();
  let opened: Promise<IDBDatabase> | undefined;
  const database = (): Promise<IDBDatabase> => (opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open('overread-audit', 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(RECORDS, { autoIncrement: true });
      request.result.createObjectStore(CURSOR);
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('IndexedDB'));
  }));
  const asked = async <T>(name: string, mode: IDBTransactionMode, ask: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> => {
    const request = ask((await database()).transaction(name, mode).objectStore(name));
    return new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error ?? new Error('IndexedDB'));
    });
  };
  return {
    add: async record => void (await asked(RECORDS, 'readwrite', store => store.add(record))),
    count: () => asked(RECORDS, 'readonly', store => store.count()),
    after: async place => {
      const range = IDBKeyRange.lowerBound(place, true);
      const [places, records] = await Promise.all([
        asked(RECORDS, 'readonly', store => store.getAllKeys(range)), asked(RECORDS, 'readonly', store => store.getAll(range) as IDBRequest<AuditRecord[]>),
      ]);
      // Both are in order; one that came in between has a record more at its end.
      return records.flatMap((record, i) => (places[i] === undefined ? [] : [{ place: Number(places[i]), record }]));
    },
    sentTo: async () => Number((await asked(CURSOR, 'readonly', store => store.get('sent') as IDBRequest<unknown>)) ?? 0),
    setSentTo: async place => void (await asked(CURSOR, 'readwrite', store => store.put(place, 'sent'))),
  };
}

export function memoryLog(): AuditLog {
  const records: AuditRecord[] = [];
  let sent = 0;
  return {
    add: async record => void records.push(record),
    count: async () => records.length,
    after: async place => records.slice(place).map((record, i) => ({ place: place + i + 1, record })),
    sentTo: async () => sent,
    setSentTo: async place => void (sent = place),
  };
}
