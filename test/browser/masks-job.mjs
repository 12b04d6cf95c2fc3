/**
 * What a reader does with a mask in the real OHIF: moves its threshold, corrects it with OHIF's brush, undoes that, and
 * sets it against another model's. The page shows a frontal film with one result of `lung-unet`.
 */
import assert from 'node:assert/strict';
import { compareJob } from './compare-job.mjs';
import { dice, screenshot, state } from './harness.mjs';
import { masksShown, poll, runByPanel, show } from './main-job.mjs';

const count = labels => labels.reduce((n, v) => n + (v > 0), 0);
const resultOf = async (page, modelId) => (await state(page)).results.find(r => r.model.id === modelId);
/** By its model's name and the first digit of the version. */
const card = (page, name) => page.locator(`[data-overread="result"][aria-label^="${name} 1"]`);

/** Waits until what is drawn has as many pixels as the panel's result says. */
async function drawn(page, modelId) {
  let mask;
  await poll(async () => {
    const shown = await masksShown(page, 1);
    mask = shown[0].labels;
    return count(mask) === (await resultOf(page, modelId)).segments.reduce((n, s) => n + s.pixels, 0);
  }, 'the mask of the panel on the image');
  return mask;
}

/** Drags with the first mouse button over places of the image, in shares of its sides. */
async function stroke(page, ...places) {
  const points = await page.evaluate(shares => {
    const { viewportGridService, cornerstoneViewportService } = window.services;
    const viewport = cornerstoneViewportService.getCornerstoneViewport(viewportGridService.getActiveViewportId());
    const { columns, rows } = window.cornerstone.cache.getImage(viewport.getCurrentImageId());
    const { left, top } = viewport.canvas.getBoundingClientRect();
    return shares.map(([x, y]) => {
      const [cx, cy] = viewport.worldToCanvas(viewport.getImageData().imageData.indexToWorld([x * columns, y * rows, 0]));
      return [left + cx, top + cy];
    });
  }, places);
  await page.mouse.move(...points[0]);
  await page.mouse.down();
  for (const point of points.slice(1)) await page.mouse.move(...point, { steps: 4 });
  await page.mouse.up();
}

/** @param other id of a model that outlines the same with another operating point */
export async function masksJob(t, { page, frontal, lateral, other, name }) {
  const original = await drawn(page, 'lung-unet');
  const before = await resultOf(page, 'lung-unet');
  const slider = card(page, 'Lung U-Net').locator('[data-overread="threshold"]');

  // The threshold: another mask at once, of the same run.
  await slider.fill('0.9');
  const strict = await drawn(page, 'lung-unet');
  const moved = await resultOf(page, 'lung-unet');
  assert.ok(count(strict) < count(original) && count(strict) > 0, `${count(strict)} of ${count(original)} pixels`);
  assert.ok(strict.every((v, i) => v === 0 || original[i] > 0), 'a higher threshold gave pixels that were not there');
  assert.deepEqual([moved.createdAt, moved.segments[0].threshold], [before.createdAt, 0.9]);
  assert.ok(moved.segments[0].areaMm2 < before.segments[0].areaMm2);
  assert.match(await card(page, 'Lung U-Net').innerText(), /90 %[\s\S]*Moved: not the mask that was tested/);
  await poll(async () => /±/.test(await card(page, 'Lung U-Net').locator('[data-overread="segments"]').innerText()), 'the mean intensity');
  await screenshot(page, `${name}-threshold`);
  t.diagnostic(`threshold 0.5 → 0.9: ${count(original)} → ${count(strict)} pixels`);
  // By the keyboard, and back to the very mask that the network gave.
  await slider.focus();
  await page.keyboard.press('ArrowLeft');
  await poll(async () => (await resultOf(page, 'lung-unet')).segments[0].threshold === 0.895, 'a step of the slider');
  await card(page, 'Lung U-Net').locator('[data-overread="threshold-reset"]').click();
  assert.deepEqual(await drawn(page, 'lung-unet'), original);

  // The brush, over the edge of the picture's middle, where there is no lung.
  await card(page, 'Lung U-Net').locator('[data-overread="edit-by-hand"]').click();
  await page.locator('[data-cy="Brush"], [data-cy="BrushTools"]').first().waitFor({ timeout: 15_000 }).catch(() => undefined);
  await page.evaluate(() => {
    window.commandsManager.runCommand('setToolActive', { toolName: 'CircularBrush' });
    window.commandsManager.runCommand('setBrushSize', { value: 12, toolNames: ['CircularBrush'] });
  });
  await screenshot(page, `${name}-brush-panel`);
  const brush = async () => {
    await stroke(page, [0.5, 0.85], [0.52, 0.9], [0.48, 0.92]);
    await poll(async () => (await resultOf(page, 'lung-unet')).editedAt !== null, 'the edit in the panel');
    return drawn(page, 'lung-unet');
  };
  const edited = await brush();
  assert.ok(count(edited) > count(original), 'the brush added nothing');
  const measured = await resultOf(page, 'lung-unet');
  assert.equal(measured.segments[0].areaMm2 > before.segments[0].areaMm2, true);
  // Undone, it is the model's mask again.
  await page.evaluate(() => window.commandsManager.runCommand('undo'));
  await poll(async () => (await resultOf(page, 'lung-unet')).editedAt === null, 'the mask without its edit');
  assert.deepEqual(await drawn(page, 'lung-unet'), original);
  const again = await brush();
  await page.locator('[data-cy="ai-btn"], [data-cy="overread.panelModule.ai-btn"]').first().click({ timeout: 2000 }).catch(async () => {
    await page.evaluate(() => window.services.panelService.activatePanel('overread.panelModule.ai', true));
  });
  const own = card(page, 'Lung U-Net');
  await own.locator('[data-overread="edited"]').waitFor();
  assert.equal(await own.locator('[data-overread="threshold"]').isDisabled(), true);
  await screenshot(page, `${name}-brush`);
  t.diagnostic(`brush: ${count(original)} → ${count(again)} pixels`);
  // Another image and back: the edit is kept.
  await show(page, lateral.seriesInstanceUID);
  await show(page, frontal.seriesInstanceUID);
  assert.deepEqual(await drawn(page, 'lung-unet'), again);
  await page.evaluate(() => window.commandsManager.runCommand('setToolActive', { toolName: 'WindowLevel' }));

  // Another model on the same film, and the difference of the two.
  const after = await runByPanel(page, other);
  assert.equal(after.lastError, null, after.lastError?.message);
  const two = await masksShown(page, 2);
  const second = two.map(m => m.labels).find(labels => count(labels) !== count(again));
  const compare = page.locator('[data-overread="compare"]');
  await own.locator('[data-overread="compare-this"]').click();
  await compare.locator('[data-overread="compare-with"]').selectOption({ label: 'Lung U-Net strict' });
  await compare.locator('[data-overread="difference"]').waitFor();
  const [difference] = await masksShown(page, 1);
  const parts = [1, 2, 3].map(value => difference.labels.filter(v => v === value).length);
  const expected = [again.filter((v, i) => v && second[i]).length, again.filter((v, i) => v && !second[i]).length, again.filter((v, i) => !v && second[i]).length];
  assert.deepEqual(parts, expected);
  const table = await compare.locator('[data-overread="agreement"]').innerText();
  assert.match(table, new RegExp(`Dice\\s+${dice(again, second).toFixed(3)}`));
  assert.match(table, /Hausdorff 95 %\s+[\d.]+ mm/);
  assert.match(await compare.locator('[data-overread="difference"]').innerText(), /Both[\s\S]*Only Lung U-Net, edited[\s\S]*Only Lung U-Net strict/);
  await compare.scrollIntoViewIfNeeded();
  await screenshot(page, `${name}-difference`);
  t.diagnostic(`difference: ${parts.join(', ')} pixels; ${table.replace(/\s+/g, ' ')}`);
  await compareJob(t, { page, name, a: again, b: second });
  // Given up by name, and asked twice.
  await compare.locator('[data-overread="compare-with"]').selectOption('');
  await own.locator('[data-overread="discard-edits"]').click();
  await own.locator('[data-overread="discard-edits-really"]').click();
  await poll(async () => (await resultOf(page, 'lung-unet')).editedAt === null, 'the mask without its edit');
  const shown = await masksShown(page, 2);
  assert.ok(shown.some(m => dice(m.labels, original) === 1), 'the model\'s own mask is not back');
}
