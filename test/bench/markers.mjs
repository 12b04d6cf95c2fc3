/**
 * Frame times while an image is panned: with none, with 100,000 markers, and with 500 of Cornerstone's own Probe annotations, in the same
 * page of the real OHIF, round about. Build first; `--json FILE` writes what is printed.
 *
 *   node test/bench/markers.mjs [--markers N] [--probes N] [--frames N] [--rounds N] [--json FILE]
 */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { findBrowser } from '../../src/cli/setup/browser.mjs';
import { cellPicture, randomFrom, writeStudy } from '../browser/cell-studies.mjs';
import { command, openBrowser, openStudy, screenshot, serve, state, temporaryFolder } from '../browser/harness.mjs';

const number = { type: 'string' };
const { values } = parseArgs({ options: { markers: number, probes: number, frames: number, rounds: number, json: number } });
const [markers, probes, frames, rounds] = [[values.markers, 100_000], [values.probes, 500], [values.frames, 20], [values.rounds, 4]].map(([given, standard]) => Number(given ?? standard));
const SIDE = 2048;

process.env.OVERREAD_BROWSER ??= (await findBrowser({ install: true })).path;
const folder = temporaryFolder('markers');
const [study] = writeStudy(folder, { patientId: 'BENCH', patientName: 'Bench^Markers', pictures: [{ name: 'cells', png: cellPicture({ columns: SIDE, rows: SIDE, cells: [200], seed: 2 }).png, spacing: 0.0005 }] });
const random = randomFrom(9);
const csv = path.join(folder, 'dots.csv');
writeFileSync(csv, `x,y,class\n${Array.from({ length: markers }, (_, i) => `${(random() * (SIDE - 1)).toFixed(1)},${(random() * (SIDE - 1)).toFixed(1)},${i % 3 === 0 ? 'Dead' : 'Live'}`).join('\n')}\n`);
const server = await serve(['--store', folder], { softwareGpu: false });
const window = await openBrowser(server.origin, { webgpu: false });
const { page } = window;
page.setDefaultTimeout(300_000);
try {
  await openStudy(page, server.origin, study.studyInstanceUID);
  await page.locator('[data-overread="import-dots"]').setInputFiles(csv);
  await page.waitForFunction(n => window.commandsManager.runCommand('overreadState').results[0]?.count?.count === n, markers);
  await page.evaluate(overreadPan);
  const times = { none: [], clusters: [], each: [], probes: [] };
  for (let round = 0; round < rounds; round++) {
    for (const kind of Object.keys(times)) {
      await command(page, 'overreadToggleOverlays', { shown: kind === 'clusters' || kind === 'each' });
      // 'each': so near that every marker that can be seen is drawn for itself.
      times[kind].push(...(await page.evaluate(([n, zoom, annotations]) => window.overreadPan(n, zoom, annotations), [frames, kind === 'each' ? 8 : 1, kind === 'probes' ? probes : 0])));
      if (round === 0) await screenshot(page, `bench-markers-${kind}`);
    }
  }
  const none = median(times.none);
  const row = ([kind, all]) => ({ kind, medianMs: Number(median(all).toFixed(1)), p95Ms: Number(all.toSorted((a, b) => a - b)[Math.floor(0.95 * all.length)].toFixed(1)), ratio: Number((median(all) / none).toFixed(2)) });
  const report = { markers, probes, frames: frames * rounds, rows: Object.entries(times).map(row), clustered: (await state(page)).results[0].count.markers };
  console.table(report.rows);
  if (values.json) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
} finally {
  await window.close();
  await server.stop();
}

function median(of) {
  return of.toSorted((a, b) => a - b)[of.length >> 1];
}

/** In the page: pans the image step by step and times each frame, from the camera's move until the frame after it. */
function overreadPan() {
  window.overreadPan = async (n, zoom, annotations) => {
    const { viewportGridService, cornerstoneViewportService } = window.services;
    const viewport = cornerstoneViewportService.getCornerstoneViewport(viewportGridService.getActiveViewportId());
    const { annotation } = window.cornerstoneTools;
    const made = Array.from({ length: annotations }, (_, i) => {
      const worldPoint = viewport.getImageData().imageData.indexToWorld([(i * 97) % 2048, (i * 61) % 2048, 0]);
      const metadata = { toolName: 'Probe', FrameOfReferenceUID: viewport.getFrameOfReferenceUID(), referencedImageId: viewport.getCurrentImageId(), viewPlaneNormal: viewport.getCamera().viewPlaneNormal, viewUp: viewport.getCamera().viewUp };
      return annotation.state.addAnnotation({ metadata, data: { label: '', handles: { points: [worldPoint] }, cachedStats: {} } }, viewport.element);
    });
    viewport.resetCamera();
    viewport.setZoom(viewport.getZoom() * zoom);
    const frame = () => new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    const step = () => {
      const [x, y] = viewport.getPan();
      viewport.setPan([x + 9, y + 4]);
      viewport.render();
    };
    for (let i = 0; i < 3; i++) { step(); await frame(); }
    const times = [];
    for (let i = 0; i < n; i++) {
      const start = performance.now();
      step();
      await frame();
      times.push(performance.now() - start);
    }
    for (const uid of made) annotation.state.removeAnnotation(uid);
    return times;
  };
}
