import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { dicomAuditMessage } from '../../../src/audit/dicom-message.ts';
import { fhirAuditEvent } from '../../../src/audit/fhir.ts';
import { AUDIT_EVENTS, auditLines, auditRecord, type AuditAction } from '../../../src/audit/record.ts';

const RECORD = auditRecord({
  action: 'store', outcome: 'failure', error: 'network/status', model: { id: 'lung-unet', version: '1.1.0', sha256: 'ab' },
  studyInstanceUID: '1.2', sources: ['1.2.3', '1.2.3', '1.2.4'], stored: ['2.25.1'], details: { format: 'a "quoted" <word> & \u0001ß' },
}, { user: 'Reader^Rita "R&R" <x>', version: '0.1.0', id: 'a-uuid', now: new Date('2026-03-01T10:00:00Z') });

test('a record is one line of JSON, each source once', () => {
  expect(JSON.parse(auditLines([RECORD]))).toEqual({
    schemaVersion: 1, id: 'a-uuid', recordedAt: '2026-03-01T10:00:00.000Z', user: 'Reader^Rita "R&R" <x>', action: 'store', outcome: 'failure', error: 'network/status',
    model: { id: 'lung-unet', version: '1.1.0', sha256: 'ab' }, studyInstanceUID: '1.2', sources: ['1.2.3', '1.2.4'], stored: ['2.25.1'],
    details: { format: 'a "quoted" <word> & \u0001ß' }, software: { name: 'Overread', version: '0.1.0' },
  });
  expect(auditLines([RECORD, RECORD]).match(/\n/g)).toHaveLength(2);
});

test('as a DICOM audit message: well-formed, with event, participants and the study', () => {
  const xml = dicomAuditMessage(RECORD, 'viewer.example');
  const tree = parse(xml);
  expect(tree.name).toBe('AuditMessage');
  expect(tree.children.map(({ name }) => name)).toEqual(['EventIdentification', 'ActiveParticipant', 'ActiveParticipant', 'AuditSourceIdentification', 'ParticipantObjectIdentification']);
  const [event, user, , source, study] = tree.children;
  expect(event!.attributes).toEqual({ EventActionCode: 'C', EventDateTime: '2026-03-01T10:00:00.000Z', EventOutcomeIndicator: '8' });
  expect(event!.children.map(({ name, attributes }) => [name, attributes['csd-code'], attributes.codeSystemName])).toEqual([['EventID', '110104', 'DCM'], ['EventTypeCode', 'store', '99OVERREAD']]);
  expect(user!.attributes).toEqual({ UserID: 'Reader^Rita "R&R" <x>', UserIsRequestor: 'true' });
  expect(source!.attributes).toEqual({ AuditSourceID: 'viewer.example' });
  expect(study!.attributes).toEqual({ ParticipantObjectID: '1.2', ParticipantObjectTypeCode: '2', ParticipantObjectTypeCodeRole: '3' });
  // The order is the schema's: type, name, details, description.
  expect(study!.children[0]).toMatchObject({ name: 'ParticipantObjectIDTypeCode', attributes: { 'csd-code': '110180', codeSystemName: 'DCM' } });
  expect(study!.children[1]).toMatchObject({ name: 'ParticipantObjectName', attributes: { text: 'Study' } });
  const details = study!.children.filter(({ name }) => name === 'ParticipantObjectDetail').map(({ attributes: { type, value } }) => [type, Buffer.from(value!, 'base64').toString('utf8')]);
  expect(details).toEqual([['record', 'a-uuid'], ['model', 'lung-unet 1.1.0'], ['modelSha256', 'ab'], ['error', 'network/status'], ['format', 'a "quoted" <word> & \u0001ß']]);
  const [sopClass] = study!.children.at(-1)!.children;
  expect(sopClass!.attributes).toEqual({ NumberOfInstances: '3' });
  expect(sopClass!.children.map(({ attributes: { UID } }) => UID)).toEqual(['1.2.3', '1.2.4', '2.25.1']);
});

const PYTHON = '/usr/bin/python3';
const hasLxml = spawnSync(PYTHON, ['-c', 'import lxml'], { timeout: 60_000 }).status === 0;

(hasLxml ? test : test.skip)('every DICOM audit message is one by the grammar of PS3.15 A.5.1', () => {
  const bare = (Object.keys(AUDIT_EVENTS) as AuditAction[]).map(action => auditRecord({ action, outcome: 'cancelled', details: { automatic: 'true' } }, { version: '0.1.0' }));
  const messages = [RECORD, ...bare].map(record => dicomAuditMessage(record, 'viewer.example'));
  // The last one is none: no event.
  const { stdout, stderr } = spawnSync(PYTHON, ['-c', `import json, sys
from lxml import etree
grammar = etree.RelaxNG(etree.parse(sys.argv[1]))
out = []
for text in json.load(sys.stdin):
    out.append('' if grammar.validate(etree.fromstring(text.encode())) else str(grammar.error_log.last_error))
print(json.dumps(out))`, path.resolve('test/fixtures/audit-message.rng')], { encoding: 'utf8', input: JSON.stringify([...messages, messages[0]!.replace(/<EventID .*?\/>/, '')]), timeout: 60_000 });
  if (!stdout) throw new Error(stderr);
  const problems = JSON.parse(stdout) as string[];
  expect(problems.slice(0, -1)).toEqual(messages.map(() => ''));
  expect(problems.at(-1)).not.toBe('');
});

test('as a FHIR AuditEvent: every element that R4 requires, and no empty list', () => {
  const event = fhirAuditEvent(RECORD, 'viewer.example');
  expect(event).toMatchObject({
    resourceType: 'AuditEvent', type: { code: '110104' }, subtype: [{ code: 'store' }], action: 'C', recorded: '2026-03-01T10:00:00.000Z', outcome: '8', outcomeDesc: 'network/status',
    agent: [{ who: { display: 'Reader^Rita "R&R" <x>' }, requestor: true }, { requestor: false }], source: { site: 'viewer.example', observer: { display: 'Overread' } },
  });
  expect(event.entity.map(({ what }) => what)).toEqual(['1.2', '1.2.3', '1.2.4', '2.25.1'].map(uid => ({ identifier: { system: 'urn:dicom:uid', value: `urn:oid:${uid}` } })));
  expect(JSON.stringify(event)).not.toMatch(/\[\]|\{\}|null/);
});

test.each(Object.keys(AUDIT_EVENTS) as AuditAction[])('%s without user, study and pictures is a message of both kinds', action => {
  const record = auditRecord({ action, outcome: 'success', details: { automatic: 'true' } }, { version: '0.1.0' });
  expect(record.id).toMatch(/^[0-9a-f-]{36}$/);
  const tree = parse(dicomAuditMessage(record, 's'));
  expect(tree.children.map(({ attributes: { UserIsRequestor } }) => UserIsRequestor).filter(Boolean)).toEqual(['false', 'true']);
  expect(tree.children.at(-1)!.attributes.ParticipantObjectID).toBe(record.id);
  expect(fhirAuditEvent(record, 's').agent.map(({ requestor }) => requestor)).toEqual([false, true]);
});

interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: Element[];
}

/** The little of XML that the messages use; anything else throws. */
function parse(xml: string): Element {
  const root: Element = { name: '', attributes: {}, children: [] };
  const open = [root];
  const text = (value: string) => value.replace(/&(amp|lt|gt|quot|#\d+);/g, (_, name: string) => ({ amp: '&', lt: '<', gt: '>', quot: '"' })[name] ?? String.fromCharCode(Number(name.slice(1))));
  // The one element with words between its tags.
  const named = xml.replace(/<(ParticipantObjectName)>([\w ]+)<\/\1>/g, '<$1 text="$2"/>');
  const rest = named.replace(/^<\?xml version="1.0" encoding="UTF-8"\?>\n/, '').replace(/<(\/?)(\w+)((?: [\w-]+="[^"<]*")*)(\/?)>/g, (_, end: string, name: string, written: string, empty: string) => {
    if (end) {
      expect(open.pop()!.name).toBe(name);
      return '';
    }
    const element: Element = { name, attributes: Object.fromEntries([...written.matchAll(/ ([\w-]+)="([^"]*)"/g)].map(([, key, value]) => [key!, text(value!)])), children: [] };
    open.at(-1)!.children.push(element);
    if (!empty) open.push(element);
    return '';
  });
  expect([rest.trim(), open.length]).toEqual(['', 1]);
  return root.children[0]!;
}
