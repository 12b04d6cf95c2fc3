/**
 * Two masks of one film in the real OHIF: wiped, with the divider dragged and moved by the keyboard, and side by side in two
 * viewports that move together. The page shows the film, and the two are being compared.
 */
import assert from 'node:assert/strict';
import { screenshot } from './harness.mjs';
import { poll, visibleMasks } from './main-job.mjs';

const frames = page => page.evaluate(() => new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve))));

/**
 * Pixels of a mask's border as they are on screen: whether our canvas is painted there, by the side of the divider that they lie on.
 * @param labels of the film; its border is every pixel with a neighbour outside
 * @returns { left: share of the border's pixels left of the divider that are drawn, right: the same right of it }
 */
function drawnBorder(page, labels, viewportId) {
  return page.evaluate(([mask, id]) => {
    const { viewportGridService, cornerstoneViewportService } = window.services;
    const viewport = cornerstoneViewportService.getCornerstoneViewport(id ?? viewportGridService.getActiveViewportId());
    const canvas = viewport.element.querySelector('[data-overread="split"]');
    if (!canvas || canvas.hidden) return undefined;
    const divider = viewport.element.querySelector('[data-overread="divider"]');
    const box = viewport.canvas.getBoundingClientRect();
    const handle = divider.getBoundingClientRect();
    const line = divider.hidden ? Infinity : handle.left + handle.width / 2 - box.left;
    const { columns, rows } = window.cornerstone.cache.getImage(viewport.getCurrentImageId());
    const { data, width } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const ratio = canvas.width / box.width;
    const counts = { left: [0, 0], right: [0, 0] };
    for (let y = 1; y < rows - 1; y++) for (let x = 1; x < columns - 1; x++) {
      const i = y * columns + x;
      if (!mask[i] || (mask[i - 1] && mask[i + 1] && mask[i - columns] && mask[i + columns])) continue;
      const [u, v] = viewport.worldToCanvas(viewport.getImageData().imageData.indexToWorld([x, y, 0]));
      // Beside the divider, and beyond what is on screen, nothing can be said.
      if (Math.abs(u - line) < 4 || u < 4 || v < 4 || u > box.width - 4 || v > box.height - 4) continue;
      const of = counts[u < line ? 'left' : 'right'];
      of[1]++;
      // Within a pixel of the film and the width of the line.
      const reach = Math.ceil(ratio * (2 + viewport.getZoom()));
      let seen = false;
      for (let dy = -reach; dy <= reach && !seen; dy++) for (let dx = -reach; dx <= reach && !seen; dx++) seen = data[4 * ((Math.round(v * ratio) + dy) * width + Math.round(u * ratio) + dx) + 3] > 40;
      of[0] += seen;
    }
    return { left: counts.left[1] ? counts.left[0] / counts.left[1] : undefined, right: counts.right[1] ? counts.right[0] / counts.right[1] : undefined };
  }, [labels.map(v => (v > 0 ? 1 : 0)), viewportId]);
}

/** @param a labels of A on the film; `b` of B */
export async function compareJob(t, { page, name, a, b }) {
  const step = (title, run) => t.test(title, async () => {
    try {
      await run();
    } catch (error) {
      await screenshot(page, `${name}-compare-failed`);
      throw error;
    }
  });
  const compare = page.locator('[data-overread="compare"]');
  assert.ok(a.some((v, i) => v && !b[i]), 'A has nothing of its own');

  await step('a wipe shows A left of the divider and B right of it', async () => {
    await compare.locator('[data-overread="view-wipe"]').click();
    const divider = page.locator('[data-overread="divider"]:visible');
    await divider.waitFor();
    await frames(page);
    await screenshot(page, `${name}-wipe`);
    assert.deepEqual(await visibleMasks(page), [], 'the viewer still draws masks under the wipe');
    const middle = [await drawnBorder(page, a), await drawnBorder(page, b)];
    t.diagnostic(`wipe at the middle: of A's border ${middle[0].left.toFixed(3)} is drawn left and ${middle[0].right.toFixed(3)} right, of B's ${middle[1].left.toFixed(3)} and ${middle[1].right.toFixed(3)}`);
    assert.ok(middle[0].left > 0.99 && middle[1].right > 0.99, JSON.stringify(middle));
    assert.ok(middle[0].right < middle[0].left && middle[1].left < middle[1].right, JSON.stringify(middle));
    // Dragged to the left end: all of it is B's.
    const box = await divider.boundingBox();
    const viewport = await page.evaluate(() => {
      const { left, width } = document.querySelector('[data-overread="split"]').getBoundingClientRect();
      return { left, width };
    });
    await page.mouse.move(box.x + box.width / 2, box.y + 60);
    await page.mouse.down();
    await page.mouse.move(viewport.left + viewport.width * 0.3, box.y + 60, { steps: 4 });
    await page.mouse.up();
    await poll(async () => Math.abs(Number(await divider.getAttribute('aria-valuenow')) - 30) <= 1, 'the divider at 30 %');
    await frames(page);
    // The keyboard moves it, and not the viewer.
    await divider.focus();
    await page.keyboard.press('ArrowRight');
    await poll(async () => Math.abs(Number(await divider.getAttribute('aria-valuenow')) - 32) <= 1, 'a step by the keyboard');
    await page.keyboard.press('End');
    await frames(page);
    const all = await drawnBorder(page, a);
    assert.ok(all.left > 0.99 && all.right === undefined, JSON.stringify(all));
    await page.keyboard.press('Home');
    await frames(page);
    assert.ok((await drawnBorder(page, b)).right > 0.99);
  });

  await step('side by side: A in one viewport, B in the other, and they move together', async () => {
    const before = await page.evaluate(() => [...window.services.viewportGridService.getState().viewports.keys()]);
    await compare.locator('[data-overread="view-side-by-side"]').click();
    const ids = ['overread-side-a', 'overread-side-b'];
    await poll(() => page.evaluate(wanted => wanted.every(id => {
      const viewport = window.services.cornerstoneViewportService.getCornerstoneViewport(id);
      return viewport?.getCurrentImageId?.() && window.cornerstone.cache.getImage(viewport.getCurrentImageId()) && viewport.element.querySelector('[data-overread="split"]:not([hidden])');
    }), ids), 'two viewports with their masks', 120_000);
    // Zoomed, moved and windowed on the left.
    await page.evaluate(id => {
      const viewport = window.services.cornerstoneViewportService.getCornerstoneViewport(id);
      viewport.setZoom(1.6);
      viewport.setPan([30, -12]);
      const { lower, upper } = viewport.getProperties().voiRange;
      viewport.setProperties({ voiRange: { lower: lower + 0.1 * (upper - lower), upper: upper - 0.2 * (upper - lower) } });
      viewport.render();
    }, ids[0]);
    const seen = () => page.evaluate(wanted => wanted.map(id => {
      const viewport = window.services.cornerstoneViewportService.getCornerstoneViewport(id);
      const { voiRange } = viewport.getProperties();
      return [viewport.getZoom(), ...viewport.getPan(), voiRange.lower, voiRange.upper].map(v => Number(v.toFixed(2)));
    }), ids);
    await poll(async () => { const [left, right] = await seen(); return left[0] === 1.6 && JSON.stringify(left) === JSON.stringify(right); }, 'both viewports alike', 30_000).catch(async error => {
      throw new Error(`${error.message} ${JSON.stringify(await seen())}`);
    });
    await frames(page);
    await screenshot(page, `${name}-side-by-side`);
    const [left, right] = [await drawnBorder(page, a, ids[0]), await drawnBorder(page, b, ids[1])];
    t.diagnostic(`side by side: ${JSON.stringify(await seen())}; of A's border ${left.left}, of B's ${right.left}`);
    assert.ok(left.left > 0.99 && right.left > 0.99, JSON.stringify([left, right]));
    // Back to what was there.
    await compare.locator('[data-overread="view-difference"]').click();
    await poll(async () => JSON.stringify(await page.evaluate(() => [...window.services.viewportGridService.getState().viewports.keys()])) === JSON.stringify(before), 'the layout as it was', 60_000);
    await poll(async () => (await visibleMasks(page)).length === 1, 'the difference on the image again', 60_000);
  });
}
