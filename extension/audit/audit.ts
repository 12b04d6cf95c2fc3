import { dicomAuditMessage } from '../../src/audit/dicom-message.ts';
import { fhirAuditEvent } from '../../src/audit/fhir.ts';
import { auditLines, auditRecord, type AuditedEvent, type AuditRecord } from '../../src/audit/record.ts';
import { OVERREAD_VERSION } from '../../src/version.ts';
import { isInstanceReference, type SourceReference } from '../../src/image/image.ts';
import { sourcesOf, type Result } from '../../src/results/result.ts';
import { Observable } from '../state.ts';
import type { AuditLog } from './log.ts';

/** Where records are sent, one a request, by POST. */
export interface AuditEndpoint {
  /** Absolute. */
  readonly url: string;
  readonly format: 'dicom' | 'fhir';
}

export interface AuditState {
  readonly records: number;
  /** Not sent yet; 0 where there is no endpoint. */
  readonly waiting: number;
  /** Why the last one was not sent, or why a record could not be kept. */
  readonly problem?: string;
}

/** Keeps other pages of this origin out while one sends. */
export type Exclusive = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * The audit log of this browser: each event once, for ever, and each sent once where an endpoint is configured. What
 * could not be sent stays first in line until the next event or the next page. It never throws: what is audited goes on.
 */
export class Audit {
  readonly state = new Observable<AuditState>({ records: 0, waiting: 0 });
  readonly #log: AuditLog;
  readonly #endpoint: AuditEndpoint | undefined;
  readonly #user: () => string | undefined;
  readonly #site: string;
  readonly #exclusive: Exclusive;
  readonly #send: typeof fetch;
  #work: Promise<void> = Promise.resolve();

  constructor(parts: { readonly log: AuditLog; readonly endpoint?: AuditEndpoint | undefined; readonly user: () => string | undefined; readonly site: string; readonly exclusive?: Exclusive; readonly send?: typeof fetch }) {
    this.#log = parts.log;
    this.#endpoint = parts.endpoint;
    this.#user = parts.user;
    this.#site = parts.site;
    this.#exclusive = parts.exclusive ?? alone;
    this.#send = parts.send ?? ((...request) => fetch(...request));
  }

  /** @returns when it is kept, and sent as far as it can be */
  readonly record = (event: AuditedEvent): Promise<void> => {
    const record = auditRecord(event, { user: this.#user(), version: OVERREAD_VERSION });
    return this.#next(async () => {
      await this.#log.add(record);
      await this.#flush();
    });
  };

  /** Sends what an earlier page could not. */
  resume(): Promise<void> {
    return this.#next(() => this.#flush());
  }

  /** Every record, as JSON lines. */
  async lines(): Promise<string> {
    return auditLines((await this.#log.after(0)).map(({ record }) => record));
  }

  #next(work: () => Promise<void>): Promise<void> {
    return (this.#work = this.#work.then(work).catch((error: unknown) => {
      this.state.set({ problem: `The audit log of this browser cannot be written: ${error instanceof Error ? error.message : String(error)}` });
    }));
  }

  async #flush(): Promise<void> {
    const problem = this.#endpoint && (await this.#exclusive(() => this.#sendAll(this.#endpoint!)));
    const [records, sent] = [await this.#log.count(), await this.#log.sentTo()];
    this.state.set({ records, waiting: this.#endpoint ? records - sent : 0, problem });
  }

  /** @returns why it stopped, where it did */
  async #sendAll(endpoint: AuditEndpoint): Promise<string | undefined> {
    for (const { place, record } of await this.#log.after(await this.#log.sentTo())) {
      const problem = await this.#sendOne(endpoint, record);
      if (problem) return problem;
      await this.#log.setSentTo(place);
    }
    return undefined;
  }

  async #sendOne({ url, format }: AuditEndpoint, record: AuditRecord): Promise<string | undefined> {
    const [type, body] = format === 'dicom' ? ['application/xml', dicomAuditMessage(record, this.#site)] : ['application/fhir+json', JSON.stringify(fhirAuditEvent(record, this.#site))];
    try {
      // No token of the viewer's: that is for its PACS.
      const { ok, status } = await this.#send(url, { method: 'POST', headers: { 'Content-Type': type }, body, credentials: 'same-origin', referrerPolicy: 'no-referrer' });
      return ok ? undefined : `The audit endpoint answered with HTTP status ${status}.`;
    } catch {
      return 'The audit endpoint cannot be reached.';
    }
  }
}

/** Absent where the viewer is served over plain HTTP. */
const alone: Exclusive = work => {
  const locks = (globalThis.navigator as Navigator | undefined)?.locks as LockManager | undefined;
  return locks ? (locks.request('overread-audit', work) as ReturnType<typeof work>) : work();
};

/** What an event says of a result. */
export function auditedResult(result: Result): Pick<AuditedEvent, 'model' | 'studyInstanceUID' | 'sources'> {
  return { model: auditedModel(result.model), ...auditedSources(sourcesOf(result)) };
}

export function auditedModel({ id, version, sha256 }: { readonly id: string; readonly version: string; readonly sha256?: string }): NonNullable<AuditedEvent['model']> {
  return { id, version, ...(sha256 !== undefined && { sha256 }) };
}

export function auditedSources(sources: readonly SourceReference[]): Pick<AuditedEvent, 'studyInstanceUID' | 'sources'> {
  const instances = sources.filter(isInstanceReference);
  return { ...(instances[0] && { studyInstanceUID: instances[0].studyInstanceUID }), sources: instances.map(({ sopInstanceUID }) => sopInstanceUID) };
}
