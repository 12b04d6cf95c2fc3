/**
 * A cohort of tiny DX studies in a real Orthanc, run by the command line as a user runs it: killed (SIGKILL) twice in the
 * middle and resumed; and by four workers over a real Redis, two of them killed. Both give every study once.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { freePort, ROOT, startProcess, temporaryFolder } from '../browser/harness.mjs';
import { PASSWORD, USER } from './orthanc.mjs';

const MODEL = path.join(ROOT, 'test/fixtures/tiny-bright');
const CLI = path.join(ROOT, 'dist/cli/main.mjs');
const AUTH = { OVERREAD_DICOMWEB_AUTH: `${USER}:${PASSWORD}` };

/** Sends `count` studies of one film each. @returns their UIDs */
export async function sendStudies(orthanc, count) {
  await import('../generators/typescript.mjs');
  const { film, studyUid } = await import('../unit/cli/cohort/studies.ts');
  const left = Array.from({ length: count }, (_, n) => n);
  const send = async () => {
    for (let n = left.pop(); n !== undefined; n = left.pop()) {
      const response = await fetch(`${orthanc.origin}/instances`, { method: 'POST', headers: { authorization: orthanc.authorization }, body: film(n, 4 + (n % 9), 'DX') });
      assert.ok(response.ok, `Orthanc answered ${response.status}`);
    }
  };
  await Promise.all([send(), send(), send(), send()]);
  return Array.from({ length: count }, (_, n) => studyUid(n));
}

/** Takes a study out of the PACS. */
export async function removeStudy(orthanc, uid) {
  const found = await (await fetch(`${orthanc.origin}/tools/find`, { method: 'POST', headers: { authorization: orthanc.authorization }, body: JSON.stringify({ Level: 'Study', Query: { StudyInstanceUID: uid } }) })).json();
  assert.equal(found.length, 1);
  await fetch(`${orthanc.origin}/studies/${found[0]}`, { method: 'DELETE', headers: { authorization: orthanc.authorization } });
}

/** Debian's redis-server on a free port, or why there is none. */
export async function startRedis() {
  if (spawnSync('redis-server', ['--version']).status !== 0) return { skipped: 'redis-server is not installed: apt-get install redis-server' };
  const port = await freePort();
  const { stop } = await startProcess('redis-server', ['--port', `${port}`, '--save', '', '--appendonly', 'no', '--bind', '127.0.0.1'], 'Ready to accept', { cwd: temporaryFolder('redis') });
  return { url: `redis://127.0.0.1:${port}`, stop };
}

/**
 * Stands before Orthanc and counts the studies that are asked for, so that something can happen in the middle of a known one.
 * @param onStudy called with the number of studies asked for so far, before this one is answered
 */
export async function counting(orthanc, onStudy) {
  let count = 0;
  const server = http.createServer(async (request, response) => {
    try {
      if (request.url.endsWith('/metadata')) await onStudy(++count);
      const answer = await fetch(`${orthanc.origin}${request.url}`, { headers: { accept: request.headers.accept ?? '*/*', authorization: request.headers.authorization ?? '' } });
      response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' }).end(Buffer.from(await answer.arrayBuffer()));
    } catch {
      response.destroy();
    }
  });
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${server.address().port}/dicom-web`, close: () => { server.close(); server.closeAllConnections(); } };
}

/** One process of the command line, its memory looked at twice a second. */
function start(args) {
  const child = spawn(process.execPath, [CLI, ...args], { env: { ...process.env, ...AUTH }, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', data => (said = (said + data).slice(-4000)));
  const memory = [];
  const look = setInterval(() => {
    try {
      const [, kb] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? [];
      // A process that is killed stands there a while without memory.
      if (kb !== undefined) memory.push([Date.now(), Number(kb) / 1024]);
    } catch {
      // Gone.
    }
  }, 500);
  const ended = new Promise(resolve => child.on('exit', (code, signal) => {
    clearInterval(look);
    resolve({ code, signal, said });
  }));
  return { child, memory, ended };
}

/** Lines of a journal without its header; the last one may be torn while the process runs. */
export function journalOf(out) {
  const file = path.join(out, 'journal.jsonl');
  if (!existsSync(file)) return [];
  const text = readFileSync(file, 'utf8');
  return text.slice(0, text.lastIndexOf('\n') + 1).split('\n').slice(1, -1).map(line => JSON.parse(line));
}

const cohortArgs = (orthanc, out, more = []) => ['cohort', '--dicomweb', orthanc.url, '--query', 'ModalitiesInStudy=DX', '--model', MODEL, '--backend', 'wasm', '--out', out, ...more];

/** Every study is in the journal and the table once. @param gone studies that were taken out of the PACS on the way */
function checkWhole(out, studies, gone = []) {
  const records = journalOf(out);
  assert.equal(records.length, studies.length, 'a line a study');
  assert.deepEqual(records.map(({ study }) => study).sort(), [...studies].sort(), 'each study once');
  assert.deepEqual(records.filter(({ outcome }) => outcome !== 'done').map(({ study }) => study).sort(), [...gone].sort(), 'none refused but those that are gone');
  for (const { entries } of records.filter(({ study }) => gone.includes(study))) assert.equal(entries[0].error.code, 'input/unreadable');
  const rows = readFileSync(path.join(out, 'results.csv'), 'utf8').trim().split('\r\n').slice(1).map(line => line.split(',')[0]);
  assert.deepEqual(rows.sort(), [...studies].sort(), 'a row a study');
  assert.ok(statSync(path.join(out, 'report.html')).size > 1000 && readdirSync(out).includes('results.parquet'));
}

/**
 * One process, killed after a third and after two thirds, and resumed each time; one study vanishes before its turn.
 * @returns studies a second while it ran, and its memory
 */
export async function killedCohort(orthanc, studies) {
  const out = path.join(temporaryFolder('cohort'), 'one');
  const runs = [];
  for (const share of [1 / 3, 1 / 2]) {
    // Of what is left when the run begins: in the middle of a study.
    const stop = Math.floor(share * (studies.length - journalOf(out).length));
    let running;
    const pacs = await counting(orthanc, count => { if (count === stop) running.child.kill('SIGKILL'); });
    running = start(cohortArgs(pacs, out));
    runs.push(running);
    const { signal, said } = await running.ended;
    pacs.close();
    assert.equal(signal, 'SIGKILL', said);
  }
  const before = journalOf(out);
  assert.ok(before.length > 0 && before.length < studies.length);
  let late;
  const pacs = await counting(orthanc, async count => {
    if (count !== 2) return;
    // It was listed when this run began, and is the last whose turn comes.
    const done = new Set(before.map(({ study }) => study));
    late = (await listed(orthanc)).findLast(study => !done.has(study));
    await removeStudy(orthanc, late);
  });
  const last = start(cohortArgs(pacs, out));
  runs.push(last);
  const { code, said } = await last.ended;
  pacs.close();
  assert.equal(code, 2, said);
  checkWhole(out, studies, [late]);
  return { ...paceOf(journalOf(out)), runs: runs.map(run => run.memory), journal: journalOf(out), out, gone: late };
}

/** One process that nothing happens to. */
export async function plainCohort(orthanc, studies) {
  const out = path.join(temporaryFolder('cohort'), 'plain');
  const running = start(cohortArgs(orthanc, out));
  const { code, said } = await running.ended;
  assert.equal(code, 0, said);
  checkWhole(out, studies);
  return { ...paceOf(journalOf(out)), runs: [running.memory], journal: journalOf(out) };
}

async function listed(orthanc) {
  const response = await fetch(`${orthanc.url}/studies?ModalitiesInStudy=DX&limit=100000`, { headers: { authorization: orthanc.authorization, accept: 'application/dicom+json' } });
  return (await response.json()).map(study => study['0020000D'].Value[0]);
}

/** Four workers over Redis, one killed after a quarter and one after a half; the others do the rest. */
export async function queuedCohort(orthanc, redis, studies, count = 4) {
  const folder = temporaryFolder('cohort');
  mkdirSync(folder, { recursive: true });
  const out = path.join(folder, 'queue');
  const workers = Array.from({ length: count }, () => start(['worker', '--model', MODEL, '--backend', 'wasm', '--redis', redis.url]));
  const kills = count > 2 ? [0.25, 0.5].map(share => Math.floor(share * studies.length)) : [];
  const killed = [];
  const pacs = await counting(orthanc, asked => {
    if (asked !== kills[killed.length]) return;
    workers[killed.length].child.kill('SIGKILL');
    killed.push({ at: Date.now(), after: asked });
  });
  const running = start(cohortArgs(pacs, out, ['--redis', redis.url]));
  const { code, said } = await running.ended;
  pacs.close();
  assert.equal(code, 0, said);
  for (const { ended } of workers.slice(0, killed.length)) assert.equal((await ended).signal, 'SIGKILL');
  for (const { child, ended } of workers.slice(killed.length)) {
    child.kill('SIGTERM');
    assert.equal((await ended).code, 0);
  }
  checkWhole(out, studies);
  return { ...paceOf(journalOf(out)), killed, runs: [...workers, running].map(run => run.memory), journal: journalOf(out) };
}

/** Between the first record and the last, without pauses of more than 5 s in which a process started again. */
function paceOf(journal) {
  const times = journal.map(({ at }) => Date.parse(at)).sort((a, b) => a - b);
  let ms = 0;
  for (let i = 1; i < times.length; i++) if (times[i] - times[i - 1] < 5000) ms += times[i] - times[i - 1];
  return { studiesPerSecond: (1000 * (times.length - 1)) / ms };
}
