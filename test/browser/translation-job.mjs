/** A study of a real FLAIR and a translated one in which the lesion was erased and another invented, and its audit in the real OHIF. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import dcmjs from 'dcmjs';
import { openStudy, screenshot } from './harness.mjs';
import { poll, runByPanel, show } from './main-job.mjs';

const { datasetToDict } = dcmjs.data;
/** FLAIR of white matter and of oedema, as the generator has it. */
const [WHITE, BRIGHT] = [400, 900];

/**
 * @param slices of FLAIR, as `slicesOf` gives them
 * @param lesion whether a voxel is of the lesion, by column, row, slice
 * @returns the UIDs of the study and of its two series, and how high both lesions are
 */
export function writeTranslatedStudy(folder, slices, lesion) {
  const [{ StudyInstanceUID, Columns: columns, Rows: rows, PixelSpacing: [spacing], SpacingBetweenSlices, SliceThickness }] = slices;
  const uid = (series, slice) => `${StudyInstanceUID.slice(0, 48)}.77.${series}${slice === undefined ? '' : `.${slice}`}`;
  // On the other side of the head, at the lesion's own height.
  const cells = slices.flatMap((_, k) => Array.from({ length: columns * rows }, (_v, i) => [i % columns, Math.floor(i / columns), k]).filter(place => lesion(...place)));
  const centre = [0, 1, 2].map(axis => cells.reduce((sum, place) => sum + place[axis], 0) / cells.length);
  const invented = [columns - 1 - centre[0], centre[1], Math.round(centre[2])];
  const isInvented = (x, y, k) => Math.hypot((x - invented[0]) * spacing, (y - invented[1]) * spacing, (k - invented[2]) * (SpacingBetweenSlices ?? SliceThickness)) < 11;
  mkdirSync(folder, { recursive: true });
  slices.forEach((slice, k) => {
    const pixels = new Uint16Array(Array.isArray(slice.PixelData) ? slice.PixelData[0] : slice.PixelData);
    const translated = pixels.map((value, i) => {
      const place = [i % columns, Math.floor(i / columns), k];
      if (isInvented(...place)) return BRIGHT + (value % 17);
      return lesion(...place) ? WHITE + (value % 23) : value;
    });
    const write = (series, values, more) => writeFileSync(path.join(folder, `${series}-${String(k).padStart(3, '0')}.dcm`), Buffer.from(datasetToDict({
      ...slice, StudyInstanceUID: uid(0), SeriesInstanceUID: uid(series), SOPInstanceUID: uid(series, k + 1), SeriesNumber: series, PixelData: [values.buffer.slice(values.byteOffset, values.byteOffset + values.byteLength)],
      _vrMap: { PixelData: 'OW' }, _meta: { ...slice._meta, MediaStorageSOPClassUID: { Value: [slice.SOPClassUID], vr: 'UI' }, MediaStorageSOPInstanceUID: { Value: [uid(series, k + 1)], vr: 'UI' }, TransferSyntaxUID: { Value: ['1.2.840.10008.1.2.1'], vr: 'UI' }, FileMetaInformationVersion: { Value: [new Uint8Array([0, 1]).buffer], vr: 'OB' }, ImplementationClassUID: { Value: ['1.2.826.0.1.3680043.9.99'], vr: 'UI' } },
      ...more,
    }).write()));
    write(1, pixels, {});
    write(2, translated, { SeriesDescription: 'FLAIR from T1', ImageType: ['DERIVED', 'SECONDARY', 'OTHER'], DerivationDescription: 'Translated from T1 by CycleGAN' });
  });
  const zMm = slices.map(({ ImagePositionPatient }) => Number(ImagePositionPatient[2]));
  return { studyInstanceUID: uid(0), real: uid(1), translated: uid(2), zMm: { erased: zMm[Math.round(centre[2])], invented: zMm[invented[2]] }, sliceMm: Math.abs(zMm[1] - zMm[0]) };
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
  assert.match(refused.lastError.message, /'FLAIR from T1' was synthesised/);
  assert.equal(refused.results.length, 0);

  const section = page.locator('[data-overread="translation"]');
  await section.locator('summary').click();
  const chosen = name => section.locator(`[data-overread="${name}"] option:checked`).innerText();
  assert.match(await chosen('translation-translated'), /FLAIR from T1.*synthesised/);
  assert.match(await chosen('translation-real'), /^FLAIR axial/);
  const start = Date.now();
  await section.locator('[data-overread="translation-run"]').click();
  await section.locator('[data-overread="translation-outcome"], .ovr-error').first().waitFor({ timeout: 120_000 });
  t.diagnostic(`audit of two series: ${Date.now() - start} ms`);
  const kinds = await section.locator('[data-overread="translation-change"]').evaluateAll(nodes => nodes.map(node => node.dataset.kind));
  for (const kind of ['erased', 'invented']) assert.equal(kinds.filter(other => other === kind).length, 1, `${kind} in ${kinds.join(', ')}: ${await section.innerText()}`);
  assert.match(await section.innerText(), /Read for this audit only: 'FLAIR from T1' was synthesised/);

  // A click shows the place in both.
  for (const kind of ['invented', 'erased']) {
    await section.locator(`[data-overread="translation-change"][data-kind="${kind}"]`).click();
    await poll(async () => {
      const [real, translated] = [await shownIn(page, 'overread-real'), await shownIn(page, 'overread-translated')];
      return real.series === study.real && translated.series === study.translated && real.z === translated.z && Math.abs(real.z - study.zMm[kind]) < 2.5 * study.sliceMm;
    }, `the ${kind} lesion in both viewports`, 30_000);
    await section.locator('[data-overread="translation-outcome"]').scrollIntoViewIfNeeded();
    await page.waitForTimeout(700);
    await screenshot(page, `mri-translation-${kind}`);
  }
}
