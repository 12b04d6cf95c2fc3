import { AUDIT_EVENTS, auditDetails, OUTCOMES, type AuditRecord } from './record.ts';

type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

/**
 * A record as a DICOM audit message (PS3.15 A.5, of RFC 3881). The patient, whom A.5.3 would have as a participant,
 * is left out on purpose: the study's UID leads there for those who may know.
 * @param site what the message calls its source, such as the viewer's host
 */
export function dicomAuditMessage(record: AuditRecord, site: string): string {
  const { action, outcome, recordedAt, user, studyInstanceUID, sources = [], stored = [] } = record;
  const { code, meaning, crud, display } = AUDIT_EVENTS[action];
  const details = auditDetails(record).map(([type, value]) => element('ParticipantObjectDetail', { type, value: base64(value) }));
  const instances = [...sources, ...stored];
  return [
    '<?xml version="1.0" encoding="UTF-8"?>\n',
    element('AuditMessage', {}, [
      element('EventIdentification', { EventActionCode: crud, EventDateTime: recordedAt, EventOutcomeIndicator: OUTCOMES[outcome] }, [
        coded('EventID', code, 'DCM', meaning),
        coded('EventTypeCode', action, '99OVERREAD', display),
      ]),
      element('ActiveParticipant', { UserID: user ?? 'not signed in', UserIsRequestor: record.details?.automatic !== 'true' }),
      element('ActiveParticipant', { UserID: `Overread ${record.software.version}`, UserIsRequestor: record.details?.automatic === 'true' }, [
        coded('RoleIDCode', '110150', 'DCM', 'Application'),
      ]),
      element('AuditSourceIdentification', { AuditSourceID: site }, [element('AuditSourceTypeCode', { 'csd-code': 1 })]),
      ...(studyInstanceUID === undefined ? [element('ParticipantObjectIdentification', { ParticipantObjectID: record.id, ParticipantObjectTypeCode: 2 }, [
        coded('ParticipantObjectIDTypeCode', 'record', '99OVERREAD', 'Audit record'),
        named('Audit record'),
        ...details,
      ])] : [element('ParticipantObjectIdentification', { ParticipantObjectID: studyInstanceUID, ParticipantObjectTypeCode: 2, ParticipantObjectTypeCodeRole: 3 }, [
        coded('ParticipantObjectIDTypeCode', '110180', 'DCM', 'Study Instance UID'),
        named('Study'),
        ...details,
        ...(instances.length > 0 ? [element('ParticipantObjectDescription', {}, [
          element('SOPClass', { NumberOfInstances: instances.length }, instances.map(UID => element('Instance', { UID }))),
        ])] : []),
      ])]),
    ]),
    '\n',
  ].join('');
}

function coded(name: string, code: string, codeSystemName: string, originalText: string): string {
  return element(name, { 'csd-code': code, codeSystemName, originalText });
}

/** The schema wants a name, or a query: never one of a patient. */
const named = (what: string): string => element('ParticipantObjectName', {}, [what]);

function element(name: string, attributes: Attributes, children: readonly string[] = []): string {
  const written = Object.entries(attributes).map(([key, value]) => (value === undefined ? '' : ` ${key}="${escaped(String(value))}"`)).join('');
  return children.length > 0 ? `<${name}${written}>${children.join('')}</${name}>` : `<${name}${written}/>`;
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\t': '&#9;', '\n': '&#10;', '\r': '&#13;' };

/** What XML 1.0 has no place for is left out. */
function escaped(text: string): string {
  return text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '').replace(/[&<>"\t\n\r]/g, character => ENTITIES[character]!);
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
