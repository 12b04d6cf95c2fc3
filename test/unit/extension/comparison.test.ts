import { Comparer } from '../../../extension/comparison.ts';
import { compareMasks, maskOf, maskOnGrid } from '../../../extension/compare-masks.ts';
import { MaskEdits } from '../../../extension/mask-edits.ts';
import { DIFFERENCE_COLORS, isDifference } from '../../../extension/overlays/difference.ts';
import { createOverlays } from '../../../extension/overlays/index.ts';
import { LabelmapOverlay } from '../../../extension/overlays/labelmap.ts';
import { viewerMasks } from '../../../extension/overlays/labelmap-masks.ts';
import { FrameIndexes } from '../../../extension/overlays/place.ts';
import { OverlayPresenter } from '../../../extension/overlays/presenter.ts';
import { ResultsStore } from '../../../extension/results-store.ts';
import { placeOpen } from '../../../extension/segment-intensities.ts';
import type { LabelmapResult } from '../../../src/results/result.ts';
import { FakeViewer } from './fake-viewer.ts';
import { image, result, source } from './made.ts';

const SPACED = { ...image(source('a')), spacingMm: [0.5, 2] as [number, number] };
const of = (labels: number[], name = 'Lung U-Net', on = SPACED): LabelmapResult => {
  const made = result(on, { labels: Uint8Array.from(labels), sha256: name });
  return { ...made, model: { ...made.model, id: name.toLowerCase().replaceAll(' ', '-'), name } };
};

function setup() {
  const viewer = new FakeViewer();
  const results = new ResultsStore();
  viewer.show('v', viewer.addSeries('d', ['a']));
  const overlays = createOverlays(viewer.services, viewer.cornerstone, viewer.tools, () => undefined);
  const overlay = overlays.labelmap as LabelmapOverlay;
  const frames = new FrameIndexes(viewer.cornerstone);
  const segmentations = viewerMasks({
    services: viewer.services, cornerstone: viewer.cornerstone, tools: viewer.tools,
    isOurs: id => overlay.owns(id), place: r => placeOpen(viewer.services, frames, r),
  });
  const comparer = new Comparer({ results, segmentations, settleMs: 0 });
  const presenter = new OverlayPresenter({
    services: viewer.services, cornerstone: viewer.cornerstone, results: { all: () => comparer.present(results.all()) }, overlays,
    presentation: () => ({ shown: true, style: { opacity: 0.8, style: 'outline' } }), onError: e => { throw e; },
  });
  const visible = async () => {
    await presenter.refresh();
    return viewer.drawnOn('v').filter(d => d.visible).map(d => [d.label, d.labels[0]]);
  };
  const phase = () => comparer.state.get().phase;
  /** Until the numbers are as they should be, or they are not in time. */
  const settled = async (dice: number) => {
    const end = Date.now() + 4000;
    const now = () => { const p = phase(); return p.kind === 'shown' ? p.numbers.dice : undefined; };
    while (now() !== dice && Date.now() < end) await new Promise(resolve => setTimeout(resolve, 5));
    expect(now()).toBe(dice);
  };
  return { viewer, results, comparer, presenter, visible, phase, settled, overlay };
}

describe('the numbers', () => {
  const [a, b] = [of([1, 1, 0, 0]), of([1, 0, 0, 1], 'Other')];
  test('are of all segments together, in millimetres where the spacing is known', () => {
    const found = compareMasks(maskOf(a, 'A'), maskOf(b, 'B'), a.source);
    // Pixels are 0.5 mm wide and 2 mm high: B's lower right one lies straight under A's upper right one.
    expect(found).toMatchObject({ dice: 0.5, iou: 1 / 3, precision: 0.5, recall: 0.5, hausdorff: 2, unit: 'mm', classes: [], relativeDifference: 0 });
    expect(compareMasks(maskOf(a, 'A'), maskOf(b, 'B'), { ...a.source, spacingMm: undefined }).unit).toBe('px');
  });

  test('have no distance to an empty mask', () => {
    const found = compareMasks(maskOf(a, 'A'), maskOf(of([0, 0, 0, 0]), 'B'), a.source);
    expect(found.dice).toBe(0);
    expect(found).not.toHaveProperty('hausdorff95');
    expect(found).not.toHaveProperty('relativeDifference');
  });

  test('are also of segments of the same name', () => {
    const two = (labels: number[], ...names: string[]) => ({ name: '', labels: Uint8Array.from(labels), segments: names.map((label, i) => ({ segmentNumber: i + 1, label })) });
    const found = compareMasks(two([1, 1, 2, 0], 'Left', 'Right'), two([2, 0, 1, 1], 'right', 'LEFT'), a.source);
    expect(found.classes.map(({ label, dice }) => [label, dice])).toEqual([['Left', 2 / 3], ['Right', 2 / 3]]);
  });

  test('are refused by name on other grids', () => {
    const elsewhere = of([1, 0, 0, 0], 'Other', { ...image(source('b')), spacingMm: [1, 1] });
    expect(() => maskOnGrid(elsewhere, 'Other', a, 'Lung U-Net')).toThrow(expect.objectContaining({ code: 'input/inconsistent', message: expect.stringMatching(/Lung U-Net on CR PA, 2 × 2 and Other on CR PA, 2 × 2.*Compare masks of one image/) }));
  });
});

describe('two results', () => {
  test('are drawn as one difference in three colours, in place of the two', async () => {
    const { results, comparer, visible, phase, viewer } = setup();
    const a = results.keep(of([1, 1, 0, 0]));
    results.keep(of([0, 1, 1, 0], 'Other'));
    expect(comparer.candidates(a.key).map(c => c.name)).toEqual(['Other']);
    expect((await visible()).map(([label]) => label)).toHaveLength(2);
    await comparer.compare(a.key, comparer.candidates(a.key)[0]!.id);
    const shown = phase();
    expect(shown).toMatchObject({ kind: 'shown', names: { a: 'Lung U-Net', b: 'Other' }, numbers: { dice: 0.5 } });
    // Pixels are 1 mm².
    if (shown.kind === 'shown') expect(shown.difference.result.segments.map(s => [s.target.label, s.areaMm2])).toEqual([['Both', 1], ['Only Lung U-Net', 1], ['Only Other', 1]]);
    expect(await visible()).toEqual([['Difference: Lung U-Net and Other', [2, 1, 3, 0]]]);
    expect(viewer.styles.get('v')).toMatchObject({ renderFill: true });
    comparer.setOnImage(false);
    expect((await visible()).map(([label]) => label)).not.toContain('Difference: Lung U-Net and Other');
    comparer.setOnImage(true);
    comparer.end();
    expect(await visible()).toHaveLength(2);
    expect(viewer.segmentations.size).toBe(2);
  });

  test('are followed: another mask of either makes another difference, and none ends it', async () => {
    const { results, comparer, visible, phase, settled } = setup();
    const a = results.keep(of([1, 1, 0, 0]));
    const b = results.keep(of([0, 1, 1, 0], 'Other'));
    await comparer.compare(a.key, `result ${b.key}`);
    results.replaceMask(b.key, of([1, 1, 0, 0], 'Other'));
    await settled(1);
    expect(await visible()).toEqual([['Difference: Lung U-Net and Other', [1, 1, 0, 0]]]);
    results.remove(b.key);
    expect(phase().kind).toBe('idle');
    expect((await visible()).map(([, labels]) => labels)).toEqual([[1, 1, 0, 0]]);
  });

  test('on other images of the study are refused in words', async () => {
    const { results, comparer, phase } = setup();
    const a = results.keep(of([1, 1, 0, 0]));
    const b = results.keep(of([1, 0, 0, 0], 'Other', { ...image(source('b')), spacingMm: [1, 1] }));
    await comparer.compare(a.key, `result ${b.key}`);
    expect(phase()).toMatchObject({ kind: 'error', error: { code: 'input/inconsistent' } });
    expect(comparer.present(results.all())).toHaveLength(2);
  });

  test('of one model on two images have names that tell them apart', () => {
    const { results, comparer } = setup();
    const a = results.keep(of([1, 1, 0, 0]));
    results.keep(of([1, 0, 0, 0], 'Lung U-Net', { ...image(source('b')), attributes: { viewPosition: 'AP' } } as typeof SPACED));
    expect(comparer.candidates(a.key).map(c => c.name)).toEqual(['Lung U-Net 1.0.0 AP']);
  });

  test('a difference is no mask that a reader edits', async () => {
    const { results, comparer, presenter, overlay, viewer } = setup();
    const a = results.keep(of([1, 1, 0, 0]));
    const b = results.keep(of([0, 1, 1, 0], 'Other'));
    await comparer.compare(a.key, `result ${b.key}`);
    await presenter.refresh();
    for (const labelmap of viewer.labelmaps.values()) labelmap.scalars.fill(3);
    new MaskEdits({ results, changed: () => overlay.changed() }).read();
    expect(results.all()).toHaveLength(2);
    expect(overlay.changed().map(({ key }) => key)).not.toContain(`difference ${a.key} result ${b.key}`);
  });
});

describe('a labelmap of the viewer', () => {
  async function withDrawn(labels: number[]) {
    const made = setup();
    const a = made.results.keep(of([1, 1, 0, 0]));
    await made.presenter.refresh();
    const id = await made.viewer.services.segmentationService.createLabelmapForDisplaySet(made.viewer.displaySets[0]!, { label: 'Reader', segments: {} });
    await made.viewer.services.segmentationService.addSegmentationRepresentation('v', { segmentationId: id, type: 'Labelmap' });
    [...made.viewer.labelmaps.values()].at(-1)!.scalars.set(labels);
    return { ...made, a, id };
  }

  test('is a candidate, is compared, hides meanwhile, and is followed', async () => {
    const { viewer, comparer, a, id, phase, settled } = await withDrawn([1, 0, 0, 2]);
    expect(comparer.candidates(a.key)).toEqual([{ id: `segmentation ${id}`, name: 'Reader' }]);
    await comparer.compare(a.key, `segmentation ${id}`);
    expect(phase()).toMatchObject({ kind: 'shown', numbers: { dice: 0.5 }, names: { b: 'Reader' } });
    const visible = () => viewer.representations.get(`v ${id}`)!.visible;
    expect(visible()).toBe(false);
    [...viewer.labelmaps.values()].at(-1)!.scalars.set([1, 1, 0, 0]);
    comparer.changed('another');
    comparer.changed(id);
    await settled(1);
    comparer.end();
    expect(visible()).toBe(true);
  });

  test('on other images is refused by name', async () => {
    const { viewer, comparer, a, id, phase } = await withDrawn([1, 0, 0, 0]);
    const [key] = [...viewer.labelmaps.keys()].slice(-1);
    viewer.labelmaps.set(key!, { ...viewer.labelmaps.get(key!)!, columns: 3 });
    await comparer.compare(a.key, `segmentation ${id}`);
    expect(phase()).toMatchObject({ kind: 'error', error: { code: 'input/inconsistent', message: expect.stringContaining('Reader on other images, 3 × 2') } });
  });
});

describe('colours', () => {
  /** Machado, Oliveira, Fernandes 2009, severity 1; in linear RGB. */
  const BLINDNESS = {
    none: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    protan: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    deutan: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    tritan: [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
  };
  const lab = (color: readonly number[], matrix: number[][]) => {
    const linear = color.map(v => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    const [r, g, b] = matrix.map(row => Math.min(1, Math.max(0, row.reduce((sum, w, i) => sum + w * linear[i]!, 0)))) as [number, number, number];
    const f = (t: number) => (t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116);
    const [x, y, z] = [f((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.95047), f(0.2126 * r + 0.7152 * g + 0.0722 * b), f((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.08883)] as const;
    return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
  };

  test.each(Object.entries(BLINDNESS))('stay far apart with blindness: %s', (_, matrix) => {
    const seen = Object.values(DIFFERENCE_COLORS).map(color => lab(color, matrix));
    for (const [i, one] of seen.entries()) for (const other of seen.slice(i + 1)) expect(Math.hypot(...one.map((v, axis) => v - other[axis]!))).toBeGreaterThan(30);
  });

  test('belong to the difference alone', () => {
    expect(isDifference(of([1, 0, 0, 0]))).toBe(false);
  });
});
