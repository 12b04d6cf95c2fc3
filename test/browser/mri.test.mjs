/** An MRI study in the real OHIF: run from the panel, the lesion in the stack and in three planes. On WebAssembly. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { spawnSync } from 'node:child_process';
import { gunzipSync } from 'node:zlib';
import { test } from 'node:test';
import { auditLog, fileFrom } from './audit-log.mjs';
import { openBrowser, openStudy, ROOT, screenshot, serve, settled, temporaryFolder } from './harness.mjs';
import { masksShown, poll, runByPanel, show, visibleMasks } from './main-job.mjs';
import { slicesOf, writeSeg } from './seg-file.mjs';
import { makeAudit, openAudit } from './site-audit-job.mjs';
import { auditTranslation, writeTranslatedStudy } from './translation-job.mjs';
import { compareWithSeg, readByTheViewer } from './volume-job.mjs';

test('an MRI study is read from its four series, and the lesion shows in three planes; a translation of it is audited; an audit of sites opens', async t => {
  const store = temporaryFolder('mri');
  // A head that the model was not trained on.
  const made = spawnSync(process.execPath, [path.join(ROOT, 'dist/cli/main.mjs'), 'demo', '--small', '--seed', '77', '--out', store], { encoding: 'utf8' });
  assert.equal(made.status, 0, made.stderr);
  const entry = JSON.parse(readFileSync(path.join(store, 'truth/truth.json'), 'utf8')).truth.find(({ study, kind }) => study === 'brain' && kind === 'volume');
  const slicesOfFlair = slicesOf(path.join(store, 'brain/flair'));
  const { Columns: columns, Rows: rows } = slicesOfFlair[0];
  // A ball somewhere in the head.
  const inBall = (x, y, k) => Math.hypot(x - columns / 2, y - rows / 2, 2 * (k - slicesOfFlair.length / 2)) < columns / 6;
  const counts = slicesOfFlair.map((_, k) => Array.from({ length: columns * rows }, (_v, i) => inBall(i % columns, Math.floor(i / columns), k)).filter(Boolean).length);
  writeSeg(path.join(store, 'brain/seg.dcm'), slicesOfFlair, 'Ball by a reader', inBall);
  const truth = gunzipSync(readFileSync(path.join(store, 'truth', entry.file))).subarray(352);
  const translated = writeTranslatedStudy(path.join(store, 'translated'), slicesOfFlair, (x, y, k) => truth[(k * rows + y) * columns + x] !== 0);
  const audit = makeAudit(temporaryFolder('site-audit'));
  const server = await serve(['--store', store], { softwareGpu: false });
  const window = await openBrowser(server.origin, { webgpu: false });
  const { page } = window;
  try {
    await openStudy(page, server.origin, entry.studyInstanceUID);
    await page.locator('[data-overread="run"]').waitFor();
    const flair = entry.seriesInstanceUIDs[3];
    // The other series arrive a moment after the first.
    await page.waitForFunction(() => window.services.displaySetService.getActiveDisplaySets().length >= 4);
    await show(page, flair);
    const after = await runByPanel(page, 'mri-hemis');
    assert.equal(after.lastError, null, after.lastError?.message);
    const [result] = after.results;
    assert.equal(result.seriesInstanceUID, flair);
    assert.ok(result.segments[0].pixels > 100, JSON.stringify(result.segments));
    const card = await page.locator('[data-overread="result"]').innerText();
    for (const modality of ['T1', 'T1c', 'T2', 'FLAIR']) assert.match(card, new RegExp(`\\b${modality}\\b`));
    assert.match(card, /mL/);
    assert.doesNotMatch(card, /no T|no FLAIR|guessed/);
    t.diagnostic(`${result.segments[0].pixels} voxels, predict ${Math.round(result.timingMs.predict)} ms on ${result.backend}`);

    // Out of the viewer as NIfTI, voxel by voxel what the panel counts, and audited.
    const { name, bytes } = await fileFrom(page, 'nifti');
    const volume = gunzipSync(bytes);
    assert.match(name, /^mri-hemis-[\d.]+\.nii\.gz$/);
    assert.deepEqual([0, 1, 2, 3].map(i => volume.readInt16LE(40 + 2 * i)), [3, columns, rows, slicesOfFlair.length]);
    assert.equal(volume.subarray(volume.readFloatLE(108)).filter(value => value > 0).length, result.segments.reduce((sum, { pixels }) => sum + pixels, 0));
    const [exported] = (await auditLog(page, records => records.at(-1).action === 'export')).slice(-1);
    assert.deepEqual([exported.action, exported.outcome, exported.details, exported.model.id, exported.studyInstanceUID], ['export', 'success', { format: 'nifti' }, 'mri-hemis', entry.studyInstanceUID]);

    // The stack: from slice to slice until the lesion shows.
    const slices = entry.sopInstanceUIDs.length / 4;
    let seen = [];
    for (let i = Math.round(slices * 0.3); i < slices && seen.length === 0; i++) {
      await page.evaluate(index => {
        const { viewportGridService, cornerstoneViewportService } = window.services;
        return cornerstoneViewportService.getCornerstoneViewport(viewportGridService.getActiveViewportId()).setImageIdIndex(index);
      }, i);
      await page.waitForTimeout(250);
      seen = (await visibleMasks(page)).filter(({ labels }) => labels.reduce((n, v) => n + v, 0) > 80);
    }
    assert.equal(seen.length, 1, 'no slice shows the lesion');
    await page.waitForTimeout(1500);
    await screenshot(page, 'mri-stack');
    // OHIF's own MPR: three planes of the same series, with the mask drawn in each.
    const protocol = await page.evaluate(() => window.services.hangingProtocolService.getState().protocolId);
    await page.evaluate(() => window.commandsManager.runCommand('setHangingProtocol', { protocolId: 'mpr' }));
    await poll(() => page.evaluate(() => window.services.viewportGridService.getState().viewports.size === 3), 'three viewports', 30_000);
    await poll(async () => (await throughTheLesion(page), await colouredByPlane(page)).every(count => count > 300), 'the mask in every plane', 60_000).catch(async error => {
      await screenshot(page, 'mri-mpr-failed');
      throw new Error(`${error.message} Coloured pixels: ${await colouredByPlane(page)}`);
    });
    await screenshot(page, 'mri-mpr');
    t.diagnostic(`coloured pixels in the planes: ${await colouredByPlane(page)}`);
    await page.evaluate(protocolId => window.commandsManager.runCommand('setHangingProtocol', { protocolId }), protocol);
    await poll(() => page.evaluate(() => window.services.viewportGridService.getState().viewports.size < 3), 'the stack again', 30_000);
    await show(page, flair);
    await masksShown(page, 1);

    await compareWithSeg(t, page, { label: 'Ball by a reader', inside: { columns, rows, counts } });

    // Stored, it is an ordinary segmentation to the viewer.
    await page.locator('[data-overread="store"]').first().click();
    await page.locator('[data-overread="store-row"][data-status="stored"]').waitFor({ timeout: 120_000 });
    await openStudy(page, server.origin, entry.studyInstanceUID);
    await page.waitForFunction(() => window.services.displaySetService.getActiveDisplaySets().filter(({ Modality }) => Modality === 'SEG').length === 2);
    await show(page, flair);
    await settled(page, s => s.results.length === 1);
    await readByTheViewer(t, page, 'MRI HeMIS');

    await auditTranslation(t, page, server.origin, translated);
    await openAudit(page, audit);
  } finally {
    await window.close();
    await server.stop();
  }
});

/** Moves every plane to the middle of the mask. */
function throughTheLesion(page) {
  return page.evaluate(() => {
    const { segmentationService, viewportGridService, cornerstoneViewportService } = window.services;
    const { cornerstone } = window;
    const { imageIds } = segmentationService.getSegmentations().find(({ label }) => label.includes('· AI')).representationData.Labelmap;
    const places = imageIds.flatMap(id => {
      const { voxelManager, columns, referencedImageId } = cornerstone.cache.getImage(id);
      return [...voxelManager.getScalarData()].flatMap((v, i) => (v ? [cornerstone.utilities.imageToWorldCoords(referencedImageId, [i % columns, Math.floor(i / columns)])] : []));
    });
    const middle = [0, 1, 2].map(axis => places.reduce((sum, place) => sum + place[axis], 0) / places.length);
    for (const id of viewportGridService.getState().viewports.keys()) cornerstoneViewportService.getCornerstoneViewport(id)?.jumpToWorld?.(middle);
  });
}

/** Of each viewport, how many of its pixels have a colour: the images are grey. */
function colouredByPlane(page) {
  return page.evaluate(() => {
    const { viewportGridService, cornerstoneViewportService } = window.services;
    return [...viewportGridService.getState().viewports.keys()].map(id => {
      const canvas = cornerstoneViewportService.getCornerstoneViewport(id)?.getCanvas?.();
      if (!canvas?.width) return 0;
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      let count = 0;
      for (let i = 0; i < data.length; i += 4) count += Number(Math.max(data[i], data[i + 1], data[i + 2]) - Math.min(data[i], data[i + 1], data[i + 2]) > 60);
      return count;
    });
  });
}
