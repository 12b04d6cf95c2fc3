/**
 * The main job, as a person does it in the real OHIF: work list → study → run → mask on the right image, and what
 * surrounds it. The embedded store and a real PACS go through the same steps.
 */
import assert from 'node:assert/strict';
import path from 'node:path';
import { readFileSync } from 'node:fs';
import { PNG } from 'pngjs';
import { command, dice, openStudy, screenshot, settled, shownLabelmaps, state, viewportsReady } from './harness.mjs';

/** The demo's chest studies with the lungs of each film, and the finding that only the lateral shows: { frontal, lateral, finding, other } */
export function readTruth(demoFolder) {
  const { truth } = JSON.parse(readFileSync(path.join(demoFolder, 'truth/truth.json'), 'utf8'));
  const of = (study, n) => {
    const entry = truth.filter(t => t.study === study && t.kind === 'mask')[n];
    const png = PNG.sync.read(readFileSync(path.join(demoFolder, 'truth', entry.file)));
    const mask = Array.from({ length: png.width * png.height }, (_, i) => (png.data[4 * i] > 0 ? 1 : 0));
    return { studyInstanceUID: entry.studyInstanceUID, seriesInstanceUID: entry.seriesInstanceUIDs[0], sopInstanceUID: entry.sopInstanceUIDs[0], columns: png.width, rows: png.height, mask };
  };
  return { frontal: of('chest', 0), lateral: of('chest', 1), finding: of('chest', 2), other: of('chest-bedside', 0) };
}

/** Clicks through the work list to the mode "Overread". */
export async function openFromWorkList(page, origin, patientName) {
  if (origin) await page.goto(`${origin}/`);
  await page.getByText(patientName).first().click();
  await page.getByRole('button', { name: 'Overread' }).click();
  await viewportsReady(page);
  // The panel and its catalogue.
  await page.locator('[data-overread="run"]').waitFor();
}

/** Of the models that come with Overread; the panel opens with the first of them. */
export async function chooseModel(page, modelId) {
  await page.locator('[data-overread="model"]').selectOption(modelId);
}

export async function runByPanel(page, modelId = 'lung-unet') {
  await chooseModel(page, modelId);
  const before = (await state(page)).results.length;
  await page.locator('[data-overread="run"]:not([disabled])').click();
  return settled(page, s => s.results.length > before || s.lastError || s.note);
}

/** Puts a series of the open study into the active viewport and waits until it is on screen. */
export async function show(page, seriesInstanceUID) {
  await page.waitForFunction(uid => window.services.displaySetService.getActiveDisplaySets().some(d => d.SeriesInstanceUID === uid), seriesInstanceUID);
  await page.evaluate(uid => {
    const { displaySetService, viewportGridService } = window.services;
    const displaySet = displaySetService.getActiveDisplaySets().find(d => d.SeriesInstanceUID === uid && d.Modality !== 'SEG');
    viewportGridService.setDisplaySetsForViewport({ viewportId: viewportGridService.getActiveViewportId(), displaySetInstanceUIDs: [displaySet.displaySetInstanceUID] });
  }, seriesInstanceUID);
  await page.waitForFunction(uid => {
    const { viewportGridService, cornerstoneViewportService } = window.services;
    const imageId = cornerstoneViewportService.getCornerstoneViewport(viewportGridService.getActiveViewportId())?.getCurrentImageId?.();
    return imageId && window.cornerstone.metaData.get('instance', imageId)?.SeriesInstanceUID === uid && window.cornerstone.cache.getImage(imageId);
  }, seriesInstanceUID);
  // One turn of the viewer's own events, so that overlays have followed.
  await page.evaluate(() => new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve))));
}

/** Masks that a person sees on the active viewport's image. */
export async function visibleMasks(page) {
  return (await shownLabelmaps(page)).filter(m => m.visible && m.labels.some(v => v > 0));
}

/** Waits until exactly `n` masks are seen: the viewer draws a moment after the state says that the run is over. */
export async function masksShown(page, n) {
  await poll(async () => (await visibleMasks(page)).length === n, `${n} visible masks`);
  return visibleMasks(page);
}

/** Steps of one session; `t` is the enclosing test. @returns the mask of the frontal image, as it was shown */
export async function mainJob(t, { page, seen, origin, truth, name }) {
  const { frontal, lateral, other } = truth;
  // Each step stands on the one before: the first failure ends the session.
  let failed = false;
  let mask;
  const step = (title, run) => t.test(title, { skip: failed && 'an earlier step failed' }, async () => {
    try { await run(); } catch (error) { failed = true; await screenshot(page, `${name}-failed`); throw error; }
  });

  await step('work list → study → run → mask on the right image', async () => {
    await openFromWorkList(page, origin, 'Demo, Chest');
    await show(page, frontal.seriesInstanceUID);
    const after = await runByPanel(page);
    assert.equal(after.lastError, null, after.lastError?.message);
    const [result] = after.results;
    assert.equal(result.backend, 'webgpu');
    assert.equal(result.sources[0].sopInstanceUID, frontal.sopInstanceUID);
    assert.ok(result.segments[0].areaMm2 > 0);
    const masks = await masksShown(page, 1);
    mask = masks[0].labels;
    assert.equal(masks[0].referencedImageId, masks[0].currentImageId);
    const overlap = dice(masks[0].labels, frontal.mask);
    t.diagnostic(`${name}: Dice against the demo's truth ${overlap.toFixed(4)}; predict ${Math.round(result.timingMs.predict)} ms on ${result.backend}`);
    await screenshot(page, `${name}-mask`);
    assert.ok(overlap >= 0.85, `Dice ${overlap}`);
    const panel = await page.locator('[data-overread="result"]').innerText();
    assert.match(panel, /mm²|cm²/);
    assert.match(panel, /Not for diagnosis/i);
    assert.match(panel, /Lung U-Net/);
  });

  await step('hide and show', async () => {
    await page.keyboard.press('Shift+H');
    await page.waitForFunction(() => window.commandsManager.runCommand('overreadState').overlay.shown === false);
    await masksShown(page, 0);
    await page.keyboard.press('Shift+H');
    await page.waitForFunction(() => window.commandsManager.runCommand('overreadState').overlay.shown === true);
    await masksShown(page, 1);
  });

  await step('another image of the study shows no stale overlay; coming back shows the mask', async () => {
    await show(page, lateral.seriesInstanceUID);
    const stale = (await visibleMasks(page));
    await screenshot(page, `${name}-lateral`);
    assert.equal(stale.length, 0);
    await show(page, frontal.seriesInstanceUID);
    await masksShown(page, 1);
    assert.equal((await state(page)).lastError, null);
  });

  await step('a lateral is refused by name, and the mask of the frontal stays', async () => {
    await show(page, lateral.seriesInstanceUID);
    const after = await runByPanel(page);
    assert.equal(after.lastError?.code, 'input/refused');
    assert.match(after.lastError.message, /LL/);
    assert.equal(after.results.length, 1);
  });

  await step('Cancel leaves nothing and the next run works', async () => {
    await openStudy(page, origin, other.studyInstanceUID);
    await chooseModel(page, 'lung-unet');
    await page.locator('[data-overread="run"]:not([disabled])').click();
    await page.locator('[data-overread="cancel"]').click();
    const after = await settled(page, s => s.note);
    assert.match(after.note, /Cancelled/);
    assert.equal(after.results.filter(r => r.studyInstanceUID === other.studyInstanceUID).length, 0);
    assert.equal((await visibleMasks(page)).length, 0);
    await page.keyboard.press('Shift+A');
    const again = await settled(page, s => s.results.length > 0 || s.lastError);
    assert.equal(again.lastError, null, again.lastError?.message);
    const [bedside] = await masksShown(page, 1);
    const overlap = dice(bedside.labels, other.mask);
    t.diagnostic(`${name}: Dice on the bedside film ${overlap.toFixed(4)}`);
    await screenshot(page, `${name}-bedside`);
    assert.ok(overlap >= 0.85, `Dice ${overlap}`);
  });

  await step('back to the list and into another study: its own mask is back over the reload, and no other is drawn', async () => {
    await page.locator('[data-cy="return-to-work-list"]').first().click();
    await openFromWorkList(page, undefined, 'Demo, Chest');
    await show(page, frontal.seriesInstanceUID);
    const [own] = await masksShown(page, 1);
    assert.equal(own.referencedImageId, own.currentImageId);
    assert.deepEqual([...own.labels], [...mask]);
    // The other study's result is kept, for its own study.
    const kept = (await state(page)).results;
    assert.deepEqual(kept.filter(r => !r.open).map(r => r.studyInstanceUID), [other.studyInstanceUID]);
    assert.deepEqual(kept.filter(r => r.open).map(r => r.sources[0].sopInstanceUID), [frontal.sopInstanceUID]);
  });

  await step('no page error, no policy violation, no request elsewhere', () => {
    assert.deepEqual(seen.pageErrors, []);
    assert.deepEqual(seen.policy, []);
    assert.deepEqual(seen.external, []);
  });
  return mask;
}

export async function poll(check, what, timeoutMs = 15_000) {
  const end = Date.now() + timeoutMs;
  while (!(await check())) {
    if (Date.now() > end) throw new Error(`Waited ${timeoutMs} ms for ${what}.`);
    await new Promise(resolve => setTimeout(resolve, 100));
  }
}

export { command };
