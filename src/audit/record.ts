import type { ErrorCode } from '../errors.ts';

/** What is audited. `override` is a run that the model's gate had refused, or that was forced past it. */
export type AuditAction = 'run' | 'override' | 'explain' | 'store' | 'export' | 'verdict' | 'training';

/** What happened, as whoever did it tells it. Never pixels, names, or free text that a person wrote. */
export interface AuditedEvent {
  readonly action: AuditAction;
  readonly outcome: 'success' | 'failure' | 'cancelled';
  /** Of a failure: its code, never its words. */
  readonly error?: ErrorCode;
  readonly model?: { readonly id: string; readonly version: string; readonly sha256?: string };
  readonly studyInstanceUID?: string;
  /** SOP Instance UIDs of the pictures that it is about, each once. */
  readonly sources?: readonly string[];
  /** SOP Instance UIDs of what was stored. */
  readonly stored?: readonly string[];
  /** Words of our own: `automatic`, `method`, `decision`, `format`. */
  readonly details?: Readonly<Record<string, string>>;
}

/** One line of the audit log. */
export interface AuditRecord extends AuditedEvent {
  readonly schemaVersion: 1;
  /** A UUID. */
  readonly id: string;
  /** ISO 8601, UTC. */
  readonly recordedAt: string;
  /** Who is signed in, as the viewer knows them; absent where nobody is. */
  readonly user?: string;
  readonly software: { readonly name: 'Overread'; readonly version: string };
}

/** Completes an event: who, when, by which program. */
export function auditRecord(event: AuditedEvent, { user, version, id = crypto.randomUUID(), now = new Date() }: { readonly user?: string | undefined; readonly version: string; readonly id?: string; readonly now?: Date }): AuditRecord {
  return {
    schemaVersion: 1, id, recordedAt: now.toISOString(), ...(user && { user }), ...event,
    ...(event.sources && { sources: [...new Set(event.sources)] }),
    software: { name: 'Overread', version },
  };
}

/** JSON lines, one record each. */
export function auditLines(records: readonly AuditRecord[]): string {
  return records.map(record => `${JSON.stringify(record)}\n`).join('');
}

/** What both kinds of message say of an action: a DICOM code (CID 400), create, read, update or execute, and words. */
export const AUDIT_EVENTS: { readonly [A in AuditAction]: { readonly code: string; readonly meaning: string; readonly crud: 'C' | 'R' | 'U' | 'E'; readonly display: string } } = {
  run: { code: '110103', meaning: 'DICOM Instances Accessed', crud: 'R', display: 'AI model was run' },
  override: { code: '110103', meaning: 'DICOM Instances Accessed', crud: 'R', display: 'AI model was run on a picture that its gate refuses' },
  explain: { code: '110103', meaning: 'DICOM Instances Accessed', crud: 'R', display: 'Origin of a score was computed' },
  store: { code: '110104', meaning: 'DICOM Instances Transferred', crud: 'C', display: 'AI result was stored' },
  export: { code: '110106', meaning: 'Export', crud: 'R', display: 'AI result was taken out as a file' },
  verdict: { code: '110103', meaning: 'DICOM Instances Accessed', crud: 'U', display: 'Reader judged an AI result' },
  training: { code: '110103', meaning: 'DICOM Instances Accessed', crud: 'R', display: 'AI model was trained' },
};

/** Of DICOM (EventOutcomeIndicator) and FHIR alike: success, minor failure, serious failure. */
export const OUTCOMES: { readonly [O in AuditedEvent['outcome']]: '0' | '4' | '8' } = { success: '0', cancelled: '4', failure: '8' };

/** Everything of a record that has no place of its own in a message. */
export function auditDetails({ id, model, error, details }: AuditRecord): readonly (readonly [type: string, value: string])[] {
  const all: Record<string, string | undefined> = {
    record: id, model: model && `${model.id} ${model.version}`, modelSha256: model?.sha256, error, ...details,
  };
  return Object.entries(all).flatMap(([type, value]) => (value === undefined ? [] : [[type, value] as const]));
}
