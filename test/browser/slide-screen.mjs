/** What a person sees of a slide and of the mask over it, pixel by pixel of the screen. */
import { PNG } from 'pngjs';
import { poll } from './main-job.mjs';

const viewport = `(() => { const s = window.services; return s.cornerstoneViewportService.getCornerstoneViewport(s.viewportGridService.getActiveViewportId()); })()`;

/** Waits until the slide is on screen and its map has drawn. */
export async function slideReady(page) {
  await poll(() => page.evaluate(`(() => { try { return ${viewport}?.map?.getPixelFromCoordinate([0, -1]) != null; } catch { return false; } })()`), 'the slide', 180_000);
}

/** Looks at a place of the base level; `resolution` in its pixels a pixel of the screen, `rotation` in radians on top of the slide's own. */
export async function lookAt(page, { x, y, resolution, rotation = 0 }) {
  await page.evaluate(`new Promise(resolve => {
    const { map } = ${viewport};
    window.overreadTestRotation ??= map.getView().getRotation();
    const view = map.getView();
    map.once('rendercomplete', resolve);
    view.setCenter([${x}, ${-1 - y}]); view.setResolution(${resolution}); view.setRotation(window.overreadTestRotation + ${rotation});
    map.render();
  })`);
  await drawn(page);
}

/** Waits until the overlay has drawn all that it has, or is hidden. */
export async function drawn(page) {
  await poll(() => page.evaluate(() => {
    const canvas = document.querySelector('[data-overread="slide-mask"]');
    return !canvas || canvas.hidden || canvas.dataset.drawn === 'true';
  }), 'the mask to be drawn', 60_000);
}

/** Where a pixel's centre of the base level is on the page; undefined outside of what `screen` gives. */
export function placesOnScreen(page, points) {
  return page.evaluate(`(() => {
    const { map } = ${viewport};
    const { left, top } = map.getViewport().getBoundingClientRect();
    return ${JSON.stringify(points)}.map(([x, y]) => { const [u, v] = map.getPixelFromCoordinate([x + 0.5, -1.5 - y]); return [left + u, top + v]; });
  })()`);
}

/** The middle of the viewport as a picture, without the map's overview and the viewer's words. */
export async function screen(page) {
  const box = await page.evaluate(`(() => { const { left, top, width, height } = ${viewport}.map.getViewport().getBoundingClientRect(); return { left, top, width, height }; })()`);
  const clip = { x: Math.round(box.left + 0.3 * box.width), y: Math.round(box.top + 0.08 * box.height), width: Math.round(0.6 * box.width), height: Math.round(0.56 * box.height) };
  const png = PNG.sync.read(await page.screenshot({ clip, timeout: 180_000 }));
  return { ...clip, data: png.data };
}

/** 1 where the slide is as dark as the model calls a nucleus. */
export function darkIn({ data, width, height }, red) {
  return Uint8Array.from({ length: width * height }, (_, i) => Number(data[4 * i] < red));
}

/** 1 where two pictures of the same place differ: where the mask is. */
export function changedIn(a, b) {
  return Uint8Array.from({ length: a.width * a.height }, (_, i) => Number([0, 1, 2].some(c => Math.abs(a.data[4 * i + c] - b.data[4 * i + c]) > 40)));
}

/** Overlap (IoU) of two masks, the second moved by dx, dy, within a margin. */
export function overlapAt(a, b, { width, height }, dx, dy, margin = 4) {
  let both = 0, either = 0;
  for (let y = margin; y < height - margin; y++) {
    for (let x = margin; x < width - margin; x++) {
      const [p, q] = [a[y * width + x], b[(y + dy) * width + x + dx]];
      both += p & q;
      either += p | q;
    }
  }
  return either === 0 ? 0 : both / either;
}

/** The shift, up to 3 pixels, at which two masks overlap best: [0, 0] where they are registered. */
export function bestShift(a, b, size) {
  let best = { overlap: -1 };
  for (let dy = -3; dy <= 3; dy++) for (let dx = -3; dx <= 3; dx++) {
    const overlap = overlapAt(a, b, size, dx, dy);
    if (overlap > best.overlap) best = { overlap, dx, dy };
  }
  return best;
}
