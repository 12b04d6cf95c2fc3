/** The main job over the embedded store, at the root and under a sub-path. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { openBrowser, ROOT, serve, temporaryFolder } from './harness.mjs';
import { mainJob, readTruth } from './main-job.mjs';

const CLI = path.join(ROOT, 'dist/cli/main.mjs');
const store = temporaryFolder('store');
let server, window;

before(async () => {
  const made = spawnSync(process.execPath, [CLI, 'demo', '--small', '--out', store], { encoding: 'utf8' });
  assert.equal(made.status, 0, made.stderr);
  server = await serve(['--store', store]);
  window = await openBrowser(server.origin);
});

after(async () => {
  await window?.close();
  await server?.stop();
});

test('the main job over the embedded store', async t => {
  await mainJob(t, { page: window.page, seen: window.seen, origin: server.origin, truth: readTruth(store), name: 'embedded' });
});
