/** Results on a slide, on their way to the PACS and back: a mask over a reload before it is stored, and a count with its markers. */
import assert from 'node:assert/strict';
import { screenshot, settled, state } from './harness.mjs';
import { chooseModel, poll } from './main-job.mjs';
import { slideReady } from './slide-screen.mjs';

const MASK = '[data-overread="slide-mask"]', MARKERS = '[data-overread="markers"]';

/**
 * @param masks a model that segments, and `counts` one that counts
 * @param derived modalities of what is in the study beside its images
 */
export async function slideStoreJob(t, { page, seen, origin, studyInstanceUID, name, masks, counts, derived }) {
  const reload = async () => {
    await page.goto(`${origin}/overread?StudyInstanceUIDs=${studyInstanceUID}`);
    await slideReady(page);
    await page.locator('[data-overread="run"]').waitFor();
  };
  await reload();
  await chooseModel(page, masks);
  await page.locator('[data-overread="run"]:not([disabled])').click();
  const ran = await settled(page, s => s.slides[0]?.status === 'done' || s.lastError);
  assert.equal(ran.lastError, null, ran.lastError?.message);
  const [mask] = ran.slides;
  assert.ok(mask.segments[0].pixels > 100);

  await reload();
  await poll(async () => (await state(page)).slides.length === 1, 'the mask that is not stored', 30_000);
  assert.deepEqual(told((await state(page)).slides[0]), told(mask));
  await chooseModel(page, counts);
  await page.locator('[data-overread="run"]:not([disabled])').click();
  const [count] = (await settled(page, s => s.results.length > 0 || s.lastError)).results;
  assert.ok(count.count.markers > 20, JSON.stringify(count.count));

  await page.locator('[data-overread="slide"] [data-overread="store"]').click();
  await page.locator('[data-overread="result"] [data-overread="store"]').click();
  await page.locator('[data-status="stored"]').nth(1).waitFor({ timeout: 120_000 });
  assert.deepEqual(await derived(studyInstanceUID), ['ANN', 'SEG', 'SR']);

  await reload();
  const after = await settled(page, s => s.slides.length === 1 && s.results.length === 1, 60_000);
  assert.equal(after.device, null);
  assert.deepEqual(told(after.slides[0]), told(mask));
  assert.deepEqual(saidOfCount(after.results[0]), saidOfCount(count));
  await page.locator('[data-status="stored"]').nth(1).waitFor();
  await page.locator(MASK).waitFor({ state: 'attached' });
  await page.locator(MARKERS).first().waitFor({ state: 'attached' });
  await screenshot(page, `${name}-slide-loaded`);
  t.diagnostic(`${mask.segments[0].pixels} pixels of mask, ${count.count.markers} markers on the slide`);
  assert.deepEqual([seen.policy, seen.external], [[], []]);
}

const told = ({ segments, model, source }) => ({ segments, model, source });

/** Everything that has to come back, of a count. */
export const saidOfCount = ({ key, model, sources, count: { count, markers, cellsPerMm2, classes } }) => ({
  key, model, sources, count: count.toFixed(3), markers, cellsPerMm2: cellsPerMm2.toPrecision(6), classes: classes.map(({ label, count: n, markers: m }) => [label, n.toFixed(3), m]),
});
