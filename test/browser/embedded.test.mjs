/** The main job over the embedded store, on WebGPU, then without it, on generated and on real X-rays, and under a sub-path. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { before, test } from 'node:test';
import { PNG } from 'pngjs';
import { dice, openBrowser, openStudy, ROOT, screenshot, serve, SHARED, temporaryFolder } from './harness.mjs';
import { modelsWith } from './broken-models.mjs';
import { blindedJob } from './blinded-job.mjs';
import { masksJob } from './masks-job.mjs';
import { mainJob, masksShown, readTruth, runByPanel, show } from './main-job.mjs';

const CLI = path.join(ROOT, 'dist/cli/main.mjs');
const CXR = path.join(SHARED, 'data/cxr/open/covid-chestxray/dev');
const store = temporaryFolder('store');
let truth, webgpuMask;

function cli(...args) {
  const done = spawnSync(process.execPath, [CLI, ...args], { encoding: 'utf8' });
  assert.equal(done.status, 0, done.stderr);
  return done.stdout;
}

/** Runs `use` with a server and a browser of its own. */
async function session(serverArgs, { webgpu }, use) {
  const server = await serve(serverArgs, { softwareGpu: webgpu });
  const window = await openBrowser(server.origin, { webgpu });
  try {
    return await use({ ...window, origin: server.origin });
  } finally {
    await window.close();
    await server.stop();
  }
}

before(() => {
  cli('demo', '--small', '--out', store);
  truth = readTruth(store);
});

test('the main job over the embedded store', async t => {
  await session(['--store', store], { webgpu: true }, async ({ page, seen, origin }) => {
    webgpuMask = await mainJob(t, { page, seen, origin, truth, name: 'embedded' });
  });
});

test('no WebGPU and no GPU: WebAssembly, with the reason, and the same mask; then what a reader does with it', async t => {
  const models = temporaryFolder('models');
  const lung = path.join(ROOT, 'models/lung-unet');
  for (const id of ['lung-unet', 'cxr-view']) modelsWith(models, path.join(ROOT, 'models', id), id, () => undefined);
  modelsWith(models, lung, 'lung-unet-strict', (_, { output, ...manifest }) => ({
    ...manifest, name: 'Lung U-Net strict', output: { ...output, targets: output.targets.map(target => ({ ...target, operatingPoint: 0.95 })) },
  }));
  await session(['--store', store, '--models', models], { webgpu: false }, async ({ page, origin, seen }) => {
    await openStudy(page, origin, truth.frontal.studyInstanceUID);
    await show(page, truth.frontal.seriesInstanceUID);
    const state = await runByPanel(page);
    assert.equal(state.lastError, null, state.lastError?.message);
    assert.equal(state.device.backend, 'wasm');
    assert.match(state.device.reason, /WebGPU/);
    const [mask] = await masksShown(page, 1);
    assert.ok(dice(mask.labels, truth.frontal.mask) >= 0.85);
    assert.match(await page.locator('[data-overread="panel"]').innerText(), /WebAssembly/);
    await screenshot(page, 'no-webgpu');
    assert.ok(webgpuMask, 'the WebGPU run gave no mask to compare with');
    const agreement = dice(mask.labels, webgpuMask);
    t.diagnostic(`WebGPU and wasm agree to Dice ${agreement.toFixed(5)}`);
    assert.ok(agreement >= 0.999, `agreement ${agreement}`);
    await masksJob(t, { page, frontal: truth.frontal, lateral: truth.lateral, other: 'lung-unet-strict', name: 'masks' });
    await blindedJob(t, { page, origin, second: truth.other, models: ['lung-unet', 'lung-unet-strict'], marks: ['Lung U-Net', 'lung-unet', 'strict'], name: 'blinded' });
    assert.deepEqual([seen.pageErrors, seen.policy, seen.external], [[], [], []]);
  });
});

test('real X-rays, dicomized', async t => {
  const items = realItems();
  if (!items) return t.skip(`${path.relative(ROOT, CXR)} is not there`);
  const real = temporaryFolder('real');
  for (const { id, picture } of items) {
    cli('dicomize', '--view', 'PA', '--modality', 'DX', '--spacing', '0.5', '--patient-id', id, '--patient-name', `Real^${id}`, '--out', path.join(real, id), picture);
  }
  await session(['--store', real], { webgpu: false }, async ({ page, origin }) => {
    const studies = await (await fetch(`${origin}/dicom-web/studies`, { headers: { accept: 'application/dicom+json' } })).json();
    assert.equal(studies.length, items.length);
    for (const { id, mask } of items) {
      const study = studies.find(s => s['00100020'].Value[0] === id)['0020000D'].Value[0];
      await openStudy(page, origin, study);
      const state = await runByPanel(page);
      assert.equal(state.lastError, null, state.lastError?.message);
      const [shown] = await masksShown(page, 1);
      const overlap = dice(shown.labels, mask);
      t.diagnostic(`${id}: Dice ${overlap.toFixed(4)}`);
      await screenshot(page, `real-${id}`);
      assert.ok(overlap >= 0.85, `${id}: Dice ${overlap}`);
    }
  });
});

test('under a sub-path', async () => {
  await session(['--store', store, '--base-path', '/sub/ohif/'], { webgpu: false }, async ({ page, seen, origin }) => {
    await openStudy(page, `${origin}/sub/ohif`, truth.other.studyInstanceUID);
    const state = await runByPanel(page);
    assert.equal(state.lastError, null, state.lastError?.message);
    const [mask] = await masksShown(page, 1);
    assert.ok(dice(mask.labels, truth.other.mask) >= 0.85);
    assert.deepEqual(seen.pageErrors, []);
    assert.deepEqual(seen.policy, []);
  });
});

/** Two PA pictures with human masks, of patients that the model's training never saw. */
function realItems() {
  if (!existsSync(CXR)) return undefined;
  const { perItem } = JSON.parse(readFileSync(path.join(ROOT, 'models/lung-unet/recipe/validation.json'), 'utf8'));
  const images = perItem.map(i => i.id);
  const { items } = JSON.parse(readFileSync(path.join(CXR, 'dataset.json'), 'utf8'));
  const usable = items.filter(i => images.includes(i.id) && i.images[0].view === 'PA' && i.mask?.includes('lungmask-v7'));
  return usable.slice(0, 2).map(({ id, images: [{ path: picture }], mask }) => {
    const png = PNG.sync.read(readFileSync(path.join(CXR, mask)));
    return { id, picture: path.join(CXR, picture), mask: Array.from({ length: png.width * png.height }, (_, i) => (png.data[4 * i] > 0 ? 1 : 0)) };
  });
}
