/** Counting in the real OHIF: markers on an image, counts in regions while they are drawn, corrections and their undo, dots by hand, growth, a slide. On WebAssembly. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test as each } from 'node:test';
import { cellPicture, writeStudy } from './cell-studies.mjs';
import { writeCountingModel } from './counting-model.mjs';
import { command, inOrder, openBrowser, openStudy, ROOT, screenshot, serve, settled, state, temporaryFolder } from './harness.mjs';
import { poll, runByPanel } from './main-job.mjs';
import { lookAt, placesOnScreen, slideReady } from './slide-screen.mjs';
import { saidOfCount } from './slide-store-job.mjs';
import { derived } from './store-job.mjs';

const MODEL = 'tiny-count';
const BLUE = [86, 180, 233], ORANGE = [230, 159, 0];
const [COLUMNS, ROWS] = [420, 320];
const picture = cellPicture({ columns: COLUMNS, rows: ROWS, cells: [50, 24], seed: 5 });
const folder = temporaryFolder('counting');
const store = path.join(folder, 'store');
let server, window, page, study, series;

const test = inOrder(each, 'counting', () => page);

before(async () => {
  // The store has a slide, with the places of its nuclei.
  const demo = spawnSync(process.execPath, [path.join(ROOT, 'dist/cli/main.mjs'), 'demo', '--small', '--slide-size', '1024', '--out', store], { encoding: 'utf8' });
  assert.equal(demo.status, 0, demo.stderr);
  writeCountingModel(path.join(folder, 'models'));
  [study] = writeStudy(store, { patientId: 'CELLS-1', patientName: 'Cells^One', pictures: [{ name: 'cells', png: picture.png, spacing: 0.0005 }] });
  const day = ['20260301080000', '20260302080000', '20260303080000', '20260304080000'];
  [series] = writeStudy(store, {
    patientId: 'PLATE-1', patientName: 'Plate^Growth',
    pictures: day.flatMap((at, i) => [['B03', 8 * 2 ** i], ['C04', 12]].map(([well, n]) => ({
      name: `${well}-${i}`, png: cellPicture({ columns: 300, rows: 260, cells: [n], seed: 11 + i }).png, spacing: 0.001,
      attributes: { AcquisitionDateTime: at, SeriesDescription: `Well ${well} day ${i}`, SeriesNumber: i + 1 },
    }))),
  });
  server = await serve(['--store', store, '--models', path.join(folder, 'models')], { softwareGpu: false });
  window = await openBrowser(server.origin, { webgpu: false });
  page = window.page;
  page.setDefaultTimeout(120_000);
});

after(async () => {
  await window?.close();
  await server?.stop();
});

/** Where index coordinates of the shown image are on the page, through Cornerstone's own camera. */
function placesOf(points) {
  return page.evaluate(places => {
    const { viewportGridService, cornerstoneViewportService } = window.services;
    const viewport = cornerstoneViewportService.getCornerstoneViewport(viewportGridService.getActiveViewportId());
    const { left, top } = viewport.canvas.getBoundingClientRect();
    return places.map(([x, y]) => {
      const [u, v] = viewport.worldToCanvas(viewport.getImageData().imageData.indexToWorld([x, y, 0]));
      return [left + u, top + v];
    });
  }, points);
}

/** The colours that the markers' layer has at places of the page: [[r, g, b, a]]; of clear ones all 0. */
function coloursAt(places) {
  return page.evaluate(at => {
    const canvas = document.querySelector('[data-overread="markers"] canvas');
    const { left, top } = canvas.getBoundingClientRect();
    const ratio = canvas.width / canvas.getBoundingClientRect().width;
    const context = canvas.getContext('2d');
    return at.map(([x, y]) => [...context.getImageData(Math.round((x - left) * ratio), Math.round((y - top) * ratio), 1, 1).data]);
  }, places);
}

const near = (colour, wanted) => colour[3] > 200 && wanted.every((v, i) => Math.abs(colour[i] - v) < 30);

/** Every cell has a marker of its class in its middle. */
async function registered(dots, colours = [BLUE, ORANGE]) {
  const seen = await coloursAt(await placesOf(dots.map(({ x, y }) => [x, y])));
  return dots.filter((dot, i) => near(seen[i], colours[dot.class])).length;
}

const counted = async () => (await state(page)).results.find(({ model }) => model.id === MODEL);
const frames = () => page.evaluate(() => new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve))));

async function click(x, y, options) {
  const [[u, v]] = await placesOf([[x, y]]);
  await page.mouse.move(u, v);
  if (options?.shift) await page.keyboard.down('Shift');
  await page.mouse.click(u, v);
  if (options?.shift) await page.keyboard.up('Shift');
}

test('an image is counted by class, with an interval and cells a mm², and every cell has its marker', async t => {
  await openStudy(page, server.origin, study.studyInstanceUID);
  await page.locator('[data-overread="run"]').waitFor();
  const after = await runByPanel(page, MODEL);
  assert.equal(after.lastError, null, after.lastError?.message);
  const { count } = await counted();
  t.diagnostic(`${count.count.toFixed(3)} cells of 74; ${count.classes.map(c => `${c.label} ${c.count.toFixed(3)}`).join(', ')}`);
  assert.ok(Math.abs(count.count - 74) < 0.2 && count.markers === 74);
  assert.deepEqual(count.classes.map(c => c.markers), [50, 24]);
  assert.ok(count.interval.low < 74 && count.interval.high > 74);
  assert.ok(Math.abs(count.cellsPerMm2 - count.count / (COLUMNS * ROWS * 0.0005 ** 2)) < 1);
  await frames();
  await screenshot(page, 'counting');
  assert.equal(await registered(picture.dots), 74);
  const panel = await page.locator('[data-overread="result"]').innerText();
  assert.match(panel, /90 %: 7\d – 7\d/);
  assert.match(panel, /Negative[\s\S]*Positive/);
});

test('markers stay on their cells when the image is turned, flipped, zoomed and panned', async () => {
  await command(page, 'rotateViewportCW');
  await command(page, 'flipViewportHorizontal');
  await frames();
  assert.equal(await registered(picture.dots), 74);
  await page.evaluate(() => {
    const { viewportGridService, cornerstoneViewportService } = window.services;
    const viewport = cornerstoneViewportService.getCornerstoneViewport(viewportGridService.getActiveViewportId());
    viewport.setZoom(viewport.getZoom() * 0.8);
    const [x, y] = viewport.getPan();
    viewport.setPan([x + 37, y - 21]);
    viewport.render();
  });
  await frames();
  await screenshot(page, 'counting-turned');
  assert.equal(await registered(picture.dots), 74);
  await command(page, 'resetViewport');
  await frames();
  assert.equal(await registered(picture.dots), 74);
});

test('a region is counted while it is dragged, in the panel and beside it', async t => {
  await command(page, 'setToolActive', { toolName: 'RectangleROI' });
  const inside = ([ax, ay], [bx, by]) => picture.dots.filter(({ x, y }) => x > Math.min(ax, bx) && x < Math.max(ax, bx) && y > Math.min(ay, by) && y < Math.max(ay, by)).length;
  const corners = [[60.5, 40.5], [200.5, 160.5], [330.5, 250.5]];
  const places = await placesOf(corners);
  await page.mouse.move(...places[0]);
  await page.mouse.down();
  for (const i of [1, 2]) {
    await page.mouse.move(...places[i], { steps: 5 });
    const wanted = inside(corners[0], corners[i]);
    await poll(async () => Math.abs(((await state(page)).rois[0]?.markers ?? -1) - wanted) <= 1, `${wanted} cells in the region while it is drawn`, 10_000);
  }
  await page.mouse.up();
  await frames();
  const [roi] = (await state(page)).rois;
  t.diagnostic(`${roi.markers} cells in the rectangle, ${inside(corners[0], corners[2])} by their places; Σ density ${roi.density.toFixed(1)}`);
  assert.equal(roi.markers, inside(corners[0], corners[2]));
  assert.equal(roi.classes[0] + roi.classes[1], roi.markers);
  assert.ok(Math.abs(roi.density - roi.markers) < 8);
  assert.ok(Math.abs(roi.cellsPerMm2 / (roi.markers / (270 * 210 * 0.0005 ** 2)) - 1) < 0.02);
  assert.match(await page.locator('[data-overread="roi-label"]').innerText(), new RegExp(`^${roi.markers} cells`));
  assert.match(await page.locator('[data-overread="rois"]').innerText(), /Rectangle/);
  await screenshot(page, 'counting-roi');
  await drawnByHand(t);
  await command(page, 'setToolActive', { toolName: 'WindowLevel' });
});

/** A freehand contour that is dragged, and a spline that is clicked, around some cells each: counted beside the rectangle. */
async function drawnByHand(t) {
  const around = ([x, y], radius) => Array.from({ length: 12 }, (_, i) => [x + radius * Math.cos((i * Math.PI) / 6), y + radius * Math.sin((i * Math.PI) / 6)]);
  const cellsIn = ([x, y], radius) => picture.dots.filter(dot => Math.hypot(dot.x - x, dot.y - y) < radius).length;
  const middles = [[COLUMNS * 0.3, ROWS * 0.7], [COLUMNS * 0.75, ROWS * 0.6]];
  const radius = Math.min(COLUMNS, ROWS) * 0.2;
  for (const [i, toolName] of ['PlanarFreehandROI', 'SplineROI'].entries()) {
    await command(page, 'setToolActive', { toolName });
    const places = await placesOf(around(middles[i], radius));
    if (toolName === 'SplineROI') {
      for (const place of places) {
        await page.mouse.move(...place, { steps: 3 });
        await page.mouse.click(...place, { delay: 40 });
        await page.waitForTimeout(350); // or two clicks are a double one, which ends it
      }
      await page.mouse.move(...places[0], { steps: 3 });
      await page.mouse.click(...places[0], { delay: 40 });
    } else {
      await page.mouse.move(...places[0]);
      await page.mouse.down();
      for (const place of [...places.slice(1), places[0]]) await page.mouse.move(...place, { steps: 6 });
      await page.mouse.up();
    }
    // The contour that is drawn is a polygon or a spline through a circle's points: a cell on the circle may be in or out.
    const [least, most] = [cellsIn(middles[i], radius * 0.93), cellsIn(middles[i], radius * 1.07)];
    await poll(async () => (await state(page)).rois.length === 2 + i, `the region of ${toolName}`, 10_000);
    const markers = (await state(page)).rois.at(-1).markers;
    t.diagnostic(`${markers} cells by ${toolName}, ${least} to ${most} by their places`);
    assert.ok(markers >= least && markers <= most && markers > 0, `${toolName}: ${markers} of ${least} to ${most}`);
  }
  await screenshot(page, 'counting-roi-by-hand');
}

test('markers are set, deleted and re-classed by click and key, and undone by the viewer', async () => {
  await page.locator('[data-overread="edit-markers"]').click();
  const empty = [[5, 5], [COLUMNS - 5, 5], [5, ROWS - 5]].find(([x, y]) => picture.dots.every(dot => Math.hypot(dot.x - x, dot.y - y) > 14));
  const [first, second] = picture.dots;
  await click(...empty);
  await poll(async () => (await counted()).count.count === 75, 'one cell more');
  const edited = await counted();
  assert.equal(edited.count.interval, undefined);
  assert.ok(edited.editedAt);
  await click(first.x, first.y, { shift: true });
  await poll(async () => (await counted()).count.count === 74, 'one cell less');
  await page.keyboard.press('2');
  await click(second.x, second.y);
  await poll(async () => (await counted()).count.classes[1].count === 25, 'another class');
  // Twice on the same marker counts once.
  await click(second.x, second.y);
  const third = picture.dots[2];
  await page.mouse.move(...(await placesOf([[third.x, third.y]]))[0]);
  await page.keyboard.press('Delete');
  await poll(async () => (await counted()).count.count === 73, 'the one under the pointer gone');
  await frames();
  await screenshot(page, 'counting-corrected');
  assert.match(await page.locator('[data-overread="edited"]').innerText(), /Corrected by the reader/);
  await missedAndExtra({ extra: { x: empty[0], y: empty[1] }, missed: [first, third] });
  for (const n of [74, 74, 75, 74]) {
    await command(page, 'undo');
    await poll(async () => (await counted()).count.markers === n, `${n} cells after undo`);
  }
  const undone = await counted();
  assert.equal(undone.editedAt, null);
  assert.ok(undone.count.interval, 'the interval is not back');
  await command(page, 'redo');
  await poll(async () => (await counted()).count.count === 75, 'the cell again');
  await page.locator('[data-overread="discard-edits"]').click();
  await poll(async () => (await counted()).editedAt === null, 'the model\'s markers');
  await page.keyboard.press('Escape');
  assert.equal((await state(page)).dotting, null);
});

/** The corrected markers against those that the model gave: one that only the reader has, two that only the model has. */
async function missedAndExtra({ extra, missed }) {
  const YELLOW = [240, 228, 66], VERMILION = [213, 94, 0];
  await page.locator('[data-overread="compare-this"]').click();
  const compare = page.locator('[data-overread="compare"][data-phase="shown"]');
  await compare.waitFor();
  const legend = await compare.locator('[data-overread="difference"]').innerText();
  assert.match(legend, /Matched\s+72\s+Only Tiny count, edited \(extra\)\s+1\s+Only Tiny count, before it was edited \(missed\)\s+2/);
  const numbers = await compare.innerText();
  assert.match(numbers, new RegExp(`F1\\s+${((2 * 72) / (73 + 74)).toFixed(3)}`));
  // One of the matched was given another class.
  assert.match(numbers, /Same class, of the matched\s+71 of 72/);
  assert.match(numbers, /8 pixels \(4\.0 µm\)/);
  await frames();
  const rest = picture.dots.filter(dot => !missed.includes(dot));
  await poll(async () => (await registered([...rest.map(dot => ({ ...dot, class: 0 })), { ...extra, class: 1 }, ...missed.map(dot => ({ ...dot, class: 2 }))], [YELLOW, BLUE, VERMILION])) === rest.length + 1 + missed.length, 'markers in the colours of the difference');
  await screenshot(page, 'counting-difference');
  await compare.locator('[data-overread="view-wipe"]').click();
  await page.locator('[data-overread="divider"]:visible').waitFor();
  await frames();
  await screenshot(page, 'counting-wipe');
  await compare.locator('[data-overread="view-difference"]').click();
  await page.locator('[data-overread="compare-with"]').selectOption('');
  await page.locator('[data-overread="compare"][data-phase="idle"]').waitFor();
}

test('the density lies under the markers, and dots are set, imported and exported without a model', async () => {
  await page.locator('[data-overread="density"]').click();
  await page.locator('[data-overread="heatmap"]:visible').waitFor();
  await screenshot(page, 'counting-density');
  await page.locator('[data-overread="windows"]').click();
  await frames();
  await screenshot(page, 'counting-count-map');
  await page.locator('[data-overread="density"]').click();
  await page.locator('[data-overread="density"]').click();
  await page.locator('[data-overread="eye"]').first().click();
  await page.locator('[data-overread="start-dots"]').click();
  await poll(async () => (await state(page)).dotting !== null, 'dots to be set');
  await page.locator('[data-overread="class-name"]').fill('Mitosis');
  await page.locator('[data-overread="add-class"]').click();
  await page.keyboard.press('1');
  const dots = picture.dots.slice(0, 12);
  for (const [i, dot] of dots.entries()) {
    if (i === 8) await page.keyboard.press('2');
    await click(dot.x, dot.y);
  }
  const set = async () => (await state(page)).results.find(({ model }) => model.id === 'overread-dots');
  await poll(async () => (await set()).count.count === 12, 'twelve dots');
  assert.deepEqual((await set()).count.classes.map(c => [c.label, c.count]), [['Cell', 8], ['Mitosis', 4]]);
  await frames();
  assert.equal(await registered(dots.map((dot, i) => ({ ...dot, class: Number(i >= 8) }))), 12);
  const card = page.locator('[data-overread="result"][aria-label^="Dots"]');
  const [download] = await Promise.all([page.waitForEvent('download'), card.locator('[data-overread="export-markers"]').selectOption('csv')]);
  const text = readFileSync(await download.path(), 'utf8');
  const lines = text.trim().split(/\r\n/);
  assert.equal(lines[0], 'x,y,class,confidence');
  const away = lines.slice(1).map((line, i) => { const [x, y] = line.split(',').map(Number); return Math.hypot(x - dots[i].x, y - dots[i].y); });
  assert.ok(away.length === 12 && Math.max(...away) < 1, `dots lie up to ${Math.max(...away)} pixels from where they were set`);
  await screenshot(page, 'counting-dots');
  const file = path.join(folder, 'more.csv');
  writeFileSync(file, 'x,y,class\n10,10,Mitosis\n20,300,Apoptosis\n');
  await page.locator('[data-overread="import-dots"]').setInputFiles(file);
  await poll(async () => (await set()).count.count === 14, 'two dots more');
  assert.deepEqual((await set()).count.classes.map(c => c.count), [8, 5, 1]);
  writeFileSync(file, 'x,y,class\n1000,10,Mitosis\n');
  await page.locator('[data-overread="import-dots"]').setInputFiles(file);
  await poll(async () => (await state(page)).lastError !== null, 'a refusal');
  assert.match((await state(page)).lastError.message, /lie outside/);
  assert.equal((await set()).count.count, 14);
});

test('a plate is counted over time, with doubling times and a plot', async t => {
  await openStudy(page, server.origin, series.studyInstanceUID);
  await page.locator('[data-overread="model"]').selectOption(MODEL);
  await page.locator('[data-overread="count-all"]').click();
  await settled(page, s => /counted 8 images/.test(s.note ?? ''), 120_000);
  const rows = page.locator('[data-overread="doubling"] tbody tr');
  await poll(async () => (await rows.count()) === 2, 'two wells');
  const [growing, still] = await rows.allInnerTexts();
  t.diagnostic(`${growing.replace(/\s+/g, ' ')}; ${still.replace(/\s+/g, ' ')}`);
  assert.match(growing, /B03\s+24 h/);
  assert.match(still, /C04/);
  assert.doesNotMatch(still, /\d h /);
  assert.equal(await page.locator('[data-overread="growth-point"]').count(), 8);
  assert.equal(await page.locator('[data-overread="plate"] [data-well]').count(), 2);
  await page.locator('[data-overread="growth"]').scrollIntoViewIfNeeded();
  await screenshot(page, 'counting-growth');
});

test('dots lie on a slide at every zoom and rotation', async t => {
  const file = path.join(store, 'truth/slide-dots.csv');
  const rows = readFileSync(file, 'utf8').trim().split('\n');
  const dots = rows.slice(1).map(line => line.split(',').map(Number));
  const csv = path.join(folder, 'slide.csv');
  writeFileSync(csv, `x,y\n${dots.map(([x, y]) => `${x},${y}`).join('\n')}\n`);
  await page.goto(`${server.origin}/`);
  await page.getByText('Demo, Slide').first().click();
  await page.getByRole('button', { name: 'Overread' }).click();
  await slideReady(page);
  await page.locator('[data-overread="import-dots"]').setInputFiles(csv);
  await poll(async () => (await state(page)).results.some(({ open, count }) => open && count?.count === dots.length), 'the dots of the slide', 60_000);
  for (const [i, view] of [{ x: 512, y: 512, resolution: 1.6 }, { x: 400, y: 600, resolution: 0.5 }, { x: 500, y: 500, resolution: 0.9, rotation: 0.7 }].entries()) {
    await lookAt(page, view);
    await frames();
    const places = await placesOnScreen(page, dots);
    const box = await page.locator('[data-overread="markers"]').boundingBox();
    const seen = places.filter(([x, y]) => x > box.x + 8 && y > box.y + 8 && x < box.x + box.width - 8 && y < box.y + box.height - 8);
    const colours = await coloursAt(seen);
    const hit = colours.filter(colour => near(colour, BLUE)).length;
    t.diagnostic(`${hit} of ${seen.length} dots in view have their marker`);
    await screenshot(page, `counting-slide-${i}`);
    assert.ok(seen.length > 10 && hit >= 0.97 * seen.length);
  }
});

test('a model counts the slide tile by tile: classes, markers and cells a mm² agree, and nothing has an interval', async t => {
  await page.locator('[data-overread="run"]:not([disabled])').click();
  const counted = async () => (await state(page)).results.find(({ open, model, kind }) => open && kind === 'points' && model.id === 'tiny-count');
  await poll(async () => (await counted())?.count.markers > 20 && !(await state(page)).running, 'cells counted on the slide', 120_000);
  const { count, sources } = await counted();
  t.diagnostic(`${count.count.toFixed(1)} cells, ${count.markers} markers, ${count.cellsPerMm2.toFixed(0)} cells/mm²`);
  const rounded = count.classes.reduce((sum, of) => sum + Math.round(of.count), 0);
  assert.ok(Math.abs(count.classes.reduce((sum, of) => sum + of.count, 0) - count.count) < 1e-3);
  assert.equal(count.classes.reduce((sum, of) => sum + of.markers, 0), count.markers);
  // This network was not made for these stains: most of what it sums up has no hill of its own, and it has to say so.
  assert.ok(count.remarks.some(remark => remark.startsWith(`${rounded - count.markers} of `)), count.remarks.join('; '));
  assert.ok(Math.abs(count.cellsPerMm2 / (count.count / (1024 * 1024 * 0.0005 ** 2)) - 1) < 1e-3);
  assert.equal(count.interval, undefined);
  assert.equal(new Set(sources.map(({ seriesInstanceUID }) => seriesInstanceUID)).size, 1);
  await lookAt(page, { x: 512, y: 512, resolution: 0.8 });
  await frames();
  await screenshot(page, 'counting-slide-model');
});

test('the count of a slide is stored with its markers as annotations, and is back on a new page', async () => {
  const ofModel = async () => (await state(page)).results.find(({ open, model, kind }) => open && kind === 'points' && model.id === 'tiny-count');
  const before = await ofModel();
  const card = page.locator(`[data-overread="result"][data-key="${before.key}"]`);
  await card.locator('[data-overread="store"]').click();
  await card.locator('[data-status="stored"]').waitFor({ timeout: 60_000 });
  assert.deepEqual(await derived(page, server.origin, before.studyInstanceUID), ['ANN', 'SR']);
  await page.reload();
  await slideReady(page);
  await poll(async () => (await ofModel()) !== undefined, 'the stored count', 60_000);
  assert.equal((await state(page)).device, null);
  assert.deepEqual(saidOfCount(await ofModel()), saidOfCount(before));
});

test('no page error, no policy violation, no request elsewhere', () => {
  assert.deepEqual(window.seen.pageErrors, []);
  assert.deepEqual(window.seen.policy, []);
  assert.deepEqual(window.seen.external, []);
});
