/** Results stored in the embedded store, and brought back. */
import { test } from 'node:test';
import { openBrowser, serve } from './harness.mjs';
import { storeJob, storeStudies } from './store-job.mjs';

test('results go to the embedded store and come back', async t => {
  const { studies, models, frontal, cells } = storeStudies();
  const server = await serve(['--store', studies, '--models', models], { softwareGpu: false });
  const window = await openBrowser(server.origin, { webgpu: false });
  try {
    await storeJob(t, { ...window, origin: server.origin, frontal, cells, name: 'store', reload: true });
  } catch (error) {
    console.log(window.seen);
    throw error;
  } finally {
    await window.close();
    await server.stop();
  }
});
