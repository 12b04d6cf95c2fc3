/** What can go wrong: each with a clear error, the viewer alive, and nothing lost. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { flipBit, modelsWith, withoutIntendedUse } from './broken-models.mjs';
import { command, openBrowser, openStudy, ROOT, screenshot, serve, settled, state, temporaryFolder } from './harness.mjs';
import { masksShown, openFromWorkList, poll, readTruth, show, visibleMasks } from './main-job.mjs';
import { nifti } from './nifti.mjs';
import { listStudies } from './studies.mjs';
import { destroyDevice, liveBuffers, watchGPU } from './watch-gpu.mjs';

const CLI = path.join(ROOT, 'dist/cli/main.mjs');
const folder = temporaryFolder('faults');
const store = path.join(folder, 'store');
const models = path.join(folder, 'models');
const TINY = path.join(ROOT, 'test/fixtures/tiny-bright');
let server, window, page, truth, ctStudy;

function cli(...args) {
  const done = spawnSync(process.execPath, [CLI, ...args], { encoding: 'utf8' });
  assert.equal(done.status, 0, done.stderr);
  return done.stdout;
}

before(async () => {
  cli('demo', '--small', '--out', store);
  truth = readTruth(store);
  const volume = path.join(folder, 'ct.nii');
  writeFileSync(volume, nifti(48, 48, 6, (i, j) => (Math.hypot(i - 24, j - 24) < 18 ? 40 : -1000)));
  cli('dicomize', '--modality', 'CT', '--patient-id', 'CT-1', '--patient-name', 'Fault^CT', '--out', path.join(store, 'ct'), volume);
  modelsWith(models, TINY, 'tiny-bright', () => undefined);
  // Other weights than the sound model's: those are cached under their hash, and a cached file is never fetched again.
  modelsWith(models, path.join(ROOT, 'test/fixtures/tiny-unet'), 'tiny-corrupt', flipBit);
  modelsWith(models, TINY, 'tiny-incomplete', withoutIntendedUse);
  modelsWith(models, TINY, 'tiny-gone', () => undefined);
  // And the gate that judges for it.
  for (const id of ['lung-unet', 'cxr-view']) modelsWith(models, path.join(ROOT, 'models', id), id, () => undefined);
  server = await serve(['--store', store, '--models', models]);
  ctStudy = (await listStudies(server.origin)).find(s => s.modalities === 'CT').uid;
  window = await openBrowser(server.origin);
  page = window.page;
  await watchGPU(page);
  await openStudy(page, server.origin, truth.other.studyInstanceUID);
  await page.locator('[data-overread="run"]:not([disabled])').waitFor();
});

after(async () => {
  await window?.close();
  await server?.stop();
});

/** Runs a model and gives the state after it. */
async function run(modelId) {
  await command(page, 'overreadRun', { modelId });
  return settled(page);
}

async function runsWell() {
  const after = await run('tiny-bright');
  assert.equal(after.lastError, null, after.lastError?.message);
  await masksShown(page, 1);
}

test('a sound tiny model runs', async () => {
  await runsWell();
});

test('a manifest with a missing field is named in the panel, and the other models are there', async () => {
  const panel = await page.locator('[data-overread="panel"]').innerText();
  assert.match(panel, /tiny-incomplete/);
  assert.match(panel, /intendedUse/);
  const { models: offered } = await state(page);
  assert.ok(offered.some(m => m.id === 'tiny-bright') && !offered.some(m => m.id === 'tiny-incomplete'));
});

test('a corrupt weight file is refused by its hash, and the mask that was there stays', async () => {
  const after = await run('tiny-corrupt');
  assert.equal(after.lastError?.code, 'model/corrupt');
  assert.match(after.lastError.message, /weights\.bin/);
  await screenshot(page, 'fault-corrupt');
  await masksShown(page, 1);
  await runsWell();
});

test('a model folder that is not there any more', async () => {
  rmSync(path.join(models, 'tiny-gone'), { recursive: true });
  const after = await run('tiny-gone');
  assert.equal(after.lastError?.code, 'model/not-found');
  await runsWell();
});

test('20 clicks in a row are one run', async () => {
  const before = (await state(page)).results.length;
  const answers = await page.evaluate(async () => {
    const jobs = Array.from({ length: 20 }, () => window.commandsManager.runCommand('overreadRun', { modelId: 'tiny-bright' }));
    return (await Promise.all(jobs)).filter(Boolean).length;
  });
  assert.equal(answers, 1);
  const after = await settled(page);
  assert.equal(after.results.length, before);
  assert.equal(after.lastError, null);
  await masksShown(page, 1);
});

test('the GPU device lost in the middle fails that run by name, and the next one works', async () => {
  const masks = (await visibleMasks(page)).length;
  const running = command(page, 'overreadRun', { modelId: 'lung-unet' });
  await poll(async () => (await state(page)).running?.progress === 'Running the model', 'the model to run', 120_000);
  await destroyDevice(page);
  await running;
  const after = await settled(page);
  assert.equal(after.lastError?.code, 'device/lost', JSON.stringify(after.lastError));
  await screenshot(page, 'fault-device-lost');
  assert.equal((await visibleMasks(page)).length, masks);
  await runsWell();
  assert.equal((await liveBuffers(page)).devices, 2);
});

test('the study closed in the middle: the result is kept for its study and shown on no other', async () => {
  // The run may end before the next study is entered, which clears the error: what was told stays told.
  await page.evaluate(() => {
    const { uiNotificationService } = window.services;
    const show = uiNotificationService.show.bind(uiNotificationService);
    window.told = [];
    uiNotificationService.show = said => {
      window.told.push(said.message);
      return show(said);
    };
  });
  void command(page, 'overreadRun', { modelId: 'lung-unet' }).catch(() => {});
  await poll(async () => (await state(page)).running, 'the run to begin');
  await page.locator('[data-cy="return-to-work-list"]').first().click();
  await openFromWorkList(page, undefined, 'Demo, Chest');
  await show(page, truth.frontal.seriesInstanceUID);
  await poll(async () => (await page.evaluate(() => window.told)).some(message => /^The study was closed while Lung U-Net ran/.test(message)), 'the word that the study was closed', 60_000);
  const after = await state(page);
  assert.equal((await visibleMasks(page)).length, 0);
  assert.ok(after.results.some(r => r.model.id === 'lung-unet' && !r.open));
  await screenshot(page, 'fault-study-closed');
  // Back in its study, it is there.
  await page.locator('[data-cy="return-to-work-list"]').first().click();
  await openFromWorkList(page, undefined, 'Demo, Bedside');
  await poll(async () => (await visibleMasks(page)).length > 0, 'the kept masks');
});

test('a CT handed to a chest X-ray model is refused', async () => {
  await openStudy(page, server.origin, ctStudy);
  const after = await run('tiny-bright');
  assert.equal(after.lastError?.code, 'input/refused');
  assert.match(after.lastError.message, /CT/);
  await screenshot(page, 'fault-ct');
});

test('200 runs leave tensors and GPU buffers where they were after the first', async () => {
  await openStudy(page, server.origin, truth.other.studyInstanceUID);
  await page.locator('[data-overread="run"]:not([disabled])').waitFor();
  await runsWell();
  // A small picture: the viewer's software rendering is most of what a run costs here.
  await page.setViewportSize({ width: 640, height: 420 });
  const first = { ...(await command(page, 'overreadMemory')), ...(await liveBuffers(page)) };
  await page.evaluate(async () => {
    for (let i = 0; i < 199; i++) await window.commandsManager.runCommand('overreadRun', { modelId: 'tiny-bright' });
  });
  await page.setViewportSize({ width: 1600, height: 900 });
  const last = { ...(await command(page, 'overreadMemory')), ...(await liveBuffers(page)) };
  assert.deepEqual(last, first);
  await masksShown(page, 1);
});

test('no page error and no policy violation on the way', () => {
  assert.deepEqual(window.seen.pageErrors, []);
  assert.deepEqual(window.seen.policy, []);
});
