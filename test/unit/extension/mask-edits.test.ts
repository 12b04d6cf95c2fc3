import { createOverlays } from '../../../extension/overlays/index.ts';
import { LabelmapOverlay } from '../../../extension/overlays/labelmap.ts';
import { OverlayPresenter } from '../../../extension/overlays/presenter.ts';
import { MaskEdits } from '../../../extension/mask-edits.ts';
import { ResultsStore } from '../../../extension/results-store.ts';
import type { LabelmapResult } from '../../../src/results/result.ts';
import { stopsOf } from '../../../src/results/probability-planes.ts';
import { FakeViewer } from './fake-viewer.ts';
import { image, result, source } from './made.ts';

/** A mask of four pixels with probabilities of 0.1, 0.4, 0.6 and 0.9, decided at 0.5. */
function withProbabilities(): LabelmapResult {
  const labels = Uint8Array.of(0, 0, 1, 1);
  const made = result(image(source('a')), { labels });
  const stops = stopsOf(0.5);
  const values = Uint8Array.from([0.1, 0.4, 0.6, 0.9], p => stops.filter(stop => stop <= p).length);
  return { ...made, segments: made.segments.map(s => ({ ...s, threshold: 0.5 })), probabilities: { values, labels, operatingPoints: [0.5] } };
}

async function setup(made = withProbabilities()) {
  const viewer = new FakeViewer();
  const results = new ResultsStore();
  const overlays = createOverlays(viewer.services, viewer.cornerstone, viewer.tools, () => undefined);
  const errors: Error[] = [];
  const presenter = new OverlayPresenter({
    services: viewer.services, cornerstone: viewer.cornerstone, results, overlays,
    presentation: () => ({ shown: true, style: { opacity: 0.8, style: 'outline' } }), onError: e => errors.push(e),
  });
  viewer.show('v', viewer.addSeries('d', ['a']));
  const { key } = results.keep(made);
  await presenter.refresh();
  const overlay = overlays.labelmap as LabelmapOverlay;
  const edits = new MaskEdits({ results, changed: () => overlay.changed() });
  const [labelmap] = [...viewer.labelmaps.values()];
  const mask = () => results.get(key)!.result as LabelmapResult;
  const brush = (...labels: number[]) => labelmap!.scalars.set(labels);
  return { viewer, results, presenter, overlay, edits, key, mask, brush, drawn: () => [...labelmap!.scalars], errors };
}

describe('a threshold', () => {
  test('that moves gives another mask, its area, and what is drawn', async () => {
    const { edits, key, mask, presenter, drawn } = await setup();
    expect(edits.setThreshold(key, 1, 0.3)).toBe(true);
    expect(mask().segments[0]).toMatchObject({ pixels: 3, threshold: 0.3 });
    await presenter.refresh();
    expect(drawn()).toEqual([0, 1, 1, 1]);
    edits.resetThresholds(key);
    await presenter.refresh();
    expect(drawn()).toEqual([0, 0, 1, 1]);
    expect(mask().segments[0]).toMatchObject({ pixels: 2, threshold: 0.5 });
  });

  test('does not move without probabilities, for a segment that is none, or for a result that is gone', async () => {
    const { edits, key } = await setup(result(image(source('a'))));
    expect(edits.setThreshold(key, 1, 0.3)).toBe(false);
    expect(edits.resetThresholds(key)).toBe(false);
    const other = await setup();
    expect(other.edits.setThreshold(other.key, 2, 0.3)).toBe(false);
    expect(other.edits.setThreshold('gone', 1, 0.3)).toBe(false);
  });
});

describe('an edit by hand', () => {
  test('is measured, marked, and not drawn over', async () => {
    const { viewer, edits, mask, brush, presenter, drawn } = await setup();
    brush(1, 1, 1, 1);
    edits.read('2026-01-02T03:04:05.000Z');
    expect(mask()).toMatchObject({ editedAt: '2026-01-02T03:04:05.000Z', segments: [{ pixels: 4, threshold: 0.5 }] });
    const told = viewer.tools.segmentation.triggerSegmentationEvents.triggerSegmentationDataModified;
    told.mockClear();
    await presenter.refresh();
    expect(drawn()).toEqual([1, 1, 1, 1]);
    // Telling the viewer of its own edit would come back as an event, without end.
    expect(told).not.toHaveBeenCalled();
    edits.read();
    expect(mask().editedAt).toBe('2026-01-02T03:04:05.000Z');
  });

  test('that has not been read yet keeps the threshold where it is', async () => {
    const { edits, key, mask, brush, presenter, drawn } = await setup();
    brush(1, 0, 1, 1);
    expect(edits.setThreshold(key, 1, 0.3)).toBe(false);
    expect(edits.resetThresholds(key)).toBe(false);
    await presenter.refresh();
    expect(drawn()).toEqual([1, 0, 1, 1]);
    expect(mask().editedAt).toBeDefined();
  });

  test('goes when it is given up, and when it is undone in the viewer', async () => {
    const { results, edits, key, mask, brush, presenter, drawn } = await setup();
    brush(0, 0, 0, 1);
    edits.read();
    expect(mask().segments[0]!.pixels).toBe(1);
    edits.discard(key);
    expect(mask()).not.toHaveProperty('editedAt');
    await presenter.refresh();
    expect(drawn()).toEqual([0, 0, 1, 1]);
    brush(0, 1, 1, 1);
    edits.read();
    await presenter.refresh();
    brush(0, 0, 1, 1);
    edits.read();
    expect(mask()).not.toHaveProperty('editedAt');
    expect(results.get(key)).not.toHaveProperty('unedited');
  });

  test('of a segment that the reader added has the reader\'s name', async () => {
    const { viewer, edits, mask, brush } = await setup();
    const known = viewer.services.segmentationService.getSegmentation('segmentation 1')!;
    viewer.services.segmentationService.getSegmentation = () => ({ ...known, segments: { 2: { label: 'Scar' } } });
    brush(2, 0, 1, 1);
    edits.read();
    expect(mask().segments.map(s => [s.target.label, s.pixels])).toEqual([['Lung', 2], ['Scar', 1]]);
  });

  test('is none while another mask waits to be drawn', async () => {
    const { results, edits, key, mask } = await setup();
    // The store is ahead of the viewer: what the viewer holds is no edit.
    results.replaceMask(key, { ...mask(), labels: Uint8Array.of(1, 1, 1, 1) });
    edits.read();
    expect(mask()).not.toHaveProperty('editedAt');
  });

  test('is known by what was made here, and by nothing else', async () => {
    const { overlay } = await setup();
    expect(overlay.owns('segmentation 1')).toBe(true);
    expect(overlay.owns('another')).toBe(false);
  });
});
