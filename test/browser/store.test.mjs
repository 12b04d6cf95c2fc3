/** Results stored in the embedded store, and brought back. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { openBrowser, ROOT, serve, temporaryFolder } from './harness.mjs';
import { readTruth } from './main-job.mjs';
import { storeJob } from './store-job.mjs';

test('results go to the embedded store and come back', async t => {
  const store = temporaryFolder('stored');
  const made = spawnSync(process.execPath, [path.join(ROOT, 'dist/cli/main.mjs'), 'demo', '--small', '--out', store], { encoding: 'utf8' });
  assert.equal(made.status, 0, made.stderr);
  const server = await serve(['--store', store], { softwareGpu: false });
  const window = await openBrowser(server.origin, { webgpu: false });
  try {
    await storeJob(t, { ...window, origin: server.origin, frontal: readTruth(store).frontal, name: 'store' });
  } catch (error) {
    console.log(window.seen);
    throw error;
  } finally {
    await window.close();
    await server.stop();
  }
});
