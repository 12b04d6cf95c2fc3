import '@tensorflow/tfjs-backend-cpu';
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { parquetReadObjects } from 'hyparquet';
import type { Agreement } from '../../../../src/cli/cohort/agreement.ts';
import { cohort, type CohortOptions } from '../../../../src/cli/cohort/index.ts';
import { MOST_TRIES, type StudyRecord } from '../../../../src/cli/cohort/journal.ts';
import { FIXTURES, tinyManifest } from '../../runtime/tiny.ts';
import { embedded, removeFolders, stowBody, type Embedded } from '../serve/embedded.ts';
import { film, studyUid } from './studies.ts';

const N = 7;
let home: string;
const at = (...names: string[]) => path.join(home, ...names);
const RADII = [4, 6, 8, 10, 12, 5];

/** A segmenter of bright pixels, under another id, and with another label. */
function copyModel(from: string, id: string, label?: string): void {
  fs.mkdirSync(at('models', id), { recursive: true });
  for (const file of ['model.json', 'weights.bin']) fs.copyFileSync(path.join(FIXTURES, from, file), at('models', id, file));
  fs.writeFileSync(at('models', id, 'manifest.json'), JSON.stringify(tinyManifest(from, m => ({
    ...m, id, output: { ...m.output, targets: m.output.targets.map((t, i) => (label !== undefined && i === 0 ? { ...t, label } : t)) },
  }))));
}

beforeAll(() => {
  home = fs.mkdtempSync(path.join(os.tmpdir(), 'overread-cohort-'));
  copyModel('tiny-bright', 'first');
  copyModel('tiny-bright', 'second');
  copyModel('tiny-bright', 'other', 'Dark');
  fs.mkdirSync(at('films'));
  RADII.forEach((radius, n) => fs.writeFileSync(at('films', `${n}.dcm`), film(n, radius)));
  fs.writeFileSync(at('films', 'us.dcm'), film(N - 1, 5, 'US'));
});
afterAll(() => {
  fs.rmSync(home, { recursive: true });
  removeFolders();
});

async function run(out: string, paths: readonly string[], more: Partial<CohortOptions> = {}): Promise<{ status: number; notes: string[]; records: StudyRecord[] }> {
  const notes: string[] = [];
  const status = await cohort(paths, { model: ['first', 'second'], models: at('models'), backend: 'cpu', out: at(out), ...more }, { print: () => {}, note: line => notes.push(line) });
  return { status, notes, records: journalOf(out) };
}

function journalOf(out: string): StudyRecord[] {
  return fs.readFileSync(at(out, 'journal.jsonl'), 'utf8').trim().split('\n').slice(1).map(line => JSON.parse(line) as StudyRecord);
}

test('a folder: every study once, the refused with its reason, tables that say the same, agreement and a report', async () => {
  const { status, records } = await run('whole', [at('films')], { viewer: 'https://pacs/viewer/' });
  expect(status).toBe(2);
  expect(records.map(({ study }) => study).sort()).toEqual(Array.from({ length: N }, (_, n) => studyUid(n)));
  expect(records.filter(r => r.outcome === 'refused').map(r => r.study)).toEqual([studyUid(N - 1)]);
  const rows = await parquetReadObjects({ file: bufferOf(fs.readFileSync(at('whole/results.parquet'))) });
  const lines = fs.readFileSync(at('whole/results.csv'), 'utf8').trim().split('\r\n');
  expect(rows).toHaveLength(2 * N);
  expect(lines).toHaveLength(2 * N + 1);
  expect(lines[1]!.split(',')[0]).toBe(rows[0]!.study);
  expect(rows.find(row => row.error)).toMatchObject({ study: studyUid(N - 1), error: 'input/refused', value: null });
  const [agreement] = JSON.parse(fs.readFileSync(at('whole/agreement.json'), 'utf8')) as Agreement[];
  const [label] = agreement!.labels;
  // One and the same network twice.
  expect(label).toMatchObject({ label: 'Bright', measure: 'areaMm2', limits: { n: RADII.length, bias: { value: 0 }, deviation: 0 }, dice: { value: 1 } });
  expect(label!.values.map(v => v.a)).toEqual(rows.filter(r => r.model === 'first' && r.value !== null).map(r => r.value));
  expect(new Set(label!.values.map(v => v.a)).size).toBe(RADII.length);
  const report = fs.readFileSync(at('whole/report.html'), 'utf8');
  expect(report).toContain(`https://pacs/viewer/overread?StudyInstanceUIDs=${studyUid(0)}`);
  expect(report).toContain('Not for diagnosis');
  expect(report).toContain('input/refused');
  expect(report).toMatch(/<svg[\s\S]*Bland–Altman/);
  expect(report).not.toMatch(/(src|href)="(?!https:\/\/pacs)/);
  expect(report).not.toContain('P0');
});

test('what a kill left is gone on with: a torn line is done again, the rest is not', async () => {
  await run('torn', [at('films')]);
  const whole = fs.readFileSync(at('torn/journal.jsonl'), 'utf8');
  const third = whole.split('\n').slice(0, 4).join('\n').length + 1;
  fs.writeFileSync(at('torn/journal.jsonl'), whole.slice(0, third + 40));
  const { notes, records } = await run('torn', [at('films')]);
  expect(notes).toContain(`3 of ${N} studies are there already.`);
  expect(records.map(r => r.study)).toEqual(whole.trim().split('\n').slice(1).map(line => (JSON.parse(line) as StudyRecord).study));
  const before = fs.statSync(at('torn/journal.jsonl')).size;
  expect((await run('torn', [at('films')])).status).toBe(2);
  expect(fs.statSync(at('torn/journal.jsonl')).size).toBe(before);
});

test('other models do not go on in the same folder, and the same one is not compared with itself', async () => {
  await expect(run('torn', [at('films')], { model: ['first'] })).rejects.toMatchObject({ code: 'config/invalid', message: expect.stringContaining('first 1.0.0') });
  await expect(run('twice', [at('films')], { model: ['first', 'first'] })).rejects.toMatchObject({ code: 'cli/usage' });
});

test('models without a label in common: both tables stand, nothing is compared, and the report says so', async () => {
  await run('labels', [at('films')], { model: ['first', 'other'] });
  const [agreement] = JSON.parse(fs.readFileSync(at('labels/agreement.json'), 'utf8')) as Agreement[];
  expect(agreement).toMatchObject({ labels: [], onlyA: ['Bright, areaMm2'], onlyB: ['Dark, areaMm2'] });
  expect(fs.readFileSync(at('labels/report.html'), 'utf8')).toContain('no label in common');
});

test('a cohort of one has values and no agreement, by name', async () => {
  await run('one', [at('films/0.dcm')]);
  const [agreement] = JSON.parse(fs.readFileSync(at('one/agreement.json'), 'utf8')) as Agreement[];
  expect(agreement!.labels[0]!.values).toHaveLength(1);
  expect(agreement!.labels[0]!.limits).toBeUndefined();
  expect(agreement!.labels[0]!.remarks[0]).toContain('one study');
});

test('truths that are none are refused by their line', async () => {
  fs.writeFileSync(at('truths.csv'), 'study,label,value\n1.2.3.0,Bright,1\n1.2.3.1,Bright,maybe\n');
  await expect(run('truths', [at('films')], { labels: at('truths.csv') })).rejects.toMatchObject({ code: 'dataset/invalid', message: expect.stringContaining('line 3') });
});

describe('over DICOMweb', () => {
  let server: Embedded;
  beforeAll(async () => {
    server = await embedded();
    for (let n = 0; n < N - 1; n++) expect((await fetch(`${server.dicomWeb}/studies`, stowBody([film(n, RADII[n]!)]))).ok).toBe(true);
    expect((await fetch(`${server.dicomWeb}/studies`, stowBody([film(N - 1, 5, 'US')]))).ok).toBe(true);
  });
  afterAll(() => server.close());

  test('the studies that match a query, with the numbers of the same files', async () => {
    const { status, records } = await run('web', [], { dicomweb: server.dicomWeb, query: 'ModalitiesInStudy=CR' });
    expect(status).toBe(0);
    const byStudy = (of: readonly StudyRecord[]) => of.map(r => [r.study, r.entries.map(e => e.result)]).sort();
    expect(byStudy(records)).toEqual(byStudy(journalOf('whole').filter(r => r.outcome === 'done')));
  });

  test('a query that sets the paging is refused', async () => {
    await expect(run('paging', [], { dicomweb: server.dicomWeb, query: 'limit=3' })).rejects.toMatchObject({ code: 'cli/usage' });
  });

  test('a study that vanishes is refused by name; a server that does not answer ends the run, which goes on later', async () => {
    let answering = true;
    const vanished = studyUid(2);
    const proxy = http.createServer((request, response) => {
      if (request.url!.includes(`/studies/${vanished}/`)) return void response.writeHead(404).end();
      if (!answering && request.url!.includes('/series/')) return void response.destroy();
      void fetch(`${server.dicomWeb}${request.url}`, { headers: { accept: request.headers.accept! } }).then(async answer => {
        response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' }).end(Buffer.from(await answer.arrayBuffer()));
      });
    });
    await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve));
    const dicomweb = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    try {
      answering = false;
      // As often as a study is tried: it is the server that is gone.
      for (let i = 0; i < MOST_TRIES; i++) await expect(run('gone', [], { dicomweb, query: 'ModalitiesInStudy=CR' })).rejects.toMatchObject({ code: 'network/unreachable' });
      answering = true;
      const { status } = await run('gone', [], { dicomweb, query: 'ModalitiesInStudy=CR' });
      expect(status).toBe(2);
      const last = new Map(journalOf('gone').map(r => [r.study, r]));
      expect([...last.values()].filter(r => r.outcome === 'done')).toHaveLength(N - 2);
      expect(last.get(vanished)).toMatchObject({ outcome: 'refused', entries: [{ error: { code: 'input/unreadable' } }, {}] });
    } finally {
      proxy.close();
      proxy.closeAllConnections();
    }
  }, 60_000);
});

function bufferOf(bytes: Buffer): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}
