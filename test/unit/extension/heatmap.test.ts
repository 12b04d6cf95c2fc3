import calculateTransform from '../../../node_modules/@cornerstonejs/core/dist/esm/RenderingEngine/helpers/cpuFallback/rendering/calculateTransform.js';
import { createOverlays } from '../../../extension/overlays/index.ts';
import { imageToCanvas, type StackViewport } from '../../../extension/overlays/heatmap-placement.ts';
import { planeOf, tableOf, type HeatmapStyle } from '../../../extension/overlays/heatmap-raster.ts';
import { OverlayPresenter } from '../../../extension/overlays/presenter.ts';
import { ResultsStore } from '../../../extension/results-store.ts';
import type { HeatmapResult } from '../../../src/results/result.ts';
import { FakeStackViewport, RENDERED } from './fake-stack-viewport.ts';
import { FakeViewer } from './fake-viewer.ts';
import { image, result, source } from './made.ts';

function heatmap(of = image(), change: Partial<HeatmapResult> = {}): HeatmapResult {
  const { model, device, source: from, timingMs, createdAt, segments } = result(of);
  return {
    kind: 'heatmap', model, device, source: from, timingMs, createdAt, target: segments[0]!.target,
    values: Float32Array.from(of.pixels, (_, i) => i + 1), range: [0, of.pixels.length], ...change,
  };
}

/** Where corners of a 4 × 2 image of 2 × 3 mm pixels fall: 40 px wide and 30 px high at 5 px a mm, around (50, 50). */
const IMAGE = { dimensions: [4, 2], spacing: [2, 3], origin: [10, 20, 30] } as const;
type Corners = { topLeft: [number, number]; topRight: [number, number]; bottomLeft: [number, number] };
const UPRIGHT: Corners = { topLeft: [30, 35], topRight: [70, 35], bottomLeft: [30, 65] };

function expectCorners(viewport: FakeStackViewport, { topLeft, topRight, bottomLeft }: Corners, ratio = 1): void {
  const [a, b, c, d, e, f] = imageToCanvas(viewport.asViewport(), ratio)!;
  const at = (column: number, row: number) => [a * column + c * row + e, b * column + d * row + f];
  const close = (got: number[], wanted: number[]) => got.forEach((value, i) => expect(value).toBeCloseTo(wanted[i]! * ratio, 9));
  close(at(0, 0), topLeft);
  close(at(4, 0), topRight);
  close(at(0, 2), bottomLeft);
}

describe('the image\'s place on the canvas', () => {
  const cases: [string, Partial<FakeStackViewport>, Corners][] = [
    ['upright', {}, UPRIGHT],
    ['rotated by 90° clockwise', { rotation: 90 }, { topLeft: [65, 30], topRight: [65, 70], bottomLeft: [35, 30] }],
    ['rotated by 180°', { rotation: 180 }, { topLeft: [70, 65], topRight: [30, 65], bottomLeft: [70, 35] }],
    ['rotated by 270°', { rotation: 270 }, { topLeft: [35, 70], topRight: [35, 30], bottomLeft: [65, 70] }],
    ['flipped left to right', { flipHorizontal: true }, { topLeft: [70, 35], topRight: [30, 35], bottomLeft: [70, 65] }],
    ['flipped upside down', { flipVertical: true }, { topLeft: [30, 65], topRight: [70, 65], bottomLeft: [30, 35] }],
    ['flipped and rotated', { flipHorizontal: true, rotation: 90 }, { topLeft: [65, 70], topRight: [65, 30], bottomLeft: [35, 70] }],
    ['at twice the zoom', { zoom: 10 }, { topLeft: [10, 20], topRight: [90, 20], bottomLeft: [10, 80] }],
    ['panned by 2 mm right and 1 mm up', { focal: [-2, 1] }, { topLeft: [40, 30], topRight: [80, 30], bottomLeft: [40, 60] }],
  ];
  it.each(cases)('is right %s', (_, camera, corners) => {
    for (const useCPURendering of [false, true]) {
      expectCorners(Object.assign(new FakeStackViewport('v', IMAGE, 'image:a'), camera, { useCPURendering }), corners);
    }
  });

  it('is right for an oblique plane, and on a screen of two dots a pixel', () => {
    const direction = [0, 1, 0, 0, 0, -1, -1, 0, 0];
    const viewport = new FakeStackViewport('v', { ...IMAGE, direction }, 'image:a');
    expectCorners(viewport, UPRIGHT);
    viewport.canvas.width = viewport.canvas.height = 200;
    expectCorners(viewport, UPRIGHT, 2);
    viewport.useCPURendering = true;
    expectCorners(viewport, UPRIGHT, 2);
  });

  it('is Cornerstone\'s own, where it draws on the CPU', () => {
    const displayedArea = { tlhc: { x: 1, y: 1 }, brhc: { x: 40, y: 30 }, columnPixelSpacing: 1, rowPixelSpacing: 1, presentationSizeMode: 'NONE' };
    const enabled = {
      canvas: { width: 200, height: 100 }, image: { rowPixelSpacing: 0.5, columnPixelSpacing: 0.5 },
      viewport: { displayedArea, scale: 1.7, rotation: 30, hflip: true, vflip: false, translation: { x: 12, y: -7 } },
    };
    const transform = calculateTransform(enabled as never) as unknown as { transformPoint(at: number[]): [number, number]; getMatrix(): number[] };
    const viewport = {
      useCPURendering: true,
      getImageData: () => ({ dimensions: [40, 30, 1], origin: [5, 6, 0], spacing: [0.5, 0.5, 1], direction: [1, 0, 0, 0, 1, 0, 0, 0, 1] }),
      worldToCanvas: ([x, y]: number[]) => transform.transformPoint([(x! - 5) / 0.5, (y! - 6) / 0.5]),
    } as unknown as StackViewport;
    imageToCanvas(viewport, 2)!.forEach((value, i) => expect(value).toBeCloseTo(transform.getMatrix()[i]!, 9));
  });

  it('is unknown while there is no image', () => {
    const viewport = new FakeStackViewport('v', IMAGE, 'image:a');
    expect(imageToCanvas({ ...viewport.asViewport(), getImageData: () => undefined }, 1)).toBeUndefined();
  });
});

describe('a map for drawing', () => {
  it('is its own values where it is small, and means of whole blocks where it is large', () => {
    const of = image(source(), [5, 3]);
    const map = heatmap(of, { values: Float32Array.from([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]) });
    expect(planeOf(map, 0)).toMatchObject({ columns: 5, rows: 3, step: 1 });
    const plane = planeOf(map, 0, 3);
    expect(plane).toMatchObject({ columns: 3, rows: 2, step: 2 });
    expect([...plane.values]).toEqual([4, 6, 7.5, 11.5, 13.5, 15]);
  });

  it('has a table of two sides when it is signed, whatever was chosen', () => {
    const signed = heatmap(image(), { range: [-1, 1] });
    expect(tableOf(signed, 'viridis')).toBe('coolwarm');
    expect(tableOf(heatmap(), 'coolwarm')).toBe('inferno');
    expect(tableOf(heatmap(), 'viridis')).toBe('viridis');
  });
});

function setup() {
  const viewer = new FakeViewer();
  const viewports = new Map<string, FakeStackViewport>();
  Object.assign(viewer.cornerstone, { Enums: { Events: { IMAGE_RENDERED: RENDERED } } });
  Object.assign(viewer.services.cornerstoneViewportService, { getCornerstoneViewport: (id: string) => viewports.get(id) });
  const results = new ResultsStore();
  const errors: Error[] = [];
  const presentation = { shown: true, style: { opacity: 0.8, style: 'outline' as const } };
  const look: { style: HeatmapStyle } = { style: { opacity: 0.5, threshold: 0 } };
  const overlays = createOverlays(viewer.services, viewer.cornerstone, viewer.tools, () => undefined, () => look.style);
  const presenter = new OverlayPresenter({
    services: viewer.services, cornerstone: viewer.cornerstone, results, overlays, presentation: () => presentation, onError: error => errors.push(error),
  });
  const show = (id: string, sop = 'a', dimensions: [number, number] = [2, 2]) => {
    const displaySet = viewer.displaySets.find(set => set.imageIds?.includes(`image:${sop}`)) ?? viewer.addSeries(`d ${sop}`, [sop], { series: `1.${sop.charCodeAt(0)}` });
    viewer.show(id, displaySet, `image:${sop}`);
    const viewport = new FakeStackViewport(id, { dimensions }, `image:${sop}`);
    viewports.set(id, viewport);
    return viewport;
  };
  const keep = (sop = 'a', change: Partial<HeatmapResult> = {}) => results.keep(heatmap(image(source(sop, 1, '1', `1.${sop.charCodeAt(0)}`)), change));
  return { viewer, viewports, results, presenter, presentation, look, errors, show, keep };
}

describe('a heat map over its image', () => {
  it('lies between the image and the annotations, lets the mouse through, and has the image\'s size', async () => {
    const { presenter, show, keep, errors } = setup();
    const viewport = show('v');
    viewport.document.defaultView.devicePixelRatio = 2;
    viewport.canvas.width = viewport.canvas.height = 200;
    keep();
    await presenter.refresh();
    expect(errors).toEqual([]);
    const overlay = viewport.overlay!;
    expect(viewport.canvas.siblings).toEqual([viewport.canvas, overlay, viewport.annotations]);
    expect(overlay.style).toMatchObject({ pointerEvents: 'none', position: 'absolute', width: '100%', height: '100%' });
    expect([overlay.width, overlay.height, overlay.hidden]).toEqual([200, 200, false]);
    const { args, transform, alpha, image: raster } = overlay.drawn!;
    expect(args).toEqual([0, 0, 2, 2, 0, 0, 2, 2]);
    expect(alpha).toBe(0.5);
    transform.forEach((value, i) => expect(value).toBeCloseTo([10, 0, 0, 10, 90, 90][i]!, 9));
    // Four values from 1 to 4 of 4: none is wholly clear, the largest is opaque.
    expect([3, 7, 11, 15].map(i => raster.pixels![i])).toEqual([64, 128, 191, 255]);
  });

  it('follows every frame that Cornerstone draws, without being coloured again', async () => {
    const { presenter, show, keep } = setup();
    const viewport = show('v');
    keep();
    await presenter.refresh();
    const before = viewport.overlay!.drawn!.transform;
    Object.assign(viewport, { zoom: 8, rotation: 90, focal: [3, 4] });
    viewport.canvas.width = 120;
    viewport.render();
    const { drawn, width } = viewport.overlay!;
    expect(width).toBe(120);
    expect(drawn!.transform).not.toEqual(before);
    expect([...drawn!.transform]).toEqual([...imageToCanvas(viewport.asViewport(), 1)!]);
    expect(drawn!.image.colourings).toBe(1);
  });

  it('is coloured again for another threshold, and not for another opacity', async () => {
    const { presenter, show, keep, look } = setup();
    const viewport = show('v');
    keep();
    await presenter.refresh();
    look.style = { opacity: 0.9, threshold: 0 };
    await presenter.refresh();
    const { image: raster, alpha } = viewport.overlay!.drawn!;
    expect([alpha, raster.colourings]).toEqual([0.9, 1]);
    look.style = { opacity: 0.9, threshold: 0.6 };
    await presenter.refresh();
    expect(raster.colourings).toBe(2);
    expect([3, 7, 11, 15].map(i => raster.pixels![i])).toEqual([0, 0, 191, 255]);
  });

  it('is drawn on no other picture: not of another instance, nor frame, nor study', async () => {
    const { presenter, show, results, viewer } = setup();
    const viewport = show('v');
    results.keep(heatmap(image(source('b', 1, '1', '1.97'))));
    results.keep(heatmap(image(source('a', 2, '1', '1.97'))));
    results.keep(heatmap(image(source('a', 1, '9', '1.97'))));
    await presenter.refresh();
    expect(viewport.overlay).toBeUndefined();
    // Nor when the viewer changes its mind about what an image is.
    results.keep(heatmap(image(source('a', 1, '1', '1.97'))));
    await presenter.refresh();
    expect(viewport.overlay?.hidden).toBe(false);
    Object.assign(viewer.images.get('image:a')!.instance, { SOPInstanceUID: 'another' });
    await presenter.refresh();
    expect(viewport.overlay).toBeUndefined();
  });

  it('leaves with its image, also while the next one is on its way, and comes back', async () => {
    const { presenter, show, keep } = setup();
    const viewport = show('v');
    keep();
    await presenter.refresh();
    viewport.current = 'image:other';
    viewport.render();
    expect(viewport.overlay!.hidden).toBe(true);
    viewport.arrived = 'image:other';
    viewport.render();
    expect(viewport.overlay!.hidden).toBe(true);
    viewport.current = 'image:a';
    viewport.render();
    expect(viewport.overlay!.hidden).toBe(true);
    viewport.arrived = 'image:a';
    viewport.render();
    expect(viewport.overlay!.hidden).toBe(false);
  });

  it('is refused, in words, on an image of another size', async () => {
    const { presenter, show, keep, errors } = setup();
    const viewport = show('v', 'a', [3, 2]);
    keep();
    await presenter.refresh();
    expect(errors).toEqual([expect.objectContaining({ code: 'input/inconsistent', message: expect.stringMatching(/2 × 2 .* 3 × 2/) })]);
    expect(viewport.overlay!.hidden).toBe(true);
  });

  it('is one a view for a study of two, each on its own picture', async () => {
    const { presenter, show, keep } = setup();
    const [left, right] = [show('left', 'a'), show('right', 'b')];
    keep('a', { range: [0, 4] });
    keep('b', { range: [0, 8] });
    await presenter.refresh();
    const opaque = (viewport: FakeStackViewport) => viewport.overlay!.drawn!.image.pixels![15];
    expect([opaque(left), opaque(right)]).toEqual([255, 128]);
  });

  it('is the newest, where there are several', async () => {
    const { presenter, show, keep, results } = setup();
    const viewport = show('v');
    keep('a');
    const { model } = heatmap();
    results.keep(heatmap(image(source('a', 1, '1', '1.97')), { range: [0, 8], model: { ...model, id: 'another' } }));
    await presenter.refresh();
    expect(viewport.canvas.siblings).toHaveLength(3);
    expect(viewport.overlay!.drawn!.image.pixels![15]).toBe(128);
  });

  it('is taken away when it is hidden, when its viewport shows something else, and with the mode', async () => {
    const { presenter, presentation, show, keep } = setup();
    const viewport = show('v');
    keep();
    const drawn = async () => { await presenter.refresh(); return viewport.overlay !== undefined; };
    expect(await drawn()).toBe(true);
    presentation.shown = false;
    expect(await drawn()).toBe(false);
    presentation.shown = true;
    expect(await drawn()).toBe(true);
    presenter.forget();
    expect(viewport.overlay).toBeUndefined();
    viewport.render(); // it listens no more
    expect(viewport.overlay).toBeUndefined();
  });

  it('goes with its viewport, and over to the one that takes its place', async () => {
    const { presenter, show, keep, viewports } = setup();
    const first = show('v');
    keep();
    await presenter.refresh();
    // Cornerstone has made another viewport of this name, and may still draw in the first one's element.
    const second = show('v');
    first.render();
    expect(first.overlay!.hidden).toBe(true);
    await presenter.refresh();
    expect([first.overlay, second.overlay!.hidden]).toEqual([undefined, false]);
    // A viewport that shows no stack, a volume's say, has no map.
    viewports.set('v', { id: 'v', getCurrentImageId: () => 'image:a' } as FakeStackViewport);
    await presenter.refresh();
    expect(second.overlay).toBeUndefined();
  });
});
