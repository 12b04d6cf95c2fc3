/** Structured reports of ours in the hands of OHIF's own support of them: its display set, and its viewport. */
import assert from 'node:assert/strict';
import { screenshot } from './harness.mjs';
import { poll } from './main-job.mjs';

/**
 * Opens every report of the study as a double click on its picture does: each group lies on its image, with its numbers.
 * @param results as the state of Overread tells them
 */
export async function reportsByTheViewer(page, results, name) {
  const reports = await page.evaluate(async () => {
    const all = window.services.displaySetService.getActiveDisplaySets().filter(({ Modality }) => Modality === 'SR');
    // It rejects where a group has no coordinates.
    for (const report of all) await report.load();
    return all.map(({ displaySetInstanceUID: uid, SeriesDescription: description, measurements }) => ({
      uid, description,
      groups: measurements.map(({ loaded, imageId, ReferencedSOPInstanceUID: image, TrackingIdentifier: tracking, labels, coords }) => ({
        loaded: loaded && imageId !== undefined, image, tracking, labels: labels.map(({ label, value }) => `${label}: ${value}`), coords: coords.map(({ GraphicType, GraphicData }) => [GraphicType, GraphicData.length / 2]),
      })),
    }));
  });
  const groupsOf = kind => reports.filter(({ description }) => description.endsWith(`: ${kind}`)).flatMap(({ groups }) => groups);
  const of = wanted => results.filter(({ kind }) => kind === wanted);
  assert.ok(reports.flatMap(({ groups }) => groups).every(({ loaded }) => loaded), JSON.stringify(reports));
  // On the image that it was made from, by what it is called, with the number that the panel shows.
  const said = (groups, pick) => groups.map(({ tracking, image, labels }) => [tracking, image, labels[0].replace(/ \(AI.*/, ''), labels.find(line => line.startsWith(pick))]).sort();
  const onImage = ({ sources: [{ sopInstanceUID }] }) => sopInstanceUID;
  assert.deepEqual(said(groupsOf('scores'), 'Certainty of Finding'), of('scores').flatMap(result => result.scores.map(({ label, probability }) => [label, onImage(result), label, `Certainty of Finding: ${(100 * probability).toFixed(2)} %`])).sort());
  assert.deepEqual(said(groupsOf('counts'), 'Count'), of('points').flatMap(result => result.count.classes.map(({ label, count }) => [label, onImage(result), label, `Count: ${count.toFixed(2)} 1`])).sort());
  for (const { label, markers } of of('points').flatMap(({ count }) => count.classes)) assert.deepEqual(groupsOf('counts').find(({ tracking }) => tracking === label).coords.at(-1), ['MULTIPOINT', markers]);
  const boxes = groupsOf('measurements');
  assert.deepEqual(boxes.map(({ image, coords }) => [image, coords]), of('labelmap').flatMap(result => result.segments.map(() => [onImage(result), [['POLYLINE', 5]]])));
  assert.ok(boxes.every(({ labels }) => /^Area: [\d.]+ mm2$/.test(labels[1])), JSON.stringify(boxes));
  for (const { uid, description, groups } of reports) {
    await page.evaluate(displaySetInstanceUID => {
      const { viewportGridService } = window.services;
      viewportGridService.setDisplaySetsForViewport({ viewportId: viewportGridService.getActiveViewportId(), displaySetInstanceUIDs: [displaySetInstanceUID] });
    }, uid);
    // OHIF draws a report when the picture is drawn again after it came, as by a move of the mouse over it; each line is a text of its own.
    const lines = () => page.evaluate(() => {
      const { viewportGridService, cornerstoneViewportService } = window.services;
      cornerstoneViewportService.getCornerstoneViewport(viewportGridService.getActiveViewportId())?.render();
      return [...document.querySelectorAll('svg.svg-layer text tspan')].map(({ textContent }) => textContent);
    });
    await poll(async () => { const shown = await lines(); return groups.every(({ labels }) => labels.slice(0, 5).every(line => shown.some(text => text.trim() === line.trim()))); }, `the numbers of ${description}`, 60_000).catch(async error => {
      await screenshot(page, `${name}-sr-failed`);
      throw new Error(`${error.message}: ${JSON.stringify(await lines())}`);
    });
    await screenshot(page, `${name}-sr-${description.split(': ').at(-1)}`);
  }
  return reports.length;
}
