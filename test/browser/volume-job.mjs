/**
 * What a reader does with the mask of a volume in the real OHIF: sets it against a segmentation that somebody else made
 * (a DICOM SEG).
 */
import assert from 'node:assert/strict';
import { dice, screenshot } from './harness.mjs';
import { masksShown, poll } from './main-job.mjs';

/** Every slice of a segmentation of the viewer, in the order of its images; by a part of its label. */
async function volumeOf(page, label) {
  const id = await page.evaluate(part => window.services.segmentationService.getSegmentations().find(s => s.label.includes(part))?.segmentationId, label);
  return id === undefined ? undefined : voxelsOf(page, id);
}

function voxelsOf(page, segmentationId) {
  return page.evaluate(wanted => {
    const images = window.services.segmentationService.getSegmentation(wanted).representationData.Labelmap.imageIds.map(id => window.cornerstone.cache.getImage(id));
    const z = image => window.cornerstone.metaData.get('imagePlaneModule', image.referencedImageId).imagePositionPatient[2];
    return images.sort((a, b) => z(a) - z(b)).map(image => [...image.voxelManager.getScalarData()].flatMap((v, i) => (v ? [i] : [])));
  }, segmentationId);
}

const flat = (slices, size) => {
  const out = new Uint8Array(size * slices.length);
  slices.forEach((set, k) => set.forEach(i => (out[k * size + i] = 1)));
  return out;
};

/** As a double click on its picture does. @param label part of the series' description */
function loadSeg(page, label) {
  return page.evaluate(async part => {
    const { displaySetService, viewportGridService } = window.services;
    const displaySet = displaySetService.getActiveDisplaySets().find(({ Modality, SeriesDescription }) => Modality === 'SEG' && SeriesDescription.includes(part));
    await displaySet.load({ headers: {} });
    await window.commandsManager.runCommand('hydrateSecondaryDisplaySet', { displaySet, viewportId: viewportGridService.getActiveViewportId() });
  }, label);
}

/** Opens a stored mask by the viewer's own support of segmentations: the same voxels in the same slices as ours. */
export async function readByTheViewer(t, page, label) {
  await poll(async () => (await volumeOf(page, '· AI')) !== undefined, 'our own mask', 30_000);
  const wanted = await volumeOf(page, '· AI');
  const before = await page.evaluate(() => window.services.segmentationService.getSegmentations().map(({ segmentationId }) => segmentationId));
  await loadSeg(page, label);
  const loaded = () => page.evaluate(known => window.services.segmentationService.getSegmentations().find(({ segmentationId }) => !known.includes(segmentationId))?.segmentationId, before);
  await poll(async () => (await loaded()) !== undefined, 'the segmentation that the viewer read', 60_000);
  // It is there before its voxels are.
  let theirs = [];
  await poll(async () => (theirs = await voxelsOf(page, await loaded())).some(set => set.length > 0), 'its voxels', 30_000).catch(() => undefined);
  t.diagnostic(`${wanted.flat().length} voxels stored, ${theirs.flat().length} read by the viewer`);
  assert.ok(wanted.flat().length > 100);
  assert.deepEqual(theirs, wanted);
  await screenshot(page, 'mri-seg-by-the-viewer');
}

/** Loads the study's SEG, and sets the result against it. */
export async function compareWithSeg(t, page, { label, inside }) {
  await loadSeg(page, label);
  await poll(async () => (await page.locator('[data-overread="compare-with"] option').allInnerTexts()).some(text => text.includes(label)), 'the loaded SEG among what can be compared', 120_000);
  const choice = (await page.locator('[data-overread="compare-with"] option').allInnerTexts()).find(text => text.includes(label));
  const ours = await volumeOf(page, '· AI');
  const theirs = await volumeOf(page, label);
  const size = inside.columns * inside.rows;
  assert.deepEqual(theirs.map(set => set.length), inside.counts, 'the viewer has other voxels than the SEG');
  await page.locator('[data-overread="compare-with"]').selectOption({ label: choice });
  await page.locator('[data-overread="difference"]').waitFor();
  const table = await page.locator('[data-overread="agreement"]').innerText();
  const expected = dice(flat(ours, size), flat(theirs, size));
  assert.match(table, new RegExp(`Dice\\s+${expected.toFixed(3)}`));
  await page.locator('[data-overread="compare-with"]').scrollIntoViewIfNeeded();
  await screenshot(page, 'mri-difference-seg');
  t.diagnostic(`against the loaded SEG: ${table.replace(/\s+/g, ' ')}`);
  await page.locator('[data-overread="compare-with"]').selectOption('');
  // The model's own again.
  await masksShown(page, 1);
}
