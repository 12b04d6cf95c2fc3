import { AUDIT_EVENTS, auditDetails, OUTCOMES, type AuditRecord } from './record.ts';

const DCM = 'http://dicom.nema.org/resources/ontology/DCM';
const OURS = 'urn:overread:audit';

/**
 * A record as a FHIR R4 AuditEvent. No patient is named.
 * @param site what the event calls its observer, such as the viewer's host
 */
export function fhirAuditEvent(record: AuditRecord, site: string) {
  const { action, outcome, error, recordedAt, user, studyInstanceUID, sources = [], stored = [] } = record;
  const { code, meaning, crud, display } = AUDIT_EVENTS[action];
  const automatic = record.details?.automatic === 'true';
  const object = (uid: string) => ({ what: { identifier: { system: 'urn:dicom:uid', value: `urn:oid:${uid}` } }, type: SYSTEM_OBJECT });
  return {
    resourceType: 'AuditEvent',
    type: { system: DCM, code, display: meaning },
    subtype: [{ system: OURS, code: action, display }],
    action: crud,
    recorded: recordedAt,
    outcome: OUTCOMES[outcome],
    ...(error && { outcomeDesc: error }),
    agent: [
      { who: { display: user ?? 'not signed in' }, requestor: !automatic },
      { type: { coding: [{ system: DCM, code: '110150', display: 'Application' }] }, who: { display: `Overread ${record.software.version}` }, requestor: automatic },
    ],
    source: { site, observer: { display: 'Overread' }, type: [{ system: 'http://terminology.hl7.org/CodeSystem/security-source-type', code: '1', display: 'User Device' }] },
    entity: [
      {
        what: studyInstanceUID === undefined ? { display: 'Overread' } : object(studyInstanceUID).what,
        type: SYSTEM_OBJECT,
        role: { system: 'http://terminology.hl7.org/CodeSystem/object-role', code: '3', display: 'Report' },
        detail: auditDetails(record).map(([type, valueString]) => ({ type, valueString })),
      },
      ...[...sources, ...stored].map(object),
    ],
  };
}

const SYSTEM_OBJECT = { system: 'http://terminology.hl7.org/CodeSystem/audit-entity-type', code: '2', display: 'System Object' } as const;
