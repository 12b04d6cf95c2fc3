import { Comparer } from '../../../../extension/comparing/comparer.ts';
import { DIFFERENCE_COLORS, isDifference } from '../../../../extension/comparing/difference.ts';
import { ResultSets } from '../../../../extension/comparing/sets.ts';
import type { SideBySide } from '../../../../extension/comparing/side-by-side.ts';
import { viewerSets } from '../../../../extension/comparing/viewer-sets.ts';
import { MaskEdits } from '../../../../extension/mask-edits.ts';
import { createOverlays } from '../../../../extension/overlays/index.ts';
import { LabelmapOverlay } from '../../../../extension/overlays/labelmap.ts';
import { FrameIndexes } from '../../../../extension/overlays/place.ts';
import { OverlayPresenter } from '../../../../extension/overlays/presenter.ts';
import { ResultsStore } from '../../../../extension/results-store.ts';
import { placeOpen } from '../../../../extension/segment-intensities.ts';
import type { LabelmapResult } from '../../../../src/results/result.ts';
import { FakeViewer } from '../fake-viewer.ts';
import { image, result, source } from '../made.ts';

const SPACED = { ...image(source('a')), spacingMm: [0.5, 2] as [number, number] };
const OPEN = new Set(['1']);
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
  const segmentations = viewerSets({
    services: viewer.services, cornerstone: viewer.cornerstone, tools: viewer.tools,
    isOurs: id => overlay.owns(id), place: r => placeOpen(viewer.services, frames, r),
  });
  const sideBySide = { open: jest.fn(), close: jest.fn(), left: jest.fn(() => false) };
  const sets = new ResultSets({ results, segmentations });
  const comparer = new Comparer({ results, segmentations, sets, sideBySide: sideBySide as unknown as SideBySide, settleMs: 0 });
  const presenter = new OverlayPresenter({
    services: viewer.services, cornerstone: viewer.cornerstone, results: { all: () => comparer.present(results.all()) }, overlays,
    presentation: () => ({ shown: true, style: { opacity: 0.8, style: 'outline' } }), onError: e => { throw e; },
  });
  const visible = async () => {
    await presenter.refresh();
    return viewer.drawnOn('v').filter(d => d.visible).map(d => [d.label, d.labels[0]]);
  };
  const phase = () => comparer.state.get().phase;
  const numbers = () => {
    const now = phase();
    return now.kind === 'shown' && now.pair.kind === 'labelmap' ? now.pair.numbers : undefined;
  };
  /** Until the numbers are as they should be, or they are not in time. */
  const settled = async (dice: number) => {
    const end = Date.now() + 4000;
    while (numbers()?.dice !== dice && Date.now() < end) await new Promise(resolve => setTimeout(resolve, 5));
    expect(numbers()?.dice).toBe(dice);
  };
  const names = (id: string) => sets.against(id, OPEN).map(({ name }) => name);
  return { viewer, results, sets, comparer, presenter, visible, phase, numbers, settled, overlay, names, sideBySide };
}

describe('two results', () => {
  test('are drawn as one difference in three colours, in place of the two', async () => {
    const { results, comparer, visible, phase, viewer, names, numbers } = setup();
    const a = results.keep(of([1, 1, 0, 0]));
    const b = results.keep(of([0, 1, 1, 0], 'Other'));
    expect(names(`result ${a.key}`)).toEqual(['Other']);
    expect((await visible()).map(([label]) => label)).toHaveLength(2);
    await comparer.compare(`result ${a.key}`, `result ${b.key}`);
    expect(phase()).toMatchObject({ kind: 'shown', a: { name: 'Lung U-Net' }, b: { name: 'Other' } });
    expect(numbers()?.dice).toBe(0.5);
    expect(await visible()).toEqual([['Difference: Lung U-Net and Other', [2, 1, 3, 0]]]);
    expect(viewer.styles.get('v')).toMatchObject({ renderFill: true });
    comparer.setView('apart');
    expect((await visible()).map(([label]) => label)).not.toContain('Difference: Lung U-Net and Other');
    comparer.setView('difference');
    comparer.end();
    expect(await visible()).toHaveLength(2);
    expect(viewer.segmentations.size).toBe(2);
  });

  test('are followed: another mask of either makes another difference, and none ends it', async () => {
    const { results, comparer, visible, phase, settled } = setup();
    const a = results.keep(of([1, 1, 0, 0]));
    const b = results.keep(of([0, 1, 1, 0], 'Other'));
    await comparer.compare(`result ${a.key}`, `result ${b.key}`);
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
    await comparer.compare(`result ${a.key}`, `result ${b.key}`);
    expect(phase()).toMatchObject({ kind: 'error', error: { code: 'input/inconsistent' } });
    expect(comparer.present(results.all())).toHaveLength(2);
  });

  test('of one model on two images have names that tell them apart', () => {
    const { results, names } = setup();
    const a = results.keep(of([1, 1, 0, 0]));
    results.keep(of([1, 0, 0, 0], 'Lung U-Net', { ...image(source('b')), attributes: { viewPosition: 'AP' } } as typeof SPACED));
    expect(names(`result ${a.key}`)).toEqual(['Lung U-Net 1.0.0 AP']);
  });

  test('a difference is no mask that a reader edits', async () => {
    const { results, comparer, presenter, overlay, viewer } = setup();
    const a = results.keep(of([1, 1, 0, 0]));
    const b = results.keep(of([0, 1, 1, 0], 'Other'));
    await comparer.compare(`result ${a.key}`, `result ${b.key}`);
    await presenter.refresh();
    for (const labelmap of viewer.labelmaps.values()) labelmap.scalars.fill(3);
    new MaskEdits({ results, changed: () => overlay.changed() }).read();
    expect(results.all()).toHaveLength(2);
    expect(overlay.changed().map(({ key }) => key)).not.toContain(`difference result ${a.key} result ${b.key}`);
  });
});

describe('what is chosen', () => {
  test('is drawn apart for a wipe and side by side, and everything else of its kind gives way', async () => {
    const { results, comparer, visible, sideBySide } = setup();
    const [a, b] = [results.keep(of([1, 1, 0, 0])), results.keep(of([0, 1, 1, 0], 'Other'))];
    results.keep(of([1, 1, 1, 1], 'Third'));
    await comparer.compare(`result ${a.key}`, `result ${b.key}`);
    comparer.setView('wipe');
    expect(await visible()).toEqual([]);
    expect([comparer.apart()?.a.result, comparer.apart()?.b.result]).toMatchObject([{ labels: a.result.kind === 'labelmap' && a.result.labels }, { labels: b.result.kind === 'labelmap' && b.result.labels }]);
    expect(sideBySide.open).not.toHaveBeenCalled();
    comparer.setView('side-by-side');
    expect(sideBySide.open).toHaveBeenCalledTimes(1);
    // The user chose another layout.
    sideBySide.left.mockReturnValue(true);
    comparer.layoutChanged();
    expect(comparer.state.get().view).toBe('wipe');
    comparer.end();
    expect(sideBySide.close).toHaveBeenCalled();
    expect(comparer.apart()).toBeUndefined();
    expect(await visible()).toHaveLength(3);
  });

  test('stands among all of its kind, each against each; what cannot be compared says why', async () => {
    const { results, comparer } = setup();
    const a = results.keep(of([1, 1, 0, 0]));
    results.keep(of([0, 1, 1, 0], 'Other'));
    expect(comparer.overview(`result ${a.key}`, OPEN)).toBeUndefined();
    results.keep(of([1, 1, 0, 0], 'Elsewhere', { ...image(source('b')), spacingMm: [1, 1] }));
    const overview = comparer.overview(`result ${a.key}`, OPEN)!;
    expect([overview.of, overview.names]).toEqual(['Dice', ['Lung U-Net', 'Other', 'Elsewhere']]);
    expect(overview.values[0]!.slice(0, 2)).toEqual([undefined, 0.5]);
    expect(overview.values[1]![0]).toBe(0.5);
    expect(overview.values[2]![0]).toMatch(/Expected two results on the same images/);
  });

  test('can be swapped, and the divider stays in the image', async () => {
    const { results, comparer, phase } = setup();
    const [a, b] = [results.keep(of([1, 1, 0, 0])), results.keep(of([0, 1, 1, 0], 'Other'))];
    await comparer.compare(`result ${a.key}`, `result ${b.key}`);
    await comparer.swap();
    expect(phase()).toMatchObject({ kind: 'shown', a: { name: 'Other' }, b: { name: 'Lung U-Net' } });
    comparer.setDivider(1.4);
    expect(comparer.state.get().divider).toBe(1);
  });

  test('may be a copy of what it was: a mask before its threshold was moved, or before it was edited', async () => {
    const { results, comparer, sets, names, numbers, settled } = setup();
    const a = results.keep(of([1, 1, 0, 0]));
    const copy = sets.copy(`result ${a.key}`)!;
    results.replaceMask(a.key, { ...of([1, 0, 0, 0]), editedAt: '2026-01-01T00:00:00Z' }, of([1, 1, 0, 0]));
    expect(names(`result ${a.key}`)).toEqual(['Lung U-Net, before it was edited', 'Lung U-Net (copy 1)']);
    await comparer.compare(`result ${a.key}`, copy.id);
    expect(numbers()?.dice).toBe(2 / 3);
    await comparer.compare(`result ${a.key}`, `unedited ${a.key}`);
    expect(numbers()?.dice).toBe(2 / 3);
    results.replaceMask(a.key, { ...of([1, 1, 0, 0]), editedAt: '2026-01-01T00:00:00Z' }, of([1, 1, 0, 0]));
    await settled(1);
    await comparer.compare(`result ${a.key}`, copy.id);
    sets.removeCopy(copy.id);
    expect(comparer.state.get().phase.kind).toBe('idle');
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
    const { viewer, comparer, a, id, phase, numbers, sets, settled } = await withDrawn([1, 0, 0, 2]);
    expect(sets.against(`result ${a.key}`, OPEN)).toEqual([{ id: `segmentation ${id}`, name: 'Reader', kind: 'labelmap', studyInstanceUID: '1' }]);
    await comparer.compare(`result ${a.key}`, `segmentation ${id}`);
    expect(phase()).toMatchObject({ kind: 'shown', b: { name: 'Reader' }, pair: { common: { by: 'whole' } } });
    expect(numbers()?.dice).toBe(0.5);
    const visible = () => viewer.representations.get(`v ${id}`)!.visible;
    expect(visible()).toBe(false);
    [...viewer.labelmaps.values()].at(-1)!.scalars.set([1, 1, 0, 0]);
    comparer.changed('another');
    comparer.changed(id);
    await settled(1);
    comparer.end();
    expect(visible()).toBe(true);
  });

  test('has no name and is not seen while a reading is blinded, one that comes later neither', async () => {
    const { viewer, comparer, presenter, id } = await withDrawn([1, 0, 0, 0]);
    comparer.setBlinded(true);
    await presenter.refresh();
    const seen = () => viewer.drawnOn('v').map(({ label, visible }) => [label, visible]);
    expect(seen()).toEqual([['Hidden while reading blinded', false]]);
    const later = await viewer.services.segmentationService.createLabelmapForDisplaySet(viewer.displaySets[0]!, { label: 'SEG of Mustermann', segments: {} });
    await viewer.services.segmentationService.addSegmentationRepresentation('v', { segmentationId: later, type: 'Labelmap' });
    comparer.segmentationAdded();
    expect(seen()).toEqual([['Hidden while reading blinded', false], ['Hidden while reading blinded', false]]);
    comparer.setBlinded(false);
    await presenter.refresh();
    expect(seen()).toEqual(expect.arrayContaining([['Reader', true], ['SEG of Mustermann', true]]));
    expect(viewer.segmentations.get(id)!.label).toBe('Reader');
  });

  test('on other images is refused by name', async () => {
    const { viewer, comparer, a, id, phase } = await withDrawn([1, 0, 0, 0]);
    const [key] = [...viewer.labelmaps.keys()].slice(-1);
    viewer.labelmaps.set(key!, { ...viewer.labelmaps.get(key!)!, columns: 3 });
    await comparer.compare(`result ${a.key}`, `segmentation ${id}`);
    expect(phase()).toMatchObject({ kind: 'error', error: { code: 'input/inconsistent', message: expect.stringMatching(/Lung U-Net on CR PA, 2 × 2 and Reader on OT, 3 × 2, which state no geometry/) } });
  });
});

describe('two masks of the viewer', () => {
  /** Slices of 2 × 2 voxels of 1 mm, in the order in which the viewer holds them. */
  function volume(viewer: FakeViewer, uid: string, series: string, heights: number[], frameOfReference = '1.9') {
    const displaySet = viewer.addSeries(uid, heights.map(z => `${series}.${z}`), { series });
    for (const z of heights) {
      const held = viewer.images.get(`image:${series}.${z}`)!;
      held.instance = { ...held.instance, Modality: 'CT', FrameOfReferenceUID: frameOfReference, PixelSpacing: [1, 1], ImagePositionPatient: [0, 0, z], ImageOrientationPatient: [1, 0, 0, 0, 1, 0] };
    }
    return displaySet;
  }
  async function drawn(viewer: FakeViewer, displaySet: ReturnType<typeof volume>, label: string, voxels: Record<number, number[]>) {
    const id = await viewer.services.segmentationService.createLabelmapForDisplaySet(displaySet, { label, segments: {} });
    for (const [z, labels] of Object.entries(voxels)) viewer.labelmaps.get(`${id} image:${displaySet.SeriesInstanceUID}.${z}`)!.scalars.set(labels);
    return `segmentation ${id}`;
  }

  test('lie on the grid of their own images, whatever their order', async () => {
    const { viewer, comparer, phase, numbers } = setup();
    const ct = volume(viewer, 'ct', '2.1', [4, 0, 2]);
    const [a, b] = [await drawn(viewer, ct, 'Reader', { 0: [1, 0, 0, 0], 2: [1, 0, 0, 0] }), await drawn(viewer, ct, 'SEG', { 0: [1, 0, 0, 0], 4: [1, 0, 0, 0] })];
    await comparer.compare(a, b);
    expect(phase()).toMatchObject({ kind: 'shown', pair: { placement: { how: 'same' }, common: { by: 'name' } } });
    // The slices lie 2 mm apart.
    expect(numbers()).toMatchObject({ dice: 0.5, unit: 'mm', hausdorff: 2 });
  });

  test('on two series of one frame of reference are brought to one grid, and it is said; of two frames they are refused', async () => {
    const { viewer, comparer, phase, numbers } = setup();
    const a = await drawn(viewer, volume(viewer, 'ct', '2.1', [0, 2, 4]), 'Reader', { 2: [1, 1, 1, 1] });
    const b = await drawn(viewer, volume(viewer, 'pt', '2.2', [1.5, 3.5]), 'SEG', { 1.5: [1, 1, 1, 1] });
    const c = await drawn(viewer, volume(viewer, 'mr', '2.3', [0, 2, 4], '1.8'), 'Elsewhere', { 2: [1, 1, 1, 1] });
    await comparer.compare(a, b);
    expect(phase()).toMatchObject({ kind: 'shown', pair: { placement: { how: 'resampled', covered: 2 / 3 } } });
    expect(numbers()?.dice).toBe(1);
    await comparer.compare(a, c);
    expect(phase()).toMatchObject({ kind: 'error', error: { code: 'input/inconsistent', message: expect.stringMatching(/Reader on CT, 2 × 2 × 3 and Elsewhere on CT.*no common frame of reference/) } });
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
