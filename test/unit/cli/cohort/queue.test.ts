import '@tensorflow/tfjs-backend-cpu';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { Journal, type StudyRecord } from '../../../../src/cli/cohort/journal.ts';
import { queueCohort } from '../../../../src/cli/cohort/queue.ts';
import { redisConnection } from '../../../../src/cli/cohort/redis.ts';
import { startWorker } from '../../../../src/cli/cohort/worker.ts';
import type { StudyJob } from '../../../../src/cli/cohort/study-job.ts';
import type { ModelRunner } from '../../../../src/cli/model-runner.ts';
import { OverreadError } from '../../../../src/errors.ts';
import { fakeRunner } from '../fake-runner.ts';
import { film, studyUid } from './studies.ts';

const there = spawnSync('redis-server', ['--version']).status === 0;
const withRedis = there ? describe : describe.skip;

test('an address that is none of Redis is refused', () => {
  expect(() => redisConnection('http://localhost', () => {})).toThrow(/redis:\/\/host:port/);
  expect(redisConnection('redis://user:p%40ss@host:7000/2', () => {})).toMatchObject({ host: 'host', port: 7000, db: 2, username: 'user', password: 'p@ss' });
});

withRedis('over a real Redis (skipped where redis-server is not installed)', () => {
  const N = 8;
  let home: string;
  let port: number;
  let server: ChildProcess;
  /** Lets a test that failed end: the queue waits for ever. */
  let ended = false;
  const files = (n: number) => [path.join(home, `${n}.dcm`)];
  const model = { id: 'bright', version: '1.0.0', sha256: 'ab'.repeat(32) };
  const jobs = (): StudyJob[] => Array.from({ length: N }, (_, n) => ({ study: studyUid(n), files: files(n), models: [model] }));
  const redis = () => `redis://127.0.0.1:${port}`;
  const runner = (refuse?: () => void): ModelRunner => {
    const fake = fakeRunner(refuse);
    return { ...fake, manifest: { ...fake.manifest, input: { ...fake.manifest.input, modality: ['CR'] } } };
  };
  const worker = (queue: string, refuse?: () => void) => startWorker({ redis: redis(), queue, runners: [runner(refuse)], note: () => {}, lockMs: 1500 });

  async function startRedis(): Promise<void> {
    server = spawn('redis-server', ['--port', `${port}`, '--save', '', '--appendonly', 'no', '--bind', '127.0.0.1'], { stdio: ['ignore', 'pipe', 'ignore'] });
    await new Promise<void>(resolve => server.stdout!.on('data', (data: Buffer) => data.includes('Ready to accept') && resolve()));
  }

  async function cohort(out: string, queue: string): Promise<StudyRecord[]> {
    const journal = new Journal(path.join(home, out), [model]);
    try {
      expect(await queueCohort(jobs(), { redis: redis(), queue, journal, note: () => {}, stopped: () => ended })).toBe(true);
      return [...journal.records()];
    } finally {
      journal.close();
    }
  }

  const linesOf = (out: string) => fs.readFileSync(path.join(home, out, 'journal.jsonl'), 'utf8').trim().split('\n').slice(1).map(line => (JSON.parse(line) as StudyRecord).study);
  const all = () => jobs().map(({ study }) => study).sort();

  beforeAll(async () => {
    home = fs.mkdtempSync(path.join(os.tmpdir(), 'overread-queue-'));
    for (let n = 0; n < N; n++) fs.writeFileSync(files(n)[0]!, film(n, 4 + n));
    port = await new Promise<number>(resolve => {
      const probe = net.createServer().listen(0, '127.0.0.1', () => {
        const { port: free } = probe.address() as net.AddressInfo;
        probe.close(() => resolve(free));
      });
    });
    await startRedis();
  });
  afterEach(() => (ended = true));
  beforeEach(() => (ended = false));
  afterAll(() => {
    server.kill('SIGKILL');
    fs.rmSync(home, { recursive: true });
  });

  test('two workers do all of it, each study once; a second run does nothing', async () => {
    const ends = [worker('plain'), worker('plain')];
    const records = await cohort('plain', 'plain');
    await Promise.all(ends.map(end => end()));
    expect(records.map(r => r.outcome)).toEqual(Array(N).fill('done'));
    expect(linesOf('plain').sort()).toEqual(all());
    // No worker is there any more: nothing is left to do.
    expect(await cohort('plain', 'plain')).toHaveLength(N);
    expect(linesOf('plain')).toHaveLength(N);
  });

  test('what a worker held that died is done by another', async () => {
    const script = path.join(home, 'dies.mjs');
    // Takes a job as BullMQ does, and is killed with it: a worker of the same queue in a process of its own.
    fs.writeFileSync(script, `
      import { createRequire } from 'node:module';
      const { Worker } = createRequire(${JSON.stringify(__filename)})('bullmq');
      new Worker('dead', async job => { process.stdout.write('took ' + job.data.study); await new Promise(() => {}); }, { connection: { host: '127.0.0.1', port: ${port}, maxRetriesPerRequest: null }, lockDuration: 1500, stalledInterval: 1500 });
    `);
    const dying = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const took = new Promise<string>(resolve => dying.stdout.on('data', (data: Buffer) => resolve(data.toString())));
    const done = cohort('dead', 'dead');
    expect(await took).toContain('took 1.2.3.');
    dying.kill('SIGKILL');
    const end = worker('dead');
    expect((await done).map(r => r.outcome)).toEqual(Array(N).fill('done'));
    await end();
    expect(linesOf('dead').sort()).toEqual(all());
  });

  test('a study that fails every time is set aside with its reason, and the others are done', async () => {
    let tried = 0;
    const end = startWorker({
      redis: redis(), queue: 'poison', note: () => {}, lockMs: 1500,
      runners: [{ ...runner(), run: async images => {
        const [source] = images[0]!.sources;
        if ('studyInstanceUID' in source! && source.studyInstanceUID === studyUid(3)) {
          tried++;
          throw new OverreadError('device/lost', 'The device was lost.');
        }
        return runner().run(images);
      } }],
    });
    const records = await cohort('poison', 'poison');
    await end();
    expect(tried).toBe(3);
    expect(records.find(r => r.study === studyUid(3))).toMatchObject({ outcome: 'failed', tries: 3, entries: [{ error: { code: 'device/lost' } }] });
    expect(records.filter(r => r.outcome === 'done')).toHaveLength(N - 1);
    expect(await cohort('poison', 'poison')).toHaveLength(N);
  });

  test('Redis gone in the middle, and empty when it comes back: nothing lost, nothing twice', async () => {
    let slow = 0;
    const end = worker('restart', () => { slow++; });
    const done = cohort('restart', 'restart');
    while (slow < 2) await new Promise(resolve => setTimeout(resolve, 20));
    server.kill('SIGKILL');
    await new Promise(resolve => server.on('exit', resolve));
    await startRedis();
    expect((await done).map(r => r.outcome)).toEqual(Array(N).fill('done'));
    await end();
    expect(linesOf('restart').sort()).toEqual(all());
  });

  test('two cohorts that wait for the same workers have a journal each, with its own studies', async () => {
    const half = (first: boolean) => jobs().filter((_, n) => n < N / 2 === first);
    const end = worker('shared');
    await Promise.all([true, false].map(async first => {
      const out = `shared-${first}`;
      const journal = new Journal(path.join(home, out), [model]);
      expect(await queueCohort(half(first), { redis: redis(), queue: 'shared', journal, note: () => {}, stopped: () => ended })).toBe(true);
      journal.close();
      expect(linesOf(out).sort()).toEqual(half(first).map(({ study }) => study).sort());
    }));
    await end();
  });

  test('a PACS that does not answer for a while costs no study its tries', async () => {
    let asked = 0;
    const pacs = http.createServer((_, response) => {
      asked++;
      // As one that is being started again: three tries find nobody, each of which asks three times.
      if (asked <= 9) response.destroy();
      else response.writeHead(404).end();
    }).listen(0, '127.0.0.1');
    await new Promise(resolve => pacs.once('listening', resolve));
    const dicomweb = `http://127.0.0.1:${(pacs.address() as net.AddressInfo).port}`;
    const end = startWorker({ redis: redis(), queue: 'away', runners: [runner()], note: () => {}, lockMs: 1500, unansweredMs: 50 });
    const journal = new Journal(path.join(home, 'away'), [model]);
    await queueCohort([{ study: '1.2.3', dicomweb, models: [model] }], { redis: redis(), queue: 'away', journal, note: () => {}, stopped: () => ended });
    const [record] = journal.records();
    journal.close();
    await end();
    pacs.close();
    // It is there again, and the study was taken away meanwhile: refused for that.
    expect(record).toMatchObject({ outcome: 'refused', entries: [{ error: { code: 'input/unreadable' } }] });
  });

  test('a worker with other weights does no study', async () => {
    const other = { ...runner(), identity: { ...runner().identity, sha256: 'cd'.repeat(32) } };
    const notes: string[] = [];
    const end = startWorker({ redis: redis(), queue: 'weights', runners: [other], note: line => notes.push(line), lockMs: 1500 });
    const records = await cohort('weights', 'weights');
    await end();
    expect(records.every(r => r.outcome === 'failed' && r.entries[0]!.error!.message.includes('same models'))).toBe(true);
    expect(notes[0]).toContain('cd'.repeat(32));
  });
});
