import { countInside } from '../../../../extension/counting/roi-count.ts';
import { labelText, RoiCounts } from '../../../../extension/counting/roi-counts.ts';
import { contains, spansOf, type RoiShape } from '../../../../extension/counting/roi-shape.ts';
import type { DrawnAnnotation } from '../../../../extension/types/annotations.ts';
import { points, surface } from './made-points.ts';

const rectangle = (left: number, top: number, right: number, bottom: number, change: Partial<DrawnAnnotation> = {}): DrawnAnnotation => ({
  annotationUID: 'r', metadata: { toolName: 'RectangleROI', referencedImageId: 'image:a' },
  data: { handles: { points: [[left, top, 0], [right, top, 0], [left, bottom, 0], [right, bottom, 0]] } }, ...change,
});

function setup(annotations: DrawnAnnotation[], shown = [{ key: 'k', result: points() }]) {
  const onError = jest.fn();
  const surfaces = [surface(shown)];
  return { rois: new RoiCounts({ surfaces: () => surfaces, annotations: () => annotations, onError }), surfaces, onError };
}

describe('counts in regions', () => {
  it('follow a region as it is drawn, in the panel and beside it', () => {
    const annotations = [rectangle(0, 0, 30, 30)];
    const { rois } = setup(annotations);
    expect(rois.look()).toBe(true);
    expect(rois.state.get().rois).toMatchObject([{ annotationUID: 'r', key: 'k', name: 'Rectangle 1', markers: 1, classes: [1, 0], areaPixels: 900 }]);
    const labels = rois.labelsOf('v', 'image:a');
    expect(labels).toMatchObject([{ text: '1 cell: 1 Live, 0 Dead' }]);
    // In the same array while nothing has changed.
    expect(rois.look()).toBe(false);
    expect(rois.labelsOf('v', 'image:a')).toBe(labels);
    annotations[0] = rectangle(0, 0, 60, 60);
    expect(rois.look()).toBe(true);
    expect(rois.state.get().rois[0]).toMatchObject({ markers: 2, classes: [1, 1] });
    annotations.pop();
    rois.look();
    expect(rois.state.get().rois).toEqual([]);
    expect(rois.labelsOf('v', 'image:a')).toEqual([]);
  });

  it('are of regions on the image that is shown, and of no other tool or hidden region', () => {
    const on = (change: Partial<DrawnAnnotation>) => rectangle(0, 0, 99, 79, change);
    const { rois } = setup([
      on({ metadata: { toolName: 'RectangleROI', referencedImageId: 'image:b' } }), on({ isVisible: false }),
      on({ metadata: { toolName: 'Length', referencedImageId: 'image:a' } }),
      on({ metadata: { toolName: 'PlanarFreehandROI', referencedImageId: 'image:a' }, data: { contour: { polyline: [[0, 0, 0], [9, 0, 0], [9, 9, 0]], closed: false } } }),
    ]);
    rois.look();
    expect(rois.state.get().rois).toEqual([]);
    // A label belongs to its image, not to what comes to its viewport.
    expect(rois.labelsOf('v', 'image:b')).toEqual([]);
  });

  it('have cells a mm² of what of the region lies on the picture, and the density\'s sum', () => {
    const result = points({ source: { ...points().source, spacingMm: [0.1, 0.1] }, density: new Float32Array(2 * 100 * 80).fill(0.01) });
    const { rois } = setup([rectangle(-50, -50, 50, 40)], [{ key: 'k', result }]);
    rois.look();
    const [roi] = rois.state.get().rois;
    expect(roi).toMatchObject({ markers: 1, areaPixels: 2000 });
    expect(roi!.areaMm2).toBeCloseTo(20, 9);
    expect(roi!.cellsPerMm2).toBeCloseTo(1 / 20, 9);
    expect(roi!.density).toBeCloseTo(2000 * 2 * 0.01, 3);
    expect(labelText(roi!, ['Cell'])).toBe('1 cell · 0 / mm²');
    expect(labelText({ ...roi!, classes: [1, 0, 0] }, ['Matched', 'Only Tiny count, edited', 'Only Tiny count'])).toBe('1 cell · 0 / mm²\n1 Matched\n0 Only Tiny count, edited\n0 Only Tiny count');
  });

  it('say when a camera makes no sense, and keep what there was', () => {
    const { rois, surfaces, onError } = setup([rectangle(0, 0, 30, 30)]);
    surfaces[0] = surface([{ key: 'k', result: points() }], { toPage: [0, 0, 0, 0, 0, 0] });
    expect(rois.look()).toBe(false);
    expect(onError).toHaveBeenCalledWith(expect.objectContaining({ code: 'internal' }));
  });
});

test('a plane that is cut in two has as many cells, and as much density, as both parts together', () => {
  const result = points({ density: Float32Array.from({ length: 2 * 100 * 80 }, (_, i) => (i % 7) / 100) });
  const whole = result.density!.reduce((sum, v) => sum + v, 0);
  for (const cut of [0.5, 10.5, 33.2, 50, 50.5, 99]) {
    const parts = [[0, cut], [cut, 100]].map(([left, right]): RoiShape => ({ kind: 'polygon', points: [[left!, 0], [right!, 0], [right!, 80], [left!, 80]] }));
    const [a, b] = parts.map(shape => countInside(result, shape));
    expect(a!.markers + b!.markers).toBe(3);
    expect((a!.density! + b!.density!) / whole).toBeCloseTo(1, 6);
    expect(a!.areaPixels + b!.areaPixels).toBeCloseTo(8000, 6);
  }
});

test('the pixels of a shape are those whose middle lies inside', () => {
  const shapes: RoiShape[] = [
    { kind: 'polygon', points: [[2.3, 1.1], [17.8, 4.2], [9.9, 6.4], [14.2, 18.9], [3.3, 12.5]] },
    { kind: 'polygon', points: [[-5, -5], [30, -4], [8, 40]] },
  ];
  for (const shape of shapes) {
    const mask = new Uint8Array(400);
    for (const [row, from, to] of spansOf(shape, 20, 20)) mask.fill(1, row * 20 + from, row * 20 + to);
    expect([...mask]).toEqual([...mask].map((_, i) => Number(contains(shape, (i % 20) + 0.5, Math.floor(i / 20) + 0.5))));
  }
});
