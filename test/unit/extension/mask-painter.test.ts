import { MaskPainter, outlineOf } from '../../../extension/overlays/mask-painter.ts';
import { image, result, source } from './made.ts';

const lines = (labels: number[], columns: number, rows: number, label = 1) => {
  const edges = outlineOf(labels, columns, rows, label);
  return Array.from({ length: edges.length / 4 }, (_, i) => [...edges.subarray(4 * i, 4 * i + 4)].join(' ')).sort();
};

describe('the outline', () => {
  test('runs along the edges of pixels, in lines as long as they are straight', () => {
    expect(lines([0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0], 4, 3)).toEqual(['1 1 1 2', '1 1 3 1', '1 2 3 2', '3 1 3 2']);
  });

  test('closes at the side of the picture, and goes around each label by itself', () => {
    expect(lines([1, 2], 2, 1)).toEqual(['0 0 0 1', '0 0 1 0', '0 1 1 1', '1 0 1 1']);
    expect(lines([1, 2], 2, 1, 2)).toEqual(['1 0 1 1', '1 0 2 0', '1 1 2 1', '2 0 2 1']);
    expect(lines([0, 0], 2, 1)).toEqual([]);
  });

  test('goes around a hole', () => {
    expect(lines([1, 1, 1, 1, 0, 1, 1, 1, 1], 3, 3)).toHaveLength(8);
  });
});

test('a mask is drawn through the camera, its line as wide at every zoom', () => {
  const labels = Uint8Array.of(1, 0, 0, 0);
  const painter = new MaskPainter(result(image(source('a')), { labels }), 0, {} as Document);
  const calls: string[] = [];
  const context = new Proxy({} as Record<string, unknown>, {
    get: (_, name: string) => (...args: unknown[]) => calls.push(`${name} ${args.join(' ')}`),
    set: (_, name: string, value) => calls.push(`${name}=${value}`) > 0,
  });
  painter.paint(context as unknown as CanvasRenderingContext2D, [3, 0, 0, 3, 5, 7], 2, { style: 'outline', opacity: 0.8 });
  expect(calls).toContain('lineWidth=5');
  expect(calls.indexOf('setTransform 3 0 0 3 5 7')).toBeLessThan(calls.indexOf('moveTo 0 0'));
  // The camera is taken off before the line is drawn.
  expect(calls.indexOf('resetTransform ')).toBeLessThan(calls.indexOf('stroke '));
  expect(calls).not.toContain('drawImage');
});
