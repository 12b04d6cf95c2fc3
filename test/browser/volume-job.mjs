/**
 * What a reader does with the mask of a volume in the real OHIF: sets it against a segmentation that somebody else made
 * (a DICOM SEG) and against one drawn by hand, and corrects it with the brush in another plane than it was acquired in.
 */
import assert from 'node:assert/strict';
import { PNG } from 'pngjs';
import { dice, screenshot, state } from './harness.mjs';
import { masksShown, poll } from './main-job.mjs';

const card = page => page.locator('[data-overread="result"]').first();
const resultOf = async page => (await state(page)).results[0];

/** Every slice of a segmentation of the viewer, in the order of its images; by a part of its label. */
function volumeOf(page, label) {
  return page.evaluate(part => {
    const { segmentationService } = window.services;
    const segmentation = segmentationService.getSegmentations().find(s => s.label.includes(part));
    if (!segmentation) return undefined;
    const images = segmentation.representationData.Labelmap.imageIds.map(id => window.cornerstone.cache.getImage(id));
    const z = image => window.cornerstone.metaData.get('imagePlaneModule', image.referencedImageId).imagePositionPatient[2];
    return images.sort((a, b) => z(a) - z(b)).map(image => [...image.voxelManager.getScalarData()].flatMap((v, i) => (v ? [i] : [])));
  }, label);
}

const flat = (slices, size) => {
  const out = new Uint8Array(size * slices.length);
  slices.forEach((set, k) => set.forEach(i => (out[k * size + i] = 1)));
  return out;
};

/** Loads the study's SEG onto the images, as a double click on its picture and "Yes" do. */
export async function compareWithSeg(t, page, { label, inside }) {
  await page.evaluate(async () => {
    const { displaySetService, viewportGridService } = window.services;
    const displaySet = displaySetService.getActiveDisplaySets().find(({ Modality }) => Modality === 'SEG');
    await displaySet.load({ headers: {} });
    await window.commandsManager.runCommand('hydrateSecondaryDisplaySet', { displaySet, viewportId: viewportGridService.getActiveViewportId() });
  });
  await poll(async () => (await card(page).locator('[data-overread="compare-with"] option').allInnerTexts()).some(text => text.includes(label)), 'the loaded SEG among what can be compared', 120_000);
  const choice = (await card(page).locator('[data-overread="compare-with"] option').allInnerTexts()).find(text => text.includes(label));
  const ours = await volumeOf(page, '· AI');
  const theirs = await volumeOf(page, label);
  const size = inside.columns * inside.rows;
  assert.deepEqual(theirs.map(set => set.length), inside.counts, 'the viewer has other voxels than the SEG');
  await card(page).locator('[data-overread="compare-with"]').selectOption({ label: choice });
  await card(page).locator('[data-overread="difference"]').waitFor();
  const table = await card(page).locator('[data-overread="agreement"]').innerText();
  const expected = dice(flat(ours, size), flat(theirs, size));
  assert.match(table, new RegExp(`Dice\\s+${expected.toFixed(3)}`));
  await card(page).locator('[data-overread="compare-with"]').scrollIntoViewIfNeeded();
  await screenshot(page, 'mri-difference-seg');
  t.diagnostic(`against the loaded SEG: ${table.replace(/\s+/g, ' ')}`);
  await card(page).locator('[data-overread="compare-with"]').selectOption('');
  await masksShown(page, 2);
}

/** Waits until the mask, which is orange, is seen in two planes at least: the third need not go through it. */
export async function maskInPlanes(page) {
  const boxes = await page.evaluate(() => {
    const { viewportGridService, cornerstoneViewportService } = window.services;
    return [...viewportGridService.getState().viewports.keys()].map(id => {
      const { x, y, width, height } = cornerstoneViewportService.getCornerstoneViewport(id).canvas.getBoundingClientRect();
      return { x, y, width, height };
    });
  });
  await poll(async () => {
    const { data, width } = PNG.sync.read(await page.screenshot({ timeout: 180_000 }));
    const seen = boxes.filter(box => {
      let orange = 0;
      for (let y = Math.ceil(box.y); y < box.y + box.height; y++) {
        for (let x = Math.ceil(box.x); x < box.x + box.width; x++) orange += Number(data[4 * (y * width + x)] > data[4 * (y * width + x) + 2] + 80);
      }
      return orange > 30;
    });
    return seen.length >= 2;
  }, 'the mask in two planes', 180_000);
}

/** A stroke of the brush in a plane that the series was not acquired in. */
export async function brushInMpr(t, page) {
  const before = await volumeOf(page, '· AI');
  const { segments: [{ pixels }] } = await resultOf(page);
  const at = await page.evaluate(() => {
    const { viewportGridService, cornerstoneViewportService } = window.services;
    for (const id of viewportGridService.getState().viewports.keys()) {
      const viewport = cornerstoneViewportService.getCornerstoneViewport(id);
      const normal = viewport.getCamera().viewPlaneNormal;
      // The coronal plane.
      if (Math.abs(normal[1]) < 0.5) continue;
      viewportGridService.setActiveViewportId(id);
      const { left, top, width, height } = viewport.canvas.getBoundingClientRect();
      return { x: left + width / 2, y: top + height / 2 };
    }
    return undefined;
  });
  assert.ok(at, 'no coronal plane');
  // Three planes by software take their time: a click waits until they are drawn.
  await card(page).locator('[data-overread="edit-by-hand"]').click({ timeout: 300_000 });
  await page.evaluate(() => {
    window.commandsManager.runCommand('setToolActive', { toolName: 'CircularBrush', toolGroupId: 'mpr' });
    window.commandsManager.runCommand('setBrushSize', { value: 8, toolNames: ['CircularBrush'] });
  });
  await screenshot(page, 'mri-mpr-brush-before');
  await page.mouse.move(at.x, at.y);
  await page.mouse.down();
  await page.mouse.move(at.x + 15, at.y + 5, { steps: 4 });
  await page.mouse.up();
  await poll(async () => (await resultOf(page)).editedAt !== null, 'the edit in the panel', 120_000).catch(async error => {
    await screenshot(page, 'mri-mpr-brush-failed');
    throw error;
  });
  await page.waitForTimeout(1000);
  await screenshot(page, 'mri-mpr-brush');
  const after = await volumeOf(page, '· AI');
  const touched = after.flatMap((set, k) => (set.length !== before[k].length ? [k] : []));
  assert.ok(touched.length > 1, `the stroke is on ${touched.length} slices`);
  const edited = await resultOf(page);
  assert.equal(edited.segments[0].pixels, after.reduce((n, set) => n + set.length, 0));
  assert.ok(edited.segments[0].pixels > pixels);
  t.diagnostic(`brush in the coronal plane: ${pixels} → ${edited.segments[0].pixels} voxels on ${touched.length} slices`);
  await page.evaluate(() => window.commandsManager.runCommand('undo'));
  await poll(async () => (await resultOf(page)).editedAt === null, 'the mask without its edit', 120_000);
  assert.deepEqual(await volumeOf(page, '· AI'), before);
}
