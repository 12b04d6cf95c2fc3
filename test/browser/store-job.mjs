/**
 * From a run to the PACS and back, as a person does it: run, reload before storing, store, and on another page, which has
 * run nothing, the same mask and scores with the model that made them. The embedded store and a real PACS go through it.
 */
import assert from 'node:assert/strict';
import { dice, openBrowser, openStudy, screenshot, settled, state } from './harness.mjs';
import { masksShown, runByPanel, show } from './main-job.mjs';

const row = (page, n = 0) => page.locator('[data-overread="store-row"]').nth(n);
const stored = page => page.locator('[data-overread="store-row"][data-status="stored"]');

/** @param origin of the server; @param frontal a film of a study, as `readTruth` gives it */
export async function storeJob(t, { page, seen, origin, frontal, name }) {
  await openStudy(page, origin, frontal.studyInstanceUID);
  await show(page, frontal.seriesInstanceUID);
  const ran = await runByPanel(page, 'lung-unet');
  assert.equal(ran.lastError, null, ran.lastError?.message);
  const [mask] = await masksShown(page, 1);

  await t.test('what is not stored survives a reload', async () => {
    await openStudy(page, origin, frontal.studyInstanceUID);
    await settled(page, s => s.results.length === 1);
    assert.equal(await row(page).getAttribute('data-status'), 'new');
    await show(page, frontal.seriesInstanceUID);
    const [again] = await masksShown(page, 1);
    assert.equal(dice(again.labels, mask.labels), 1);
  });

  await t.test('it is stored and read back, once', async () => {
    assert.equal((await runByPanel(page, 'cxr-findings')).lastError, null);
    await row(page, 0).locator('[data-overread="verdict"]').selectOption('rejected');
    await page.locator('[data-overread="store-all"]').click();
    await stored(page).nth(1).waitFor({ timeout: 120_000 });
    await screenshot(page, `${name}-stored`);
    const series = await page.evaluate(async ({ base, uid }) => (await fetch(`${base}/studies/${uid}/series`, { headers: { Accept: 'application/dicom+json' } })).json(), { base: `${origin}/dicom-web`, uid: frontal.studyInstanceUID });
    const modalities = series.map(s => s['00080060'].Value[0]);
    assert.deepEqual(modalities.filter(m => m === 'SEG' || m === 'SR').sort(), ['SEG', 'SR', 'SR']);
  });

  await t.test('another page shows both without running, with the model that made them', async () => {
    const before = await state(page);
    const other = await openBrowser(origin, { webgpu: false });
    try {
      await openStudy(other.page, origin, frontal.studyInstanceUID);
      const after = await settled(other.page, s => s.results.length === 2);
      assert.equal(after.device, null);
      const of = ({ results }) => results.map(({ kind, model, sources, scores, segments }) => ({ kind, model, sources, scores: scores?.map(({ label, probability, positive }) => [label, probability.toFixed(6), positive]), segments: segments?.map(({ label, pixels }) => [label, pixels]) })).sort((a, b) => a.kind.localeCompare(b.kind));
      assert.deepEqual(of(after), of(before));
      await stored(other.page).nth(1).waitFor();
      await show(other.page, frontal.seriesInstanceUID);
      const [loaded] = await masksShown(other.page, 1);
      assert.equal(dice(loaded.labels, mask.labels), 1);
      await screenshot(other.page, `${name}-loaded`);
      assert.deepEqual([other.seen.policy, other.seen.external], [[], []]);
    } finally {
      await other.close();
    }
  });
  assert.deepEqual([seen.policy, seen.external], [[], []]);
}

