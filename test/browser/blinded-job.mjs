/**
 * A blinded reading in the real OHIF, from the first case to the export: two masks of each of two studies, shuffled, judged without knowing
 * whose they are, over a reload in the middle. The page shows the first study with results of both models.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { openStudy, screenshot, state } from './harness.mjs';
import { masksShown, poll, runByPanel, show, visibleMasks } from './main-job.mjs';

/** @param models their ids; `marks` are words that would give either away */
export async function blindedJob(t, parts) {
  await t.test('a blinded reading, from the first case to the export', async step => {
    try {
      await readBlinded(step, parts);
    } catch (error) {
      await screenshot(parts.page, `${parts.name}-failed`);
      throw error;
    }
  });
}

/** Everything on the page that a person could read, tooltips and names for screen readers too. */
const texts = page => page.evaluate(() => [document.title, document.body.innerText, ...[...document.querySelectorAll('[title], [aria-label], [aria-valuetext], option')].map(e => [e.getAttribute('title'), e.getAttribute('aria-label'), e.textContent].join(' '))].join('\n'));

async function addCase(page, name) {
  await page.locator('[data-overread="compare-a"]').selectOption({ label: name });
  await page.locator('[data-overread="compare-with"]').selectOption({ index: 1 });
  await page.locator('[data-overread="compare"][data-phase="shown"]').waitFor();
  const details = page.locator('[data-overread="blinded"] details');
  if (!(await details.evaluate(element => element.open))) await details.locator('summary').click();
  const cases = page.locator('[aria-label="Cases"] li');
  const before = await cases.count();
  await page.locator('[data-overread="blinded-add"]').click();
  await cases.nth(before).waitFor();
}

/** @param models their ids; `marks` are words that would give either away */
async function readBlinded(t, { page, origin, second, models, name, marks }) {
  await addCase(page, 'Lung U-Net');
  await openStudy(page, origin, second.studyInstanceUID);
  await page.locator('[data-overread="run"]').waitFor();
  await show(page, second.seriesInstanceUID);
  for (const id of models) assert.equal((await runByPanel(page, id)).lastError, null);
  await masksShown(page, 2);
  await addCase(page, 'Lung U-Net');
  // What was added before the study was left is there.
  await poll(async () => (await page.locator('[aria-label="Cases"] li').count()) === 2, 'two cases');
  await page.locator('[data-overread="blinded-seed"]').fill('11');
  await page.locator('[data-overread="blinded-start"]').click();
  const said = [['first', 4], ['neither', 2]];
  for (const [i, [choice, confidence]] of said.entries()) {
    const reading = page.locator(`[data-overread="blinded-reading"][data-case="${i + 1}"]`);
    await reading.waitFor();
    const link = page.locator('[data-overread="blinded-open"]');
    const ready = page.locator('[data-overread="blinded-reading"][data-ready="true"]');
    await poll(async () => (await link.isVisible()) || (await ready.isVisible()), 'the case, or the way to its study');
    if (await link.isVisible()) await link.click();
    await ready.waitFor({ timeout: 60_000 });
    // The page is left in the middle of the first one.
    if (i === 0) {
      await page.reload();
      await ready.waitFor({ timeout: 60_000 });
    }
    await page.locator('[data-overread="view-wipe"]').click();
    await page.locator('[data-overread="divider"]:visible').waitFor({ timeout: 30_000 });
    await page.evaluate(() => new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve))));
    if (i === 0) await screenshot(page, `${name}-case`);
    const seen = await texts(page);
    for (const mark of marks) assert.equal(seen.includes(mark), false, `"${mark}" can be read while case ${i + 1} is read`);
    assert.deepEqual([await visibleMasks(page), (await state(page)).results], [[], []]);
    assert.deepEqual([await page.locator('[data-overread="side-a"]:visible').innerText(), await page.locator('[data-overread="side-b"]:visible').innerText()], ['A', 'B']);
    assert.equal(await page.locator('[data-overread="blinded-csv"]').count(), 0);
    await page.locator(`[data-overread="blinded-${choice}"]`).click();
    await page.locator(`[data-overread="blinded-confidence-${confidence}"]`).check();
    await page.locator('[data-overread="blinded-next"]').click();
  }
  await page.locator('[data-overread="blinded-key"] tbody tr').nth(1).waitFor();
  await page.locator('[data-overread="blinded"]').scrollIntoViewIfNeeded();
  await screenshot(page, `${name}-key`);
  const [download] = await Promise.all([page.waitForEvent('download'), page.locator('[data-overread="blinded-csv"]').click()]);
  const csv = readFileSync(await download.path(), 'utf8');
  t.diagnostic(csv.trim().replaceAll('\r\n', ' | '));
  const [columns, ...rows] = csv.trim().split('\r\n').map(line => line.split(','));
  const column = name_ => columns.indexOf(name_);
  assert.equal(rows.length, 2);
  for (const [i, row] of rows.entries()) {
    assert.deepEqual([row[column('choice')], Number(row[column('confidence')])], said[i]);
    assert.deepEqual(new Set([row[column('a')].split(' ')[0], row[column('b')].split(' ')[0]]), new Set(models));
    assert.match(row[column('study')], /^[0-9a-f]{16}$/);
    assert.ok(Number(row[column('seconds')]) > 0);
  }
  assert.equal(rows[0][column('preferred')], rows[0][column('a')]);
  assert.ok(Number(rows[0][column('timesShown')]) >= 2, 'the reload is not in the times');
  assert.doesNotMatch(csv, /Demo|DEMO|1\.2\.\d|2\.25\./);
  // Everything is drawn again.
  await masksShown(page, 2);
}
