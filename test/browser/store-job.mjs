/**
 * From a run to the PACS and back, as a person does it: run, reload before storing, store, and on another page, which has
 * run nothing, the same mask, scores, heat map and markers with the model that made them. The embedded store and a real
 * PACS go through it.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { PNG } from 'pngjs';
import { modelsWith } from './broken-models.mjs';
import { cellPicture, writeStudy } from './cell-studies.mjs';
import { writeCountingModel } from './counting-model.mjs';
import { dice, openBrowser, openStudy, ROOT, screenshot, SCREENSHOTS, settled, temporaryFolder } from './harness.mjs';
import { masksShown, readTruth, runByPanel, show } from './main-job.mjs';
import { reportsByTheViewer } from './report-job.mjs';

const COUNTS = 'tiny-count', SCORES = 'phantom-chest-fusion';

/** The demo's studies, an image of cells beside the films of one, the study of a slide, and models that read them: { studies, models, frontal, cells, slide } */
export function storeStudies() {
  const studies = temporaryFolder('stored');
  const made = spawnSync(process.execPath, [path.join(ROOT, 'dist/cli/main.mjs'), 'demo', '--small', '--out', studies], { encoding: 'utf8' });
  assert.equal(made.status, 0, made.stderr);
  const { frontal } = readTruth(studies);
  const [cells] = writeStudy(studies, { patientId: 'DEMO-CHEST-1', patientName: 'Demo^Chest', studyInstanceUID: frontal.studyInstanceUID, pictures: [{ name: 'cells', png: cellPicture({ columns: 300, rows: 260, cells: [20, 9], seed: 5 }).png, spacing: 0.0005 }] });
  const models = temporaryFolder('models');
  for (const id of ['lung-unet', 'cxr-view', SCORES]) modelsWith(models, path.join(ROOT, 'models', id), id, () => undefined);
  writeCountingModel(models, COUNTS);
  modelsWith(models, path.join(ROOT, 'test/fixtures/tiny-dark'), 'tiny-dark', () => undefined);
  const slide = JSON.parse(readFileSync(path.join(studies, 'truth/truth.json'), 'utf8')).truth.find(({ study }) => study === 'slide').studyInstanceUID;
  return { studies, models, frontal, cells, slide };
}

const row = (page, n = 0) => page.locator('[data-overread="store-row"]').nth(n);
const stored = page => page.locator('[data-overread="store-row"][data-status="stored"]');

/**
 * @param origin of the server
 * @param frontal a film of a study with a lateral, as `readTruth` gives it
 * @param cells an image of that study that the counting model reads
 * @param reload whether to leave the page before anything is stored
 * @param onKept called when there are results that are not stored yet
 */
export async function storeJob(t, { page, seen, origin, frontal, cells, name, reload = false, onKept }) {
  await openStudy(page, origin, frontal.studyInstanceUID);
  await show(page, frontal.seriesInstanceUID);
  const ran = await runByPanel(page, 'lung-unet');
  assert.equal(ran.lastError, null, ran.lastError?.message);
  const [mask] = await masksShown(page, 1);

  await t.test('what is not stored survives a reload', { skip: !reload && 'the embedded store has tried it' }, async () => {
    await openStudy(page, origin, frontal.studyInstanceUID);
    await settled(page, s => s.results.length === 1);
    assert.equal(await row(page).getAttribute('data-status'), 'new');
    await show(page, frontal.seriesInstanceUID);
    const [again] = await masksShown(page, 1);
    assert.equal(dice(again.labels, mask.labels), 1);
  });

  let kept;
  await t.test('mask, scores, heat maps and markers are stored and read back, once', async () => {
    const scored = await runByPanel(page, SCORES);
    assert.equal(scored.lastError, null, scored.lastError?.message);
    await page.locator('[data-overread="score"]').first().click();
    await page.locator('[data-overread="saliency-keep"]').click({ timeout: 180_000 });
    await show(page, cells.seriesInstanceUID);
    const counted = await runByPanel(page, COUNTS);
    assert.equal(counted.lastError, null, counted.lastError?.message);
    kept = counted.results;
    assert.deepEqual(kept.map(({ kind }) => kind).sort(), ['heatmap', 'heatmap', 'labelmap', 'points', 'scores']);
    const judged = page.locator(`[data-overread="result"][data-key="${kept.find(({ kind }) => kind === 'labelmap').key}"]`);
    await judged.locator('[data-overread="verdict"]').selectOption('rejected');
    await onKept?.();
    await page.locator('[data-overread="store-all"]').click();
    await stored(page).nth(4).waitFor({ timeout: 120_000 });
    await screenshot(page, `${name}-stored`);
    // A mask and its measurements, reports of scores and counts, a capture for each view's map.
    assert.deepEqual(await derived(page, origin, frontal.studyInstanceUID), ['SEG', 'SR', 'SR', 'SR', 'capture', 'capture']);
  });

  await t.test('another page shows all of it without running, with the model that made it', async () => {
    const other = await openBrowser(origin, { webgpu: false });
    try {
      await openStudy(other.page, origin, frontal.studyInstanceUID);
      const after = await settled(other.page, s => s.results.length === 5);
      assert.equal(after.device, null);
      assert.deepEqual(said(after.results), said(kept));
      await stored(other.page).nth(4).waitFor();
      assert.equal(await other.page.locator('[data-overread="verdict"]').evaluateAll(all => all.filter(({ value }) => value === 'rejected').length), 1);
      await show(other.page, frontal.seriesInstanceUID);
      const [loaded] = await masksShown(other.page, 1);
      assert.equal(dice(loaded.labels, mask.labels), 1);
      await other.page.locator('[data-overread="heatmap"]:visible').first().waitFor();
      await screenshot(other.page, `${name}-loaded`);
      await picture(other.page, name);
      await show(other.page, cells.seriesInstanceUID);
      await other.page.locator('[data-overread="markers"]:visible').first().waitFor();
      await screenshot(other.page, `${name}-loaded-cells`);
      assert.equal(await reportsByTheViewer(other.page, after.results, name), 3);
      assert.deepEqual([other.seen.policy, other.seen.external], [[], []]);
    } finally {
      await other.close();
    }
  });
  assert.deepEqual([seen.policy, seen.external], [[], []]);
}

/** The active viewport as a file: outlined as on screen, with the line that it is not for diagnosis. */
async function picture(page, name) {
  const [download] = await Promise.all([page.waitForEvent('download'), page.locator('[data-overread="picture"]').click()]);
  mkdirSync(SCREENSHOTS, { recursive: true });
  await download.saveAs(path.join(SCREENSHOTS, `${name}-picture.png`));
  const { width, height, data } = PNG.sync.read(readFileSync(path.join(SCREENSHOTS, `${name}-picture.png`)));
  const pixels = Array.from({ length: width * height }, (_, i) => [...data.subarray(4 * i, 4 * i + 3)]);
  const blue = pixels.filter(([r, g, b]) => b > 180 && b - r > 80 && g > r).length;
  assert.ok(blue > 300, `${blue} pixels of the outline in a picture of ${width} × ${height}`);
  // Burnt in at the lower left, white on black.
  const corner = pixels.filter((_, i) => i % width < width / 3 && i >= width * (height - 12));
  assert.ok(corner.filter(([r]) => r === 255).length > 50 && corner.filter(([r]) => r === 0).length > 50, 'the line is not there');
}

/** Everything that has to come back, of results. */
function said(results) {
  const scores = of => of?.map(({ label, probability, positive }) => [label, probability.toFixed(6), positive]);
  return results.map(({ key, kind, model, sources, scores: of, segments, count }) => JSON.stringify({
    key, kind, model, sources, scores: scores(of), segments: segments?.map(({ label, pixels }) => [label, pixels]),
    count: count && [count.count.toFixed(4), count.markers, count.interval.low.toFixed(4), count.interval.high.toFixed(4), count.interval.level, count.classes.map(({ label, markers }) => [label, markers])],
  })).sort();
}

/** Modalities of the series that were added to a study, in order; of a capture 'capture'. */
export async function derived(page, origin, studyInstanceUID) {
  const series = await page.evaluate(async ({ base, uid }) => (await fetch(`${base}/studies/${uid}/instances?includefield=00080060`, { headers: { Accept: 'application/dicom+json' } })).json(), { base: `${origin}/dicom-web`, uid: studyInstanceUID });
  return series.map(s => (s['00080016'].Value[0] === '1.2.840.10008.5.1.4.1.1.7' && s['00080060'].Value[0] !== 'OT' ? 'capture' : s['00080060'].Value[0])).filter(m => ['SEG', 'SR', 'ANN', 'capture'].includes(m)).sort();
}
