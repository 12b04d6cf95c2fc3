import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { openBrowser, openStudy, ROOT, screenshot, serve, temporaryFolder } from './harness.mjs';
import { blindedJob } from './blinded-job.mjs';
import { modelsWith } from './broken-models.mjs';
import { masksJob } from './masks-job.mjs';
import { readTruth, runByPanel, show } from './main-job.mjs';
test('dbg', async t => {
  const store = temporaryFolder('store');
  const done = spawnSync(process.execPath, [path.join(ROOT, 'dist/cli/main.mjs'), 'demo', '--small', '--out', store], { encoding: 'utf8' });
  assert.equal(done.status, 0, done.stderr);
  const truth = readTruth(store);
  const models = temporaryFolder('models');
  for (const id of ['lung-unet', 'cxr-view']) modelsWith(models, path.join(ROOT, 'models', id), id, () => undefined);
  modelsWith(models, path.join(ROOT, 'models/lung-unet'), 'lung-unet-strict', (_, { output, ...manifest }) => ({ ...manifest, name: 'Lung U-Net strict', output: { ...output, targets: output.targets.map(target => ({ ...target, operatingPoint: 0.95 })) } }));
  const server = await serve(['--store', store, '--models', models], { softwareGpu: false });
  const { page, seen, close } = await openBrowser(server.origin, { webgpu: false });
  const at = Date.now();
  try {
    await openStudy(page, server.origin, truth.frontal.studyInstanceUID);
    await show(page, truth.frontal.seriesInstanceUID);
    await runByPanel(page);
    console.log('run', Date.now() - at);
    try { await masksJob(t, { page, frontal: truth.frontal, lateral: truth.lateral, other: 'lung-unet-strict', name: 'masks' }); } catch (e) { console.log('MASKS', e); await screenshot(page, 'dbg-masks'); }
    console.log('masks', Date.now() - at);
    try { await blindedJob(t, { page, origin: server.origin, second: truth.other, models: ['lung-unet', 'lung-unet-strict'], marks: ['Lung U-Net', 'lung-unet', 'strict'], name: 'blinded' }); } catch (e) { console.log('BLINDED', e); }
    console.log('blinded', Date.now() - at);
    await screenshot(page, 'dbg-end');
    console.log(seen);
  } finally { await close(); await server.stop(); }
});
