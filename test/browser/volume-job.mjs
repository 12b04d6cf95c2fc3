/**
 * What a reader does with the mask of a volume in the real OHIF: sets it against a segmentation that somebody else made
 * (a DICOM SEG).
 */
import assert from 'node:assert/strict';
import { dice, screenshot } from './harness.mjs';
import { masksShown, poll } from './main-job.mjs';

const card = page => page.locator('[data-overread="result"]').first();

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

/** Loads the study's SEG, as a double click on its picture does, and sets the result against it. */
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
  // The model's own again.
  await masksShown(page, 1);
}
