import { Audit, auditedResult } from '../../../../extension/audit/audit.ts';
import { memoryLog } from '../../../../extension/audit/log.ts';
import type { AuditRecord } from '../../../../src/audit/record.ts';
import { result, twoViews } from '../made.ts';

const RUN = { action: 'run', outcome: 'success' } as const;

/** A page with an endpoint that answers as it is told. */
function page({ log = memoryLog(), answers = [] as (number | Error)[] } = {}) {
  const sent: { url: string; init: RequestInit }[] = [];
  const audit = new Audit({
    log, endpoint: { url: 'https://log.example/audit', format: 'fhir' }, user: () => 'Rita', site: 'viewer.example', exclusive: work => work(),
    send: async (url, init) => {
      const answer = answers.shift() ?? 200;
      if (answer instanceof Error) throw answer;
      if (answer === 200) sent.push({ url: String(url), init: init! });
      return new Response(null, { status: answer });
    },
  });
  const actions = () => sent.map(({ init }) => (JSON.parse(String(init.body)) as { subtype: [{ code: string }] }).subtype[0].code);
  return { audit, log, sent, actions };
}

test('records are kept in order, with who and when, and each is sent once', async () => {
  const { audit, sent, actions } = page();
  await Promise.all([audit.record(RUN), audit.record({ action: 'verdict', outcome: 'success', details: { decision: 'rejected' } })]);
  const records = (await audit.lines()).trim().split('\n').map(line => JSON.parse(line) as AuditRecord);
  expect(records).toMatchObject([{ action: 'run', user: 'Rita' }, { action: 'verdict', details: { decision: 'rejected' } }]);
  expect(actions()).toEqual(['run', 'verdict']);
  expect(sent[0]).toMatchObject({ url: 'https://log.example/audit', init: { method: 'POST', headers: { 'Content-Type': 'application/fhir+json' } } });
  expect(audit.state.get()).toEqual({ records: 2, waiting: 0, problem: undefined });
});

test('what could not be sent waits, in order, and goes with the next event', async () => {
  const { audit, actions } = page({ answers: [new TypeError('Failed to fetch'), 503] });
  await audit.record(RUN);
  expect(audit.state.get()).toEqual({ records: 1, waiting: 1, problem: 'The audit endpoint cannot be reached.' });
  await audit.record({ action: 'store', outcome: 'success' });
  expect(audit.state.get()).toEqual({ records: 2, waiting: 2, problem: 'The audit endpoint answered with HTTP status 503.' });
  expect(actions()).toEqual([]);
  await audit.record({ action: 'export', outcome: 'success' });
  expect(actions()).toEqual(['run', 'store', 'export']);
  expect(audit.state.get()).toEqual({ records: 3, waiting: 0, problem: undefined });
});

test('the next page sends what this one could not, and nothing twice', async () => {
  const first = page({ answers: [200, 500] });
  await first.audit.record(RUN);
  await first.audit.record({ action: 'store', outcome: 'success' });
  const second = page({ log: first.log });
  await second.audit.resume();
  expect([first.actions(), second.actions()]).toEqual([['run'], ['store']]);
});

test('without an endpoint records are kept and nothing is sent', async () => {
  const send = jest.fn();
  const audit = new Audit({ log: memoryLog(), user: () => undefined, site: 's', send });
  await audit.record(RUN);
  expect(send).not.toHaveBeenCalled();
  expect(audit.state.get()).toMatchObject({ records: 1, waiting: 0 });
  expect(JSON.parse(await audit.lines())).not.toHaveProperty('user');
});

test('a log that cannot be written says so, and whoever is audited goes on', async () => {
  const log = { ...memoryLog(), add: async () => Promise.reject(new Error('QuotaExceededError')) };
  const { audit } = page({ log });
  await audit.record(RUN);
  expect(audit.state.get().problem).toContain('QuotaExceededError');
});

test('a result is named by model, study and pictures, and by nothing of the patient', () => {
  expect(auditedResult(twoViews())).toEqual({ model: { id: 'lung-unet', version: '1.0.0', sha256: 'a' }, studyInstanceUID: '1', sources: ['pa', 'l'] });
  const named = result();
  expect(JSON.stringify(auditedResult({ ...named, source: { ...named.source, attributes: { patientID: 'CANARY' } } }))).not.toContain('CANARY');
});
