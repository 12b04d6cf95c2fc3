import type { OverlayStyle } from '../../../extension/configuration.ts';
import { colorOf } from '../../../extension/overlays/colors.ts';
import { createOverlays } from '../../../extension/overlays/index.ts';
import { labelOf } from '../../../extension/overlays/labelmap.ts';
import { OverlayPresenter } from '../../../extension/overlays/presenter.ts';
import { ResultsStore } from '../../../extension/results-store.ts';
import { FakeViewer } from './fake-viewer.ts';
import { image, result, source } from './made.ts';

function setup() {
  const viewer = new FakeViewer();
  const results = new ResultsStore();
  const errors: Error[] = [];
  const presentation: { shown: boolean; style: OverlayStyle } = { shown: true, style: { opacity: 0.8, style: 'outline' } };
  const overlays = createOverlays(viewer.services, viewer.cornerstone, viewer.tools, keys => keys.forEach(key => results.setVisible(key, false)));
  const presenter = new OverlayPresenter({
    services: viewer.services, cornerstone: viewer.cornerstone, results, overlays, presentation: () => presentation, onError: e => errors.push(e),
  });
  return { viewer, results, presenter, presentation, errors };
}
const mask = (...labels: number[]) => Uint8Array.from(labels);
const LABEL = 'Lung · Lung U-Net 1.0.0 · AI';

describe('what is drawn', () => {
  it('is the mask, on every viewport that shows its display set', async () => {
    const { viewer, results, presenter, errors } = setup();
    const displaySet = viewer.addSeries('d', ['a']);
    viewer.show('left', displaySet);
    viewer.show('right', displaySet);
    results.keep(result(image(source('a')), { labels: mask(0, 1, 1, 0) }));
    await presenter.refresh();
    expect(errors).toEqual([]);
    for (const viewport of ['left', 'right']) expect(viewer.drawnOn(viewport)).toEqual([{ label: LABEL, visible: true, labels: [[0, 1, 1, 0]] }]);
    expect(viewer.segmentations.size).toBe(1);
  });

  it('lies on its own image of a series and on no other', async () => {
    const { viewer, results, presenter } = setup();
    viewer.show('v', viewer.addSeries('d', ['a', 'b', 'c']));
    results.keep(result(image(source('b')), { labels: mask(1, 1, 0, 0) }));
    await presenter.refresh();
    expect(viewer.drawnOn('v')[0]?.labels).toEqual([[0, 0, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0]]);
    results.keep(result(image(source('c')), { labels: mask(0, 0, 1, 1) }));
    await presenter.refresh();
    expect(viewer.drawnOn('v')[0]?.labels).toEqual([[0, 0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1]]);
    expect(viewer.segmentations.size).toBe(1);
  });

  it.each([
    ['another study', { study: '9' }, 'a'],
    ['another series', { series: '9' }, 'a'],
    ['another instance of the series', {}, 'other'],
  ])('is nothing on %s', async (_, where, sop) => {
    const { viewer, results, presenter, errors } = setup();
    viewer.show('v', viewer.addSeries('d', [sop], where));
    results.keep(result(image(source('a'))));
    await presenter.refresh();
    expect(viewer.segmentations.size).toBe(0);
    expect(errors).toEqual([]);
  });

  it('is refused, in words, when the image under it has another size', async () => {
    const { viewer, results, presenter, errors } = setup();
    viewer.show('v', viewer.addSeries('d', ['a'], { columns: 3 }));
    results.keep(result(image(source('a'))));
    await presenter.refresh();
    expect(errors).toEqual([expect.objectContaining({ code: 'input/inconsistent', message: expect.stringContaining('2 × 2') })]);
    expect(viewer.drawnOn('v')).toEqual([]);
  });

  it('follows the viewport: it leaves with the display set and comes back with it', async () => {
    const { viewer, results, presenter } = setup();
    const [first, second] = [viewer.addSeries('d1', ['a']), viewer.addSeries('d2', ['b'], { series: '2' })];
    viewer.show('v', first);
    results.keep(result(image(source('a')), { labels: mask(1, 0, 0, 1) }));
    await presenter.refresh();
    viewer.show('v', second);
    await presenter.refresh();
    expect(viewer.drawnOn('v')).toEqual([]);
    viewer.show('v', first);
    await presenter.refresh();
    expect(viewer.drawnOn('v')[0]?.labels).toEqual([[1, 0, 0, 1]]);
  });

  it('is gone with its study, and is drawn anew when the study is opened again', async () => {
    const { viewer, results, presenter } = setup();
    viewer.show('v', viewer.addSeries('d', ['a']));
    results.keep(result(image(source('a')), { labels: mask(1, 0, 0, 0) }));
    await presenter.refresh();
    // What OHIF does when a mode is left.
    presenter.forget();
    viewer.displaySets = [];
    viewer.viewports.clear();
    viewer.segmentations.clear();
    viewer.representations.clear();
    await presenter.refresh();
    expect(results.all()[0]?.visible).toBe(true);
    viewer.show('v', viewer.addSeries('a new uid', ['a']));
    await presenter.refresh();
    expect(viewer.drawnOn('v')).toEqual([{ label: LABEL, visible: true, labels: [[1, 0, 0, 0]] }]);
  });

  it('is the newer mask after a second run, in the same segmentation', async () => {
    const { viewer, results, presenter } = setup();
    viewer.show('v', viewer.addSeries('d', ['a']));
    results.keep(result(image(source('a')), { labels: mask(1, 1, 1, 1) }));
    await presenter.refresh();
    results.keep(result(image(source('a')), { labels: mask(0, 0, 0, 1) }));
    await presenter.refresh();
    expect(viewer.drawnOn('v')[0]?.labels).toEqual([[0, 0, 0, 1]]);
    expect(viewer.segmentations.size).toBe(1);
  });

  it('hides and shows without being made again', async () => {
    const { viewer, results, presenter, presentation } = setup();
    viewer.show('v', viewer.addSeries('d', ['a']));
    const { key } = results.keep(result(image(source('a'))));
    await presenter.refresh();
    const visible = async () => { await presenter.refresh(); return viewer.drawnOn('v').map(d => d.visible); };
    presentation.shown = false;
    expect(await visible()).toEqual([false]);
    presentation.shown = true;
    expect(await visible()).toEqual([true]);
    results.setVisible(key, false);
    expect(await visible()).toEqual([false]);
    expect(viewer.segmentations.size).toBe(1);
  });

  it('leaves alone what the user did in the viewer until we are asked for something else', async () => {
    const { viewer, results, presenter } = setup();
    viewer.show('v', viewer.addSeries('d', ['a']));
    results.keep(result(image(source('a'))));
    await presenter.refresh();
    [...viewer.representations.values()][0]!.visible = false;
    await presenter.refresh();
    expect(viewer.drawnOn('v')[0]?.visible).toBe(false);
  });

  it('is hidden again in a viewport that was closed and opened anew, which the viewer shows it in', async () => {
    const { viewer, results, presenter } = setup();
    const displaySet = viewer.addSeries('d', ['a']);
    viewer.show('v', displaySet);
    const { key } = results.keep(result(image(source('a'))));
    await presenter.refresh();
    results.setVisible(key, false);
    await presenter.refresh();
    // Closed and opened before anything is drawn.
    viewer.reopen('v');
    [...viewer.representations.values()][0]!.visible = true;
    await presenter.refresh();
    expect(viewer.drawnOn('v')[0]?.visible).toBe(false);
  });

  it('stays away when the user deletes it in the viewer, and comes back when asked for', async () => {
    const { viewer, results, presenter } = setup();
    viewer.show('v', viewer.addSeries('d', ['a']));
    const { key } = results.keep(result(image(source('a'))));
    await presenter.refresh();
    viewer.services.segmentationService.remove('segmentation 1');
    await presenter.refresh();
    expect(results.get(key)?.visible).toBe(false);
    await presenter.refresh();
    expect(viewer.segmentations.size).toBe(0);
    results.setVisible(key, true);
    await presenter.refresh();
    expect(viewer.drawnOn('v')[0]?.visible).toBe(true);
  });

  it('is taken away with its result', async () => {
    const { viewer, results, presenter } = setup();
    viewer.show('v', viewer.addSeries('d', ['a', 'b']));
    const first = results.keep(result(image(source('a'))));
    const second = results.keep(result(image(source('b'))));
    await presenter.refresh();
    results.remove(first.key);
    await presenter.refresh();
    expect(viewer.drawnOn('v')[0]?.labels).toEqual([[0, 0, 0, 0], [1, 1, 1, 1]]);
    results.remove(second.key);
    await presenter.refresh();
    expect(viewer.segmentations.size).toBe(0);
  });

  it('has a fill that never hides the image, and an outline in both styles', async () => {
    const { viewer, results, presenter, presentation } = setup();
    viewer.show('v', viewer.addSeries('d', ['a']));
    results.keep(result(image(source('a'))));
    await presenter.refresh();
    expect(viewer.styles.get('v')).toMatchObject({ renderOutline: true, renderFill: false, outlineOpacity: 0.8 });
    presentation.style = { opacity: 1, style: 'fill' };
    await presenter.refresh();
    expect(viewer.styles.get('v')).toMatchObject({ renderOutline: true, renderFill: true, fillAlpha: 0.5 });
  });
});

describe('names and colours', () => {
  it('name the targets, the model and that it is AI', () => {
    const made = result();
    const [segment] = made.segments;
    expect(labelOf(made)).toBe(LABEL);
    const both = { ...made, segments: ['Left lung', 'Right lung'].map((label, i) => ({ ...segment!, segmentNumber: i + 1, target: { ...segment!.target, label } })) };
    expect(labelOf(both)).toBe('Left lung, right lung · Lung U-Net 1.0.0 · AI');
  });

  it('are the manifest\'s, or ours, different for neighbours', () => {
    const { target } = result().segments[0]!;
    expect(colorOf({ ...target, color: [1, 2, 3] }, 1)).toEqual([1, 2, 3, 255]);
    expect(new Set([1, 2, 3, 4, 5, 6, 7].map(n => colorOf(target, n).join())).size).toBe(7);
    expect(colorOf(target, 8)).toEqual(colorOf(target, 1));
  });
});
