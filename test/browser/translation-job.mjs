/** A study of a real FLAIR and of one that has the head the other way round, so that the lesion is erased on one side and invented on the other; and its audit in the real OHIF. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import dcmjs from 'dcmjs';
import { openStudy, screenshot } from './harness.mjs';
import { poll, runByPanel, show } from './main-job.mjs';

const { datasetToDict } = dcmjs.data;
/**
 * @param slices of FLAIR, as `slicesOf` gives them
 * @param lesion whether a voxel is of the lesion, by column, row, slice
 * @returns the UIDs of the study and of its two series, and how high the lesion is
 */
export function writeTranslatedStudy(folder, slices, lesion) {
  const [{ StudyInstanceUID, Columns: columns, Rows: rows }] = slices;
  const uid = (series, slice) => `${StudyInstanceUID.slice(0, 48)}.77.${series}${slice === undefined ? '' : `.${slice}`}`;
  const heights = slices.flatMap(({ ImagePositionPatient }, k) => Array.from({ length: columns * rows }, (_, i) => i).filter(i => lesion(i % columns, Math.floor(i / columns), k)).map(() => Number(ImagePositionPatient[2])));
  mkdirSync(folder, { recursive: true });
  slices.forEach((slice, k) => {
    const pixels = new Uint16Array(Array.isArray(slice.PixelData) ? slice.PixelData[0] : slice.PixelData);
    const translated = pixels.map((_, i) => pixels[i - 2 * (i % columns) + columns - 1]);
    const write = (series, values, more) => writeFileSync(path.join(folder, `${series}-${String(k).padStart(3, '0')}.dcm`), Buffer.from(datasetToDict({
      ...slice, StudyInstanceUID: uid(0), SeriesInstanceUID: uid(series), SOPInstanceUID: uid(series, k + 1), SeriesNumber: series, PixelData: [values.buffer.slice(values.byteOffset, values.byteOffset + values.byteLength)],
      _vrMap: { PixelData: 'OW' }, _meta: { ...slice._meta, MediaStorageSOPClassUID: { Value: [slice.SOPClassUID], vr: 'UI' }, MediaStorageSOPInstanceUID: { Value: [uid(series, k + 1)], vr: 'UI' }, TransferSyntaxUID: { Value: ['1.2.840.10008.1.2.1'], vr: 'UI' }, FileMetaInformationVersion: { Value: [new Uint8Array([0, 1]).buffer], vr: 'OB' }, ImplementationClassUID: { Value: ['1.2.826.0.1.3680043.9.99'], vr: 'UI' } },
      ...more,
    }).write()));
    write(1, pixels, {});
    write(2, translated, { SeriesDescription: 'FLAIR translated', ImageType: ['DERIVED', 'SECONDARY', 'OTHER'], DerivationDescription: 'Translated from T1 by CycleGAN' });
  });
  return { studyInstanceUID: uid(0), real: uid(1), translated: uid(2), zMm: heights.reduce((a, b) => a + b, 0) / heights.length, sliceMm: Math.abs(slices[1].ImagePositionPatient[2] - slices[0].ImagePositionPatient[2]) };
}

/** Which slice of which series a viewport shows. */
function shownIn(page, viewportId) {
  return page.evaluate(id => {
    const imageId = window.services.cornerstoneViewportService.getCornerstoneViewport(id)?.getCurrentImageId?.();
    const { SeriesInstanceUID, ImagePositionPatient } = (imageId && window.cornerstone.metaData.get('instance', imageId)) ?? {};
    return { series: SeriesInstanceUID, z: ImagePositionPatient && Number([...ImagePositionPatient][2]) };
  }, viewportId);
}

/** What is synthesised is marked and refused; the audit lists what was erased and invented, and a click shows it in both series. */
export async function auditTranslation(t, page, origin, study) {
  await openStudy(page, origin, study.studyInstanceUID);
  await page.waitForFunction(() => window.services.displaySetService.getActiveDisplaySets().length === 2);
  await show(page, study.real);
  assert.equal(await page.locator('[data-overread="synthesised"]').count(), 0, 'a real series is marked');
  await show(page, study.translated);
  await page.locator('[data-overread="synthesised"]').waitFor();
  assert.match(await page.locator('[data-overread="synthesised"]').innerText(), /Translated from T1 by CycleGAN/);
  const refused = await runByPanel(page, 'mri-hemis');
  assert.equal(refused.lastError?.code, 'input/out-of-distribution', JSON.stringify(refused.lastError));
  assert.match(refused.lastError.message, /'FLAIR translated' was synthesised/);
  assert.equal(refused.results.length, 0);

  const section = page.locator('[data-overread="translation"]');
  await section.locator('summary').click();
  const chosen = name => section.locator(`[data-overread="${name}"] option:checked`).innerText();
  assert.match(await chosen('translation-translated'), /FLAIR translated.*synthesised/);
  assert.match(await chosen('translation-real'), /^FLAIR axial/);
  const start = Date.now();
  await section.locator('[data-overread="translation-run"]').click();
  await section.locator('[data-overread="translation-outcome"], .ovr-error').first().waitFor({ timeout: 120_000 });
  t.diagnostic(`audit of two series: ${Date.now() - start} ms`);
  const kinds = await section.locator('[data-overread="translation-change"]').evaluateAll(nodes => nodes.map(node => node.dataset.kind));
  for (const kind of ['erased', 'invented']) assert.equal(kinds.filter(other => other === kind).length, 1, `${kind} in ${kinds.join(', ')}: ${await section.innerText()}`);
  assert.match(await section.innerText(), /Read for this audit only: 'FLAIR translated' was synthesised/);

  // A click shows the place in both.
  for (const kind of ['invented', 'erased']) {
    // The first is shown by itself, and both lie on one slice: away from it first, so that it is the click that shows it.
    await page.evaluate(() => window.services.cornerstoneViewportService.getCornerstoneViewport('overread-real').setImageIdIndex(0));
    await poll(async () => Math.abs((await shownIn(page, 'overread-real')).z - study.zMm) > 4 * study.sliceMm, 'another slice', 30_000);
    await section.locator(`[data-overread="translation-change"][data-kind="${kind}"]`).click();
    await poll(async () => {
      const [real, translated] = [await shownIn(page, 'overread-real'), await shownIn(page, 'overread-translated')];
      return real.series === study.real && translated.series === study.translated && real.z === translated.z && Math.abs(real.z - study.zMm) < 2.5 * study.sliceMm;
    }, `the ${kind} lesion in both viewports`, 30_000);
    await section.locator('[data-overread="translation-outcome"]').scrollIntoViewIfNeeded();
    await page.waitForTimeout(700);
    await screenshot(page, `mri-translation-${kind}`);
  }
}
