import fc from 'fast-check';
import { areaOn, boundsOf, contains, shapeOf, type Point, type RoiShape } from '../../extension/counting/roi-shape.ts';
import { apply, compose, invert } from '../../extension/overlays/affine.ts';
import type { CanvasTransform } from '../../extension/overlays/heatmap-placement.ts';

const coordinate = fc.double({ min: -200, max: 400, noNaN: true });
const point = fc.tuple(coordinate, coordinate);
/** A camera that keeps angles, on an image whose pixels need not be square. */
const camera = fc.record({
  zoom: fc.double({ min: 0.1, max: 20, noNaN: true }), angle: fc.double({ min: 0, max: 7, noNaN: true }), flip: fc.boolean(),
  x: coordinate, y: coordinate, aspect: fc.double({ min: 0.4, max: 2.5, noNaN: true }),
}).map(({ zoom, angle, flip, x, y, aspect }): CanvasTransform => {
  const [c, s] = [zoom * Math.cos(angle), zoom * Math.sin(angle)];
  return compose([c, s, flip ? s : -s, flip ? -c : c, x, y], [aspect, 0, 0, 1, 0, 0]);
});
const at = (transform: CanvasTransform) => ([x, y]: Point): Point => apply(transform, x, y);
/** How far a place is from a line through two others. */
const offLine = ([x, y]: Point, [ax, ay]: Point, [bx, by]: Point) => Math.abs((bx - ax) * (y - ay) - (by - ay) * (x - ax)) / Math.max(1e-9, Math.hypot(bx - ax, by - ay));

describe('the regions that a user draws', () => {
  test('a camera and its inverse give every place back', () => {
    fc.assert(fc.property(camera, point, (toCanvas, p) => {
      const [x, y] = apply(invert(toCanvas), ...apply(toCanvas, ...p));
      expect(Math.hypot(x - p[0], y - p[1])).toBeLessThan(1e-6);
    }));
  });

  test('a rectangle has what lies between its corners, whichever handle is where and however the image is turned', () => {
    fc.assert(fc.property(camera, point, point, point, (toCanvas, a, b, p) => {
      // Drawn upright on screen, as Cornerstone draws it: first, across, down, opposite.
      const [ca, cb] = [a, b].map(at(toCanvas)) as [Point, Point];
      const handles: Point[] = [ca, [cb[0], ca[1]], [ca[0], cb[1]], cb];
      const shape = shapeOf({ toolName: 'RectangleROI', handles }, invert(toCanvas))!;
      const [x, y] = apply(toCanvas, ...p);
      const between = (v: number, s: number, t: number) => Math.min(s, t) < v && v < Math.max(s, t);
      fc.pre([ca[0] - x, cb[0] - x, ca[1] - y, cb[1] - y].every(away => Math.abs(away) > 1e-6));
      expect(contains(shape, ...p)).toBe(between(x, ca[0], cb[0]) && between(y, ca[1], cb[1]));
    }));
  });

  test('a circle is round on screen, whatever the pixels are', () => {
    fc.assert(fc.property(camera, point, point, point, (toCanvas, centre, edge, p) => {
      const handles = [centre, edge].map(at(toCanvas));
      const shape = shapeOf({ toolName: 'CircleROI', handles }, invert(toCanvas));
      const distance = (to: Point) => Math.hypot(to[0] - handles[0]![0], to[1] - handles[0]![1]);
      const [radius, away] = [distance(handles[1]!), distance(apply(toCanvas, ...p))];
      fc.pre(shape !== undefined && radius > 0.5 && Math.abs(away / radius - 1) > 1e-6);
      expect(contains(shape!, ...p)).toBe(away < radius);
      // Its area on the image, by the camera's.
      const [a, b, c, d] = toCanvas;
      const [left, top, right, bottom] = boundsOf(shape!);
      const moved: RoiShape = shape!.kind === 'ellipse' ? { ...shape!, centre: [shape!.centre[0] - left + 1e-6, shape!.centre[1] - top + 1e-6] } : shape!;
      expect(areaOn(moved, right - left + 2e-6, bottom - top + 2e-6) / ((Math.PI * radius ** 2) / Math.abs(a * d - b * c))).toBeCloseTo(1, 6);
    }));
  });

  test('an ellipse has its handles on its border, and every place on the way to its middle', () => {
    fc.assert(fc.property(camera, point, fc.double({ min: 2, max: 90, noNaN: true }), fc.double({ min: 2, max: 90, noNaN: true }), fc.double({ min: 0, max: 7, noNaN: true }), fc.double({ min: 0, max: 0.999, noNaN: true }), (toCanvas, [x, y], across, down, angle, share) => {
      const [c, s] = [Math.cos(angle), Math.sin(angle)];
      const on = (u: number, v: number): Point => [x + u * c - v * s, y + u * s + v * c];
      const handles = [on(0, down), on(0, -down), on(-across, 0), on(across, 0)].map(at(toCanvas));
      const shape = shapeOf({ toolName: 'EllipticalROI', handles }, invert(toCanvas))!;
      for (const angleOn of [0, 0.7, 2, 3.9, 5.5]) {
        const [u, v] = [across * Math.cos(angleOn), down * Math.sin(angleOn)];
        expect(contains(shape, ...on(share * u, share * v))).toBe(true);
        expect(contains(shape, ...on(1.001 * u, 1.001 * v))).toBe(false);
      }
    }));
  });

  test('what a straight cut parts is counted once: in one half or in the other', () => {
    const star = fc.array(fc.double({ min: 5, max: 90, noNaN: true }), { minLength: 4, maxLength: 24 });
    fc.assert(fc.property(star, fc.array(fc.tuple(fc.integer({ min: -100, max: 100 }), fc.integer({ min: -100, max: 100 })), { minLength: 1, maxLength: 60 }), (radii, places) => {
      const points = radii.map((r, i): Point => [r * Math.cos((2 * Math.PI * i) / radii.length), r * Math.sin((2 * Math.PI * i) / radii.length)]);
      const middle = Math.ceil(points.length / 2);
      const whole: RoiShape = { kind: 'polygon', points };
      // Cut from the first corner over the middle to the one half around.
      const halves: RoiShape[] = [
        { kind: 'polygon', points: [...points.slice(0, middle + 1), [0, 0]] },
        { kind: 'polygon', points: [...points.slice(middle), points[0]!, [0, 0]] },
      ];
      const sum = (shape: RoiShape) => places.filter(p => contains(shape, ...p)).length;
      expect(sum(halves[0]!) + sum(halves[1]!)).toBe(sum(whole));
    }));
  });

  const corner = fc.tuple(fc.double({ min: -20, max: 60, noNaN: true }), fc.double({ min: -20, max: 50, noNaN: true }));
  test('the area on the image is that of what is inside, counted on a fine grid', () => {
    fc.assert(fc.property(corner, corner, corner, fc.boolean(), (a, b, c, asEllipse) => {
      const flat = offLine(a, b, c) < 3;
      fc.pre(!flat && offLine(b, a, c) >= 3 && offLine(c, a, b) >= 3);
      const shape: RoiShape = asEllipse
        ? { kind: 'ellipse', centre: a, radii: [[(b[0] - a[0]) / 2, (b[1] - a[1]) / 2], [(c[0] - a[0]) / 2, (c[1] - a[1]) / 2]] }
        : { kind: 'polygon', points: [a, b, c] };
      const step = 0.25;
      let grid = 0;
      for (let y = step / 2; y < 30; y += step) for (let x = step / 2; x < 40; x += step) grid += Number(contains(shape, x, y)) * step * step;
      const [left, top, right, bottom] = boundsOf(shape);
      const border = 2 * (right - left + bottom - top);
      expect(Math.abs(areaOn(shape, 40, 30) - grid)).toBeLessThan(step * border);
    }), { numRuns: 60 });
  });

  test('an open contour, a line and a point enclose nothing', () => {
    const identity: CanvasTransform = [1, 0, 0, 1, 0, 0];
    const triangle: Point[] = [[0, 0], [9, 0], [0, 9]];
    expect(shapeOf({ toolName: 'PlanarFreehandROI', handles: [], contour: { points: triangle, closed: false } }, identity)).toBeUndefined();
    expect(contains(shapeOf({ toolName: 'PlanarFreehandROI', handles: [], contour: { points: triangle, closed: true } }, identity)!, 2, 2)).toBe(true);
    expect(shapeOf({ toolName: 'Length', handles: triangle.slice(0, 2) }, identity)).toBeUndefined();
    expect(shapeOf({ toolName: 'CircleROI', handles: [[3, 3], [3, 3]] }, identity)).toBeUndefined();
  });
});
