/** A whole slide in the viewer's own microscopy viewport: read tile by tile, what is on screen first, the mask registered at every zoom. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { command, openBrowser, ROOT, screenshot, serve, settled, state, temporaryFolder, viewportsReady } from './harness.mjs';
import { chooseModel, masksShown, openFromWorkList, poll } from './main-job.mjs';
import { bestShift, changedIn, darkIn, drawn, lookAt, overlapAt, placesOnScreen, screen, slideReady } from './slide-screen.mjs';

const SIZE = 3072;
/** The red below which the test's model calls a pixel a nucleus. */
const RED = 0.52 * 255;
const folder = temporaryFolder('slide');
const store = path.join(folder, 'store');
const models = path.join(folder, 'models');
const MASK = '[data-overread="slide-mask"]';
let server, window, page, nuclei, place, finest;

before(async () => {
  const demo = spawnSync(process.execPath, [path.join(ROOT, 'dist/cli/main.mjs'), 'demo', '--small', '--slide-size', String(SIZE), '--out', store], { encoding: 'utf8' });
  assert.equal(demo.status, 0, demo.stderr);
  for (const [from, id] of [['test/fixtures', 'tiny-dark'], ['models', 'nuclei-unet']]) cpSync(path.join(ROOT, from, id), path.join(models, id), { recursive: true });
  nuclei = readFileSync(path.join(store, 'truth/slide-dots.csv'), 'utf8').trim().split('\n').slice(1).map(line => line.split(',').map(Number));
  place = crowdedPlace(nuclei);
  finest = JSON.parse(readFileSync(path.join(store, 'truth/truth.json'), 'utf8')).truth.find(t => t.study === 'slide').sopInstanceUIDs[0];
  server = await serve(['--store', store, '--models', models], { softwareGpu: false });
  window = await openBrowser(server.origin, { webgpu: false });
  page = window.page;
});

after(async () => {
  await window?.close();
  await server?.stop();
});

test('a slide opens in the microscopy viewport, and the model reads what is on screen first', async t => {
  await page.goto(`${server.origin}/`);
  await page.getByText('Demo, Slide').first().click();
  await page.getByRole('button', { name: 'Overread' }).click();
  await slideReady(page);
  await page.getByRole('button', { name: /Run on this slide/ }).waitFor();
  await chooseModel(page, 'tiny-dark');
  await lookAt(page, { ...place, resolution: 0.5 });
  // So many frames come and no more, so that there is a run to stop: 36 for the statistics, then those of the tiles.
  let frames = 0;
  let release;
  const released = new Promise(resolve => (release = resolve));
  await page.route('**/frames/*', async route => {
    if (++frames > 60) await released;
    await route.continue().catch(() => {});
  });
  await page.locator('[data-overread="run"]').click();
  await poll(async () => (await state(page)).slides[0]?.tiles.read >= 6, 'the first tiles', 180_000);
  await page.locator('[data-overread="cancel"]').click();
  const stopped = await settled(page, s => s.note);
  release();
  await page.unrouteAll({ behavior: 'wait' });
  assert.match(stopped.note, /goes on/);
  assert.equal(stopped.lastError, null);
  const [{ status, tiles: { all, read } }] = stopped.slides;
  assert.equal(status, 'stopped');
  assert.ok(read < all / 2, `${read} of ${all} tiles were read before it was stopped`);
  // The view is 2 to 6 tiles of the slide: its middle is there.
  const near = nuclei.filter(([x, y]) => Math.hypot(x - place.x, y - place.y) < 90);
  assert.ok(near.length > 5);
  await drawn(page);
  await command(page, 'overreadSetOverlayStyle', { style: 'fill', opacity: 1 });
  await drawn(page);
  await screenshot(page, 'slide-first-tiles');
  const share = await shareMarked(near);
  t.diagnostic(`${(100 * share).toFixed(0)} % of ${near.length} nuclei in the middle of the view are marked after ${read} of ${all} tiles`);
  assert.ok(share >= 0.85);
});

test('a stopped run keeps its tiles, Run goes on with the others, and a tile that cannot be read is marked', async t => {
  const [before] = (await state(page)).slides;
  await lookAt(page, { x: SIZE / 2, y: SIZE / 2, resolution: 2.6 });
  await screenshot(page, 'slide-stopped');
  assert.match(await page.locator('[data-overread="slide"]').innerText(), /mm² so far/);
  const corner = `**/instances/${finest}/frames/1`;
  await page.route(corner, route => route.fulfill({ status: 404 }));
  const [{ tiles: faulty }] = (await goOn()).slides;
  assert.ok(faulty.unread > 0 && faulty.unread <= 4 && faulty.read + faulty.unread === faulty.all, JSON.stringify(faulty));
  await lookAt(page, { x: SIZE / 4, y: SIZE / 4, resolution: 1 });
  await screenshot(page, 'slide-unread');
  assert.match(await page.locator('[data-overread="unread"]').innerText(), /could not be read.*404/);
  await page.unroute(corner);
  const after = await goOn();
  assert.equal(after.slides.length, 1);
  const [{ tiles, segments, ms }] = after.slides;
  assert.deepEqual(tiles, { all: before.tiles.all, read: before.tiles.all, unread: 0, glass: 0 });
  assert.ok(segments[0].pixels > before.segments[0].pixels);
  assert.ok(Math.abs(segments[0].areaMm2 - segments[0].pixels * 0.0005 ** 2) < 1e-9);
  t.diagnostic(`${tiles.all} tiles of ${SIZE} × ${SIZE} pixels in ${(ms / 1000).toFixed(1)} s, ${((SIZE * SIZE) / 1e3 / ms).toFixed(2)} megapixels a second`);
});

test('the mask lies on the slide at every zoom, turned too', async t => {
  for (const [resolution, rotation, least] of [[0.05, 0, 0.9], [0.2, 0, 0.85], [1, 0, 0.95], [0.7, 0.5, 0.85], [2.6, 0, 0.7]]) {
    await lookAt(page, { ...place, resolution, rotation });
    const shown = await screen(page);
    await screenshot(page, `slide-zoom-${resolution}-${rotation}`);
    if (resolution <= 1) {
      const inView = (await placesOnScreen(page, nuclei)).flatMap(([u, v], i) => (u > shown.x + 4 && v > shown.y + 4 && u < shown.x + shown.width - 4 && v < shown.y + shown.height - 4 ? [nuclei[i]] : []));
      assert.ok(inView.length > 0 && (await shareMarked(inView)) >= 0.85, 'the planted nuclei are marked where they are on screen');
    }
    await command(page, 'overreadToggleOverlays', { shown: false });
    await page.locator(MASK).waitFor({ state: 'detached' });
    const bare = await screen(page);
    await command(page, 'overreadToggleOverlays', { shown: true });
    await page.locator(MASK).waitFor({ state: 'attached' });
    await drawn(page);
    const dark = darkIn(bare, RED);
    const marked = changedIn(bare, shown);
    const { dx, dy, overlap: best } = bestShift(dark, marked, bare);
    const overlap = overlapAt(dark, marked, bare, 0, 0);
    t.diagnostic(`${resolution} slide pixels a screen pixel, turned by ${rotation}: overlap with what is dark on screen ${overlap.toFixed(3)}, best (${best.toFixed(3)}) when moved by ${dx}, ${dy}`);
    // Outlines lie half outside of their pixels: within a pixel of the screen, 1/20 of the slide's at the closest look.
    assert.ok(Math.abs(dx) <= 1 && Math.abs(dy) <= 1 && overlap > best - 0.01);
    assert.ok(overlap >= least, `overlap ${overlap}`);
  }
  await page.keyboard.press('Shift+H');
  await page.locator(MASK).waitFor({ state: 'detached' });
  await page.keyboard.press('Shift+H');
  await page.locator(MASK).waitFor({ state: 'attached' });
});

test('nuclei-unet reads the slide where one looks, leaves the glass out, and its nuclei are counted', async t => {
  await chooseModel(page, 'nuclei-unet');
  await lookAt(page, { ...place, resolution: 0.5 });
  const ofNuclei = async () => (await state(page)).slides.find(({ model }) => model.id === 'nuclei-unet');
  await page.locator('[data-overread="run"]').click();
  await poll(async () => (await ofNuclei())?.tiles.read >= 6, 'the first tiles of nuclei-unet', 400_000);
  await page.locator('[data-overread="cancel"]').click();
  await settled(page, s => s.note);
  await poll(async () => (await ofNuclei()).objects !== null, 'the count of its nuclei', 60_000);
  const { tiles, objects, segments, status } = await ofNuclei();
  assert.equal(status, 'stopped');
  assert.ok(tiles.glass > 0 && tiles.glass < tiles.all, JSON.stringify(tiles));
  assert.ok(objects.count > 5 && segments[0].pixels > 500, JSON.stringify({ objects, segments }));
  const card = page.locator('[data-overread="slide"][aria-label^="Nuclei"]');
  assert.match(await card.locator('[data-overread="objects"]').innerText(), /objects.*median .* µm², so far/);
  assert.match(await card.locator('[data-overread="glass"]').innerText(), /nothing but glass and were not read/);
  // The other model's mask is put away for the picture.
  await page.locator('[data-overread="slide"]:not([aria-label^="Nuclei"]) [data-overread="eye"]').click();
  await command(page, 'overreadSetOverlayStyle', { style: 'outline', opacity: 1 });
  await drawn(page);
  await screenshot(page, 'slide-nuclei-unet');
  await lookAt(page, { x: SIZE / 2, y: SIZE / 2, resolution: 5 });
  await screenshot(page, 'slide-glass');
  t.diagnostic(`nuclei-unet: ${tiles.read} of ${tiles.all - tiles.glass} tiles with tissue, ${tiles.glass} of glass; ${objects.count} nuclei so far, median ${objects.medianPixels} pixels`);
  await page.locator('[data-overread="slide"]:not([aria-label^="Nuclei"]) [data-overread="eye"]').click();
});

test('another picture shows none of it; nuclei-unet reads a photograph in a stack viewport; back on the slide the mask is there', async t => {
  await page.locator('[data-cy="return-to-work-list"]').first().click();
  await openFromWorkList(page, undefined, 'Demo, Histology');
  await viewportsReady(page);
  assert.equal(await page.locator(MASK).count(), 0);
  await page.getByRole('button', { name: /Run on this image/ }).waitFor();
  await chooseModel(page, 'nuclei-unet');
  await page.locator('[data-overread="run"]').click();
  const after = await settled(page, s => s.results.length > 0 || s.lastError, 400_000);
  assert.equal(after.lastError, null, after.lastError?.message);
  const [{ segments, timingMs }] = after.results;
  assert.ok(segments[0].areaMm2 > 0);
  await masksShown(page, 1);
  await screenshot(page, 'photograph-nuclei-unet');
  t.diagnostic(`nuclei-unet on the field of 512 × 512 pixels: ${segments[0].pixels} pixels of nuclei, ${Math.round(timingMs.predict)} ms on WebAssembly`);
  await page.locator('[data-cy="return-to-work-list"]').first().click();
  await page.getByText('Demo, Slide').first().click();
  await page.getByRole('button', { name: 'Overread' }).click();
  await slideReady(page);
  await page.locator(MASK).waitFor({ state: 'attached' });
});

test('masks that are not stored are back after a reload, as far as they came; one that is whole is stored, and is back too', async () => {
  const told = ({ slides }) => slides.map(({ status, model, segments, source, tiles: { all, read, glass } }) => ({ status, model, segments, source, tiles: { all, read, glass } })).sort((a, b) => a.model.id.localeCompare(b.model.id));
  const whole = await state(page);
  assert.equal(whole.slides.length, 2);
  await page.reload();
  await slideReady(page);
  await poll(async () => (await state(page)).slides.length === 2, 'the masks that are not stored', 60_000);
  assert.deepEqual(told(await state(page)), told(whole));
  const [before] = (await state(page)).slides.filter(({ model }) => model.id === 'tiny-dark');
  const card = page.locator('[data-overread="slide"]:not([aria-label^="Nuclei"])');
  await card.locator('[data-overread="store"]').click();
  await card.locator('[data-status="stored"]').waitFor({ timeout: 120_000 });
  await page.reload();
  await slideReady(page);
  await poll(async () => (await state(page)).slides.some(({ model }) => model.id === 'tiny-dark'), 'the stored mask', 60_000);
  const { device, slides } = await state(page);
  assert.equal(device, null);
  const [after] = slides.filter(({ model }) => model.id === 'tiny-dark');
  assert.deepEqual([after.segments, after.model, after.source], [before.segments, before.model, before.source]);
  await lookAt(page, { ...place, resolution: 1 });
  await page.locator(MASK).waitFor({ state: 'attached' });
  await screenshot(page, 'slide-stored');
});

test('no page error and no policy violation on the way', () => {
  assert.deepEqual(window.seen.pageErrors, []);
  assert.deepEqual(window.seen.policy, []);
  assert.deepEqual(window.seen.external, []);
});

/** Runs again, to the end. */
async function goOn() {
  await page.locator('[data-overread="run"]').click();
  await poll(async () => (await state(page)).running, 'the run to begin');
  const after = await settled(page, s => s.slides[0]?.status === 'done' || s.lastError);
  assert.equal(after.lastError, null, after.lastError?.message);
  return after;
}

/** How many of these nuclei are green on screen at their centres. */
async function shareMarked(points) {
  const picture = await screen(page);
  const on = (await placesOnScreen(page, points.map(([x, y]) => [Math.round(x), Math.round(y)]))).map(([u, v]) => {
    const at = 4 * (Math.floor(v - picture.y) * picture.width + Math.floor(u - picture.x));
    return picture.data[at + 1] > picture.data[at] + 20 && picture.data[at + 1] > picture.data[at + 2];
  });
  return on.filter(Boolean).length / on.length;
}

/** Where the most nuclei are near each other, away from the borders. */
function crowdedPlace(dots) {
  const around = ([x, y]) => dots.filter(([u, v]) => Math.abs(u - x) < 150 && Math.abs(v - y) < 100).length;
  const inner = dots.filter(([x, y]) => x > 500 && y > 500 && x < SIZE - 500 && y < SIZE - 500);
  const [x, y] = inner.reduce((best, dot) => (around(dot) > around(best) ? dot : best));
  return { x: Math.round(x), y: Math.round(y) };
}
