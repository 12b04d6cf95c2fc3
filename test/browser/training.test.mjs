/** Fine-tuning in the real OHIF: labels of three patients, ten steps, curves, pause, a page that is killed, keeping, running, rolling back, operating points. On SwiftShader. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test as each } from 'node:test';
import { strFromU8, unzipSync } from 'fflate';
import { inOrder, openBrowser, openStudy, screenshot, serve, state, temporaryFolder } from './harness.mjs';
import { masksShown, poll, runByPanel, show } from './main-job.mjs';
import { discModel, discStudies, MODEL, SCORES, scoresModel } from './training-studies.mjs';

const NAME = 'Canary^Xanthippe';
const NUMBER = 'CANARY-0815';
const STEPS = 10;
const folder = temporaryFolder('training');
const canary = /canary|xanthippe/i;
const sent = [];
const logged = [];
let server, window, page, studies;

const test = inOrder(each, 'training', () => page, async () => console.log(window?.seen, await training().catch(() => undefined)));

before(async () => {
  const store = path.join(folder, 'store');
  const models = path.join(folder, 'models');
  mkdirSync(store, { recursive: true });
  discModel(models);
  scoresModel(models);
  studies = discStudies(store, 4, { patientId: NUMBER, patientName: NAME });
  server = await serve(['--store', store, '--models', models]);
  window = await openBrowser(server.origin, { width: 1280, height: 860 });
  page = window.page;
  page.setDefaultTimeout(180_000);
  page.on('request', request => sent.push(`${request.method()} ${request.url()} ${request.postData() ?? ''}`));
  page.on('console', message => logged.push(message.text()));
});

after(async () => {
  await window?.close();
  await server?.stop();
});

const training = async () => (await state(page)).training;
const section = name => page.locator(`[data-overread="${name}"]`);
const atRun = (what, test, timeoutMs = 240_000) => poll(async () => test((await training()).run), what, timeoutMs);

/** All studies in one page. */
async function open(study) {
  await openStudy(page, server.origin, [study, ...studies.filter(other => other !== study)].map(({ studyInstanceUID }) => studyInstanceUID).join(','));
  await show(page, study.seriesInstanceUID);
  await section('train-parent').or(section('labels')).first().waitFor({ state: 'attached' });
  const details = page.locator('[data-overread="training"] > details');
  if (!(await details.evaluate(element => element.open))) await details.locator(':scope > summary').click();
}

/** Weights of the model that is kept under an id, as this browser has them. */
const keptWeights = id => page.evaluate(async wanted => {
  const database = await new Promise((resolve, reject) => Object.assign(indexedDB.open('overread-kept-models'), { onsuccess: e => resolve(e.target.result), onerror: reject }));
  const all = store => new Promise((resolve, reject) => Object.assign(database.transaction(store).objectStore(store).getAll(), { onsuccess: e => resolve(e.target.result), onerror: reject }));
  const { location } = (await all('models')).find(({ manifest }) => manifest.id === wanted);
  const bytes = await new Promise((resolve, reject) => Object.assign(database.transaction('files').objectStore('files').get(`${location}weights.bin`), { onsuccess: e => resolve(e.target.result), onerror: reject }));
  database.close();
  return [...new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength))];
}, id);

test('three labels of three patients: a model\'s mask that was corrected, and two that were drawn by hand', async () => {
  await open(studies[0]);
  const ran = await runByPanel(page, MODEL);
  assert.equal(ran.lastError, null, ran.lastError?.message);
  const [{ segmentationId }] = await masksShown(page, 1);
  await paint(segmentationId, studies[0].disc);
  await poll(async () => (await state(page)).results.some(({ editedAt }) => editedAt), 'the edit in the panel');
  await addMask(/edited$/, 1);
  for (const [i, study] of studies.slice(1, 3).entries()) {
    await show(page, study.seriesInstanceUID);
    await paint(await drawByHand(), study.disc);
    await addMask(/^By hand/, i + 2);
  }
  const { labels, patients, bytes } = await training();
  assert.deepEqual([labels, patients], [3, 3]);
  assert.ok(bytes > 3 * 64 * 64, `${bytes} bytes`);
  await section('list-labels').click();
  await section('training').scrollIntoViewIfNeeded();
  await screenshot(page, 'training-labels');
  const discs = studies.slice(0, 3).map(({ disc: { radius } }) => (100 * Math.PI * radius ** 2) / 64 ** 2);
  const covered = [...(await section('labels').innerText()).matchAll(/, ([\d.]+) %/g)].map(([, percent]) => Number(percent));
  assert.ok(covered.length === 3 && covered.every((percent, i) => Math.abs(percent - discs[i]) < 1), `${covered} of ${discs}`);
});

async function addMask(name, count) {
  await poll(async () => name.test(await section('mask-choice').locator('option').first().innerText()), `a mask ${name}`);
  await section('add-mask').click();
  await poll(async () => (await training()).labels === count, `${count} labels`);
}

/** A segmentation of the viewer's own on what is shown, as its panel makes one. */
function drawByHand() {
  return page.evaluate(async () => {
    const { viewportGridService, displaySetService, segmentationService } = window.services;
    const viewportId = viewportGridService.getActiveViewportId();
    const [uid] = viewportGridService.getState().viewports.get(viewportId).displaySetInstanceUIDs;
    const segmentationId = await segmentationService.createLabelmapForDisplaySet(displaySetService.getDisplaySetByUID(uid), { label: 'By hand', segments: { 1: { segmentIndex: 1, label: 'Disc', active: true } } });
    await segmentationService.addSegmentationRepresentation(viewportId, { segmentationId, type: 'Labelmap' });
    return segmentationId;
  });
}

/** Writes the true disc into a mask, as strokes of the brush do, and tells the viewer. */
function paint(segmentationId, { x, y, radius }) {
  return page.evaluate(([id, cx, cy, r]) => {
    const [imageId] = window.services.segmentationService.getSegmentation(id).representationData.Labelmap.imageIds;
    const { voxelManager, columns, rows } = window.cornerstone.cache.getImage(imageId);
    const labels = voxelManager.getScalarData();
    for (let p = 0; p < columns * rows; p++) labels[p] = Number(Math.hypot((p % columns) - cx, Math.floor(p / columns) - cy) < r);
    voxelManager.setScalarData(labels);
    window.cornerstoneTools.segmentation.triggerSegmentationEvents.triggerSegmentationDataModified(id);
  }, [segmentationId, x, y, radius]);
}

/** Presses Pause after the first steps, from within the page: on a quick machine all ten are over before a test knows of one. */
const pauseSoon = () => page.evaluate(() => new Promise(resolve => {
  const look = () => {
    const { run } = window.commandsManager.runCommand('overreadState').training;
    const button = document.querySelector('[data-overread="train-pause"]:not([disabled])');
    if (run?.phase !== 'training' || run.step === 0 || !button) return setTimeout(look, 5);
    button.click();
    resolve();
  };
  look();
}));

/** Leaves the page, and all that it runs, as soon as its first checkpoint is written. */
const killAtCheckpoint = () => page.evaluate(() => {
  const { put } = IDBObjectStore.prototype;
  IDBObjectStore.prototype.put = function (...given) {
    if (this.name === 'run' && given[1] === 'checkpoint') this.transaction.addEventListener('complete', () => location.replace('about:blank'));
    return put.apply(this, given.filter(value => value !== undefined));
  };
});

test('without a GPU it says so, and trains only when that is asked for', async () => {
  await section('needs-gpu').waitFor();
  await section('train-steps').fill(String(STEPS));
  await section('train-batch').fill('2');
  await section('train-start').click();
  await poll(async () => (await training()).error?.code === 'device/unavailable', 'a refusal');
  assert.equal((await training()).run, null);
  await section('needs-gpu').scrollIntoViewIfNeeded();
  await screenshot(page, 'training-needs-gpu');
  await page.getByRole('button', { name: 'Dismiss' }).click();
  await section('allow-slow').check();
});

test('ten steps with curves, paused, and gone on with to a report', async t => {
  await section('train-start').click();
  await pauseSoon();
  await atRun('a pause', run => run?.phase === 'paused');
  const { run } = await training();
  t.diagnostic(`paused at step ${run.step}`);
  assert.ok(run.step > 0 && run.step < STEPS, `paused at step ${run.step}`);
  assert.equal(Number(await section('curves').getAttribute('data-steps')), run.step);
  await section('train-resume').scrollIntoViewIfNeeded();
  await screenshot(page, 'training-paused');
  await section('train-resume').click();
  await section('train-pause').waitFor();
  await section('curves').scrollIntoViewIfNeeded();
  await screenshot(page, 'training-curves');
  await atRun('its end', now => now?.phase === 'done');
  assert.equal((await training()).error, null);
  assert.equal(await section('curves').getAttribute('data-steps'), String(STEPS));
  const report = await section('outcome').innerText();
  t.diagnostic(report.replace(/\s+/g, ' '));
  assert.match(report, /Dice\s+0\.\d+\s+0\.\d+/);
  assert.match(report, /interval cannot be given with fewer than 5/);
  await section('outcome').scrollIntoViewIfNeeded();
  await screenshot(page, 'training-report');
  await section('keep').click();
  await poll(async () => (await training()).versions.length === 1, 'a version');
  await poll(async () => (await state(page)).modelId === `${MODEL}-tuned-1`, 'the version to be chosen');
});

test('the kept model runs on another image, and what it gives says which model it is', async () => {
  await show(page, studies[3].seriesInstanceUID);
  const after = await runByPanel(page, `${MODEL}-tuned-1`);
  assert.equal(after.lastError, null, after.lastError?.message);
  const result = after.results.find(({ model }) => model.id === `${MODEL}-tuned-1`);
  assert.equal(result.model.version, '1.1.0');
  assert.match(await page.locator('[data-overread="result"]').first().innerText(), /tuned 1/);
  await section('versions').scrollIntoViewIfNeeded();
  await screenshot(page, 'training-version');
});

test('a page that is killed in the middle: the training goes on to the same weights', async t => {
  await section('train-parent').selectOption(MODEL);
  await section('train-steps').fill(String(STEPS));
  await section('train-batch').fill('2');
  await section('allow-slow').check();
  await killAtCheckpoint();
  await section('train-start').click();
  await page.waitForURL('about:blank');
  await open(studies[3]);
  await atRun('what is left of it', run => run?.phase === 'paused');
  assert.ok((await state(page)).models.some(({ id }) => id === `${MODEL}-tuned-1`), 'not in the list after a reload');
  const { run } = await training();
  t.diagnostic(`killed, its checkpoint stands at step ${run.step}`);
  assert.ok(run.step > 0 && run.step < STEPS, `checkpoint at step ${run.step}`);
  await section('train-resume').click();
  await atRun('its end', now => now?.phase === 'done');
  await section('keep').click();
  await poll(async () => (await training()).versions.length === 2, 'a second version');
  const [whole, killed] = [await keptWeights(`${MODEL}-tuned-1`), await keptWeights(`${MODEL}-tuned-2`)];
  assert.ok(whole.length > 100 && whole.length === killed.length);
  const away = Math.max(...whole.map((w, i) => Math.abs(w - killed[i])));
  t.diagnostic(`weights are at most ${away} apart`);
  assert.ok(away <= 1e-5, `${away} apart`);
});

test('rolled back, the parent is chosen and the version is out of the list; it can be installed again', async () => {
  const installed = () => page.locator('[data-overread="version"][data-installed="true"]').count();
  await page.locator('[data-overread="version"][data-installed="true"] [data-overread="roll-back"]').first().click();
  await poll(async () => (await installed()) === 1, 'one version rolled back');
  await poll(async () => (await state(page)).modelId === MODEL, 'its parent to be chosen');
  const { models } = await state(page);
  assert.deepEqual(models.map(({ id }) => id).sort(), [SCORES, MODEL, `${MODEL}-tuned-1`]);
  await section('versions').scrollIntoViewIfNeeded();
  await screenshot(page, 'training-rolled-back');
  await section('install').click();
  await poll(async () => (await installed()) === 2, 'it is back');
});

test('the working hour ends in the PACS: what was run, labelled, trained and kept is stored, and is back; nothing was against the strict policy, and nothing went outside', async () => {
  const tuned = async () => (await state(page)).results.find(({ open, model }) => open && model.id === `${MODEL}-tuned-1`);
  const before = await tuned();
  const row = page.locator(`[data-overread="result"][data-key="${before.key}"]`);
  await row.locator('[data-overread="store"]').click();
  await row.locator('[data-status="stored"]').waitFor();
  await open(studies[3]);
  await poll(async () => (await tuned()) !== undefined, 'the stored mask');
  await row.locator('[data-status="stored"]').waitFor();
  const told = ({ segments, model, sources }) => ({ segments: segments.map(({ label, segmentNumber, pixels, areaMm2 }) => ({ label, segmentNumber, pixels, areaMm2 })), model, sources });
  assert.deepEqual(told(await tuned()), told(before));
  await screenshot(page, 'training-stored');
  // The page had the policy that the server documents, in all of this.
  const policy = await page.evaluate(async () => (await fetch(location.href)).headers.get('content-security-policy'));
  assert.match(policy, /default-src 'none'; script-src 'self' 'wasm-unsafe-eval'/);
  assert.doesNotMatch(policy, /'unsafe-eval'|\*/);
  assert.deepEqual([window.seen.policy, window.seen.external], [[], []]);
  const outside = [...new Set(sent.map(line => line.split(' ')[1]).filter(url => !/^(blob|data):/.test(url)).map(url => new URL(url).origin))];
  assert.deepEqual(outside, [server.origin]);
  // A violation would have been heard of.
  await page.evaluate(() => new Promise(resolve => Object.assign(new Image(), { onerror: resolve, src: 'http://127.0.0.1:9/outside.png' })));
  await poll(() => window.seen.policy.some(line => /img-src.*127\.0\.0\.1:9/.test(line)), 'word of a picture from outside');
  window.seen.policy.length = window.seen.external.length = 0;
});

test('no name and no number of a patient leaves the pixels: not in stores, logs, requests, or what is handed out', async t => {
  const [labels] = await Promise.all([page.waitForEvent('download'), section('export-labels').click()]);
  const [model] = await Promise.all([page.waitForEvent('download'), section('download-version').first().click()]);
  for (const download of [labels, model]) {
    const files = unzipSync(readFileSync(await download.path()));
    for (const [name, bytes] of Object.entries(files)) assert.doesNotMatch(name + Buffer.from(bytes).toString('latin1'), canary, name);
    if (download === labels) assert.equal(JSON.parse(strFromU8(files['dataset.json'])).items.length, 3);
    else assert.ok(JSON.parse(strFromU8(files[`${MODEL}-tuned-2/manifest.json`])).training.parent.sha256);
  }
  const stored = await page.evaluate(async () => {
    const text = value => JSON.stringify(value, (_, v) => (ArrayBuffer.isView(v) ? new TextDecoder('latin1').decode(v) : v instanceof Map ? [...v] : v));
    const found = { local: text({ ...localStorage }), session: text({ ...sessionStorage }) };
    for (const { name } of await indexedDB.databases()) {
      const database = await new Promise((resolve, reject) => Object.assign(indexedDB.open(name), { onsuccess: e => resolve(e.target.result), onerror: reject }));
      for (const store of database.objectStoreNames) {
        found[`${name}/${store}`] = text(await new Promise((resolve, reject) => Object.assign(database.transaction(store).objectStore(store).getAll(), { onsuccess: e => resolve(e.target.result), onerror: reject })));
      }
      database.close();
    }
    for (const name of await caches.keys()) {
      const cache = await caches.open(name);
      for (const request of await cache.keys()) found[`${name} ${request.url}`] = new TextDecoder('latin1').decode(await (await cache.match(request)).arrayBuffer());
    }
    return found;
  });
  assert.ok(Object.keys(stored).some(name => name === 'overread-training/pixels'), Object.keys(stored).join(', '));
  for (const [name, text] of Object.entries(stored)) assert.doesNotMatch(text, canary, name);
  assert.doesNotMatch(logged.join('\n'), canary);
  assert.doesNotMatch(sent.filter(request => !/\/dicom-?web\//.test(request)).join('\n'), canary);
  assert.deepEqual(sent.filter(request => !request.startsWith('GET ') && !/\/dicom-web\//.test(request)), [], 'something was sent');
  assert.deepEqual([window.seen.pageErrors, window.seen.policy, window.seen.external], [[], [], []]);
  t.diagnostic(`searched ${Object.keys(stored).length} stores, ${sent.length} requests, ${logged.length} lines of log`);
  // It would be found where it is: the study itself has it.
  const shown = await page.evaluate(() => JSON.stringify(window.services.displaySetService.getActiveDisplaySets()[0].instances[0].PatientID));
  assert.match(shown, canary);
});

/** What a browser does on a full disk: the transaction is undone, and says why. None can be filled up here: Chromium's override of the quota does nothing. */
const diskFull = full => page.evaluate(now => {
  const { prototype } = IDBObjectStore;
  const put = (prototype.whole ??= prototype.put);
  prototype.put = !now ? put : function (...given) {
    const request = put.apply(this, given.filter(value => value !== undefined));
    Object.defineProperty(this.transaction, 'error', { value: new DOMException('No room', 'QuotaExceededError') });
    this.transaction.abort();
    return request;
  };
}, full);

test('a loss that is no number: training stops at weights that are whole, and says which labels were in the batch', async () => {
  await section('train-parent').selectOption(MODEL);
  await section('train-steps').fill(String(STEPS));
  await section('train-batch').fill('2');
  await section('train-rate').fill('1e30');
  await section('allow-slow').check();
  await section('train-start').click();
  await atRun('its end', run => run?.phase === 'done');
  const said = await section('outcome').innerText();
  assert.match(said, /The (loss was \S+|weights)[^.]* at step \d+/);
  assert.match(said, /In the batch: OT 64 × 64 of /);
  assert.match(said, /these are its own weights/);
  await section('outcome').scrollIntoViewIfNeeded();
  await screenshot(page, 'training-not-finite');
  await section('throw-away').click();
  await poll(async () => (await training()).run === null, 'nothing left of it');
  assert.deepEqual([(await training()).labels, (await training()).versions.length], [3, 2]);
});

test('a disk that is full: said by name, and what was there is still there', async () => {
  await section('train-rate').fill('0.001');
  await diskFull(true);
  await section('train-start').click();
  await poll(async () => (await training()).error !== null, 'a refusal', 60_000);
  assert.equal((await training()).error.code, 'store/invalid');
  assert.match(await section('training').innerText(), /no room left[^.]*\. What was there before is whole/);
  await section('train-start').scrollIntoViewIfNeeded();
  await screenshot(page, 'training-disk-full');
  await diskFull(false);
  await page.getByRole('button', { name: 'Dismiss' }).click();
  assert.deepEqual([(await training()).labels, (await training()).versions.length], [3, 2]);
  await section('train-start').click();
  await atRun('training, now that there is room', run => run?.phase === 'training' || run?.phase === 'measuring' || run?.phase === 'done');
  await atRun('its end', run => run?.phase === 'done');
  await section('throw-away').click();
});

test('operating points of a classifier, chosen on findings that were said of the films; nothing is trained', async () => {
  await show(page, studies[0].seriesInstanceUID);
  await section('train-parent').selectOption(SCORES);
  const [label] = await section('finding').evaluateAll(selects => selects.map(({ dataset }) => dataset.label));
  for (const [i, study] of studies.entries()) {
    await show(page, study.seriesInstanceUID);
    await page.locator(`[data-overread="finding"][data-label="${label}"]`).selectOption(i % 2 ? '1' : '0');
    await section('add-findings').click();
    await poll(async () => (await training()).labels === Math.max(3, i + 1), `${i + 1} findings`);
  }
  const points = section('recalibration');
  if (!(await points.evaluate(element => element.open))) await points.locator('summary').click();
  await section('goal-least').fill('100');
  await section('read-for-points').click();
  await section('point').waitFor();
  assert.match(await section('point').innerText(), /Sensitivity\s+1\.00/);
  await section('point').scrollIntoViewIfNeeded();
  await screenshot(page, 'training-operating-points');
  await section('keep-points').click();
  await poll(async () => (await state(page)).modelId === `${SCORES}-recalibrated-1`, 'the model with the new points to be chosen');
  assert.equal((await training()).versions.length, 3);
  const ran = await runByPanel(page, `${SCORES}-recalibrated-1`);
  assert.equal(ran.lastError, null, ran.lastError?.message);
});

test('all labels are purged, asked twice', async () => {
  await section('purge').click();
  await section('purge-really').click();
  await poll(async () => (await training()).labels === 0, 'no labels');
  assert.equal((await training()).versions.length, 3);
});
