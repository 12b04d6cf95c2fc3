/**
 * Reading a chest study in the real OHIF: PA and lateral two-up, scores of both views, a click on a score, its heat map on
 * both, right under rotation and flip; a study with a frontal only; a picture that is refused. The embedded store and a
 * real PACS go through the same steps.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { auditLog } from './audit-log.mjs';
import { command, openStudy, screenshot, settled, state } from './harness.mjs';
import { poll, runByPanel } from './main-job.mjs';

const TWO_VIEWS = 'phantom-chest-fusion';
const FINDINGS = 'cxr-findings';

/** What each viewport shows, from left to right: [{ viewportId, seriesInstanceUID }] */
function hung(page) {
  return page.evaluate(() => {
    const { viewportGridService, cornerstoneViewportService } = window.services;
    return [...viewportGridService.getState().viewports.keys()]
      .map(viewportId => ({ viewportId, viewport: cornerstoneViewportService.getCornerstoneViewport(viewportId) }))
      .filter(({ viewport }) => viewport?.getCurrentImageId?.())
      .map(({ viewportId, viewport }) => ({
        viewportId, left: viewport.element.getBoundingClientRect().left,
        seriesInstanceUID: window.cornerstone.metaData.get('instance', viewport.getCurrentImageId()).SeriesInstanceUID,
      }))
      .sort((a, b) => a.left - b.left);
  });
}

/**
 * Where the heat map of a viewport is strongest, in the image's own columns and rows: read from the pixels that are on
 * screen and taken back through Cornerstone's camera, so that a map that does not turn with its picture is found out.
 */
function peakOnImage(page, viewportId) {
  return page.evaluate(id => {
    const viewport = window.services.cornerstoneViewportService.getCornerstoneViewport(id);
    const canvas = viewport.element.querySelector('[data-overread="heatmap"]');
    if (!canvas || canvas.hidden || canvas.width === 0) return undefined;
    const { data, width, height } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let most = 0;
    for (let i = 3; i < data.length; i += 4) most = Math.max(most, data[i]);
    if (most === 0) return undefined;
    let x = 0, y = 0, n = 0;
    for (let p = 0; p < width * height; p++) {
      if (data[4 * p + 3] < most - 1) continue;
      x += p % width; y += Math.floor(p / width); n++;
    }
    const ratio = window.devicePixelRatio;
    const world = viewport.canvasToWorld([(x / n + 0.5) / ratio, (y / n + 0.5) / ratio]);
    const [column, row] = viewport.getImageData().imageData.worldToIndex(world);
    const { rows, columns } = window.cornerstone.cache.getImage(viewport.getCurrentImageId());
    return { column: column / columns, row: row / rows, pixels: n };
  }, viewportId);
}

/** Whether a place, in shares of the image, is in a mask or within a cell (1/16) of the model's last feature map from it. */
function near({ mask, columns, rows }, { column, row }) {
  const reach = columns / 16;
  return mask.some((value, i) => value && Math.hypot((i % columns) + 0.5 - column * columns, Math.floor(i / columns) + 0.5 - row * rows) <= reach);
}

async function mapsOn(page, viewportIds) {
  await poll(async () => (await Promise.all(viewportIds.map(id => peakOnImage(page, id)))).every(Boolean), 'a heat map in every viewport', 60_000);
  return Promise.all(viewportIds.map(id => peakOnImage(page, id)));
}

/**
 * @param studies { both, frontal, refused }: StudyInstanceUIDs of PA and lateral, of a frontal only, of an inverted picture
 * @param compare whether two heat maps are compared, too: no server has a part in that
 */
export async function readingJob(t, { page, seen, origin, studies, truth, name, compare: isCompared = false }) {
  let failed = false;
  const step = (title, work) => t.test(title, { skip: failed && 'an earlier step failed' }, async () => {
    try { await work(); } catch (error) { failed = true; await screenshot(page, `${name}-failed`); throw error; }
  });
  let viewportIds;

  await step('PA left, lateral right', async () => {
    await openStudy(page, origin, studies.both, 2);
    const shown = await hung(page);
    await screenshot(page, `${name}-two-up`);
    assert.deepEqual(shown.map(v => v.seriesInstanceUID), [truth.frontal.seriesInstanceUID, truth.lateral.seriesInstanceUID]);
    viewportIds = shown.map(v => v.viewportId);
  });

  await step('scores from both views, and from each alone', async () => {
    const after = await runByPanel(page, TWO_VIEWS);
    assert.equal(after.lastError, null, after.lastError?.message);
    const result = after.results.find(r => r.model.id === TWO_VIEWS);
    assert.equal(result.backend, 'webgpu');
    assert.deepEqual(result.viewsUsed, ['PA', 'L']);
    assert.deepEqual(new Set(result.sources.map(s => s.sopInstanceUID)), new Set([truth.frontal.sopInstanceUID, truth.lateral.sopInstanceUID]));
    const lateral = result.scores.find(s => s.label === 'Finding seen on lateral');
    assert.ok(lateral.positive && lateral.views.fused > 0.9 && lateral.views.PA < 0.5, JSON.stringify(lateral));
    for (const { views } of result.scores) for (const key of ['PA', 'L', 'fused']) assert.ok(views[key] >= 0 && views[key] <= 1, `${key} ${views[key]}`);
    const rows = page.locator('[data-overread="score"]');
    assert.equal(await rows.count(), result.scores.length);
    assert.match(await rows.first().innerText(), /PA[\s\S]*L[\s\S]*both/);
    assert.match(await page.locator('[data-overread="result"]').innerText(), /Not for real patients/i);
    await screenshot(page, `${name}-scores`);
  });

  await step('a click on a score: its heat map lies on the finding, where there is one', async () => {
    await page.locator('[data-overread="score"]').first().click();
    assert.equal((await state(page)).explaining?.label, 'Finding seen on lateral');
    const [peak] = await mapsOn(page, [viewportIds[1]]);
    await screenshot(page, `${name}-heat-map`);
    assert.ok(near(truth.finding, peak), `the lateral's peak (${peak.column}, ${peak.row}) is not in the finding`);
    // Both views have one range of colours, and the frontal has next to nothing to say.
    assert.equal(await peakOnImage(page, viewportIds[0]), undefined);
    assert.match(await page.locator('[data-overread="saliency"]').innerText(), /no proof/i);
  });

  await step('heat maps on both views, right under rotation and flip', async () => {
    await page.locator('[data-overread="score"][data-label="Finding seen on both"]').click();
    const before = await mapsOn(page, viewportIds);
    for (const viewportId of viewportIds) {
      await page.evaluate(id => window.services.viewportGridService.setActiveViewportId(id), viewportId);
      await command(page, 'rotateViewportCW');
      await command(page, 'flipViewportHorizontal');
    }
    await page.evaluate(() => new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve))));
    const turned = await mapsOn(page, viewportIds);
    await screenshot(page, `${name}-heat-map-turned`);
    before.forEach((peak, i) => {
      const away = Math.hypot(peak.column - turned[i].column, peak.row - turned[i].row);
      t.diagnostic(`${name}: peak at (${peak.column.toFixed(3)}, ${peak.row.toFixed(3)}) of the image, ${away.toFixed(4)} away after rotation and flip`);
      assert.ok(away < 0.02, `the peak moved by ${away} of the image's side`);
      assert.ok(peak.column > 0 && peak.column < 1 && peak.row > 0 && peak.row < 1);
    });
  });

  if (isCompared) await step('two methods\' heat maps are compared; the comparison is saved without the patient, and made again from its link', async () => {
    const compare = page.locator('[data-overread="compare"]');
    await page.locator('[data-overread="saliency-keep"]').click();
    await page.locator('[data-overread="saliency-method"]').selectOption('input-gradient');
    await page.locator('[data-overread="saliency"][data-phase="shown"]').waitFor({ timeout: 120_000 });
    await page.locator('[data-overread="saliency-keep"]').click();
    await settled(page, s => s.results.filter(({ kind }) => kind === 'heatmap').length === 4);
    const named = method => compare.locator('[data-overread="compare-a"] option').filter({ hasText: new RegExp(`PA of Finding seen on both by ${method}`) });
    await compare.locator('[data-overread="compare-a"]').selectOption(await named('Grad-CAM').getAttribute('value'));
    await compare.locator('[data-overread="compare-with"]').selectOption(await named('Input gradient').getAttribute('value'));
    await compare.locator('[data-overread="agreement"]').waitFor();
    // By ours and by another way: Pearson's r of the two maps that are kept.
    const said = Number(/Correlation\s+(−?[\d.]+)/.exec(await compare.locator('[data-overread="agreement"]').innerText())[1].replace('−', '-'));
    assert.ok(said > -1 && said < 1 && said !== 0, `r = ${said}`);
    await screenshot(page, `${name}-heat-maps-compared`);
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    const [download] = await Promise.all([page.waitForEvent('download'), compare.locator('[data-overread="compare-save"]').click()]);
    const file = await download.path();
    const text = readFileSync(file, 'utf8');
    for (const secret of [studies.both, truth.frontal.seriesInstanceUID, 'DEMO-CHEST', 'Demo^']) assert.ok(!text.includes(secret), `the file has ${secret}`);
    await compare.getByText('with the study\'s UID').click();
    await compare.locator('[data-overread="compare-link"]').click();
    await compare.locator('[data-overread="compare-offered-note"]').waitFor();
    const link = await page.evaluate(() => navigator.clipboard.readText());
    // As another would open it, on a page that has run nothing: what is not stored is there again.
    await page.goto('about:blank');
    await page.goto(link);
    const make = page.locator('[data-overread="compare-make"]:enabled');
    await make.click({ timeout: 120_000 });
    const again = async () => Number(/Correlation\s+(−?[\d.]+)/.exec(await compare.locator('[data-overread="agreement"]').innerText())[1].replace('−', '-'));
    await compare.locator('[data-overread="agreement"]').waitFor();
    assert.equal(await again(), said);
    // And from the file.
    await compare.locator('[data-overread="compare-with"]').selectOption('');
    await compare.locator('[data-overread="compare-open"]').setInputFiles(file);
    await make.click();
    await compare.locator('[data-overread="agreement"]').waitFor();
    assert.equal(await again(), said);
    await screenshot(page, `${name}-comparison-from-a-link`);
  });

  await step('a frontal only: the missing view is said, and the map goes with its study', async () => {
    await openStudy(page, origin, studies.frontal);
    assert.equal(await page.locator('[data-overread="heatmap"]:visible').count(), 0);
    const after = await runByPanel(page, TWO_VIEWS);
    assert.equal(after.lastError, null, after.lastError?.message);
    const result = after.results.find(r => r.studyInstanceUID === studies.frontal);
    assert.deepEqual([result.viewsUsed, result.viewsMissing], [['PA'], ['L']]);
    assert.match(await page.locator('[data-badge="missing-view"]').innerText(), /no lateral/i);
    await screenshot(page, `${name}-frontal-only`);
  });

  await step('a picture that is refused says why; read all the same, it is marked', async () => {
    await openStudy(page, origin, studies.refused);
    const refused = await runByPanel(page, FINDINGS);
    assert.equal(refused.lastError?.code, 'input/out-of-distribution');
    assert.match(refused.lastError.message, /inverted grey scale: probability/);
    await screenshot(page, `${name}-refused`);
    const before = refused.results.length;
    await page.locator('[data-overread="run-anyway"]').click();
    const forced = await settled(page, s => s.results.length > before);
    assert.equal(forced.results.find(r => r.studyInstanceUID === studies.refused).outOfDistribution.refused, true);
    assert.match(await page.locator('[data-badge="out-of-distribution"]').innerText(), /outside what the model was made for/i);
    await screenshot(page, `${name}-forced`);
    // Audited: the run that was refused, and the one that was forced.
    const [run, forcedRun] = (await auditLog(page, records => records.some(({ action }) => action === 'override'))).filter(({ model, studyInstanceUID }) => model?.id === FINDINGS && studyInstanceUID === studies.refused);
    assert.deepEqual([[run.action, run.outcome, run.error], [forcedRun.action, forcedRun.outcome]], [['run', 'failure', 'input/out-of-distribution'], ['override', 'success']]);
  });

  await step('no page error, no policy violation, no request elsewhere', () => {
    assert.deepEqual(seen.pageErrors, []);
    assert.deepEqual(seen.policy, []);
    assert.deepEqual(seen.external, []);
  });
}
