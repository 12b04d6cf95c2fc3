import { apply } from '../overlays/affine.ts';
import type { CanvasTransform } from '../overlays/heatmap-placement.ts';

export type Point = readonly [x: number, y: number];

/**
 * The inside of a region that a user drew, in coordinates on the image: (0, 0) is the outer corner of the first pixel,
 * half a pixel before its centre. An ellipse is its centre and two radii that need not be at right angles.
 */
export type RoiShape =
  | { readonly kind: 'polygon'; readonly points: readonly Point[] }
  | { readonly kind: 'ellipse'; readonly centre: Point; readonly radii: readonly [Point, Point] };

/** What is read of an annotation of Cornerstone's. */
export interface DrawnRoi {
  readonly toolName: string;
  /** Its handles, as the camera shows them. */
  readonly handles: readonly Point[];
  /** Of the tools that draw contours. */
  readonly contour?: { readonly points: readonly Point[]; readonly closed: boolean };
}

/** Tools of Cornerstone that enclose an area. */
export const ROI_TOOLS: readonly string[] = ['RectangleROI', 'EllipticalROI', 'CircleROI', 'PlanarFreehandROI', 'SplineROI', 'LivewireContour', 'RectangleROIThreshold'];

/**
 * The shape of an annotation on the image.
 * @param drawn as the camera shows it, which keeps angles: a circle has its handles only there
 * @param toImage from where it is drawn to the image
 * @returns undefined where it encloses nothing, or not yet: an open contour, a line
 */
export function shapeOf({ toolName, handles, contour }: DrawnRoi, toImage: CanvasTransform): RoiShape | undefined {
  const at = ([x, y]: Point) => apply(toImage, x, y);
  if (contour) return contour.closed && contour.points.length >= 3 ? { kind: 'polygon', points: contour.points.map(at) } : undefined;
  if (toolName.startsWith('Rectangle') && handles.length >= 4) {
    const [a, b, c, d] = handles as readonly [Point, Point, Point, Point];
    return { kind: 'polygon', points: [a, b, d, c].map(at) };
  }
  if (toolName === 'EllipticalROI' && handles.length >= 4) {
    const [bottom, top, left, right] = handles.map(at) as unknown as readonly [Point, Point, Point, Point];
    return ellipse([(left[0] + right[0]) / 2, (left[1] + right[1]) / 2], half(bottom, top), half(left, right));
  }
  if (toolName === 'CircleROI' && handles.length >= 2) {
    const [centre, edge] = handles as readonly [Point, Point];
    const [dx, dy] = [edge[0] - centre[0], edge[1] - centre[1]];
    const from = at(centre);
    const radius = (x: number, y: number): Point => {
      const [px, py] = at([centre[0] + x, centre[1] + y]);
      return [px - from[0], py - from[1]];
    };
    return ellipse(from, radius(dx, dy), radius(-dy, dx));
  }
  return undefined;
}

/** Whether a place is inside. Of a border that two shapes share, every place is in one of them. */
export function contains(shape: RoiShape, x: number, y: number): boolean {
  if (shape.kind === 'ellipse') {
    const { centre, radii: [u, v] } = shape;
    const whole = u[0] * v[1] - u[1] * v[0];
    const [dx, dy] = [x - centre[0], y - centre[1]];
    const [s, t] = [(dx * v[1] - dy * v[0]) / whole, (u[0] * dy - u[1] * dx) / whole];
    return s * s + t * t <= 1;
  }
  const { points } = shape;
  let inside = false;
  for (let i = 0, j = points.length - 1; i < points.length; j = i++) {
    const [[ax, ay], [bx, by]] = [points[i]!, points[j]!];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
  }
  return inside;
}

/** The smallest window that holds the shape: left, top, right, bottom. */
export function boundsOf(shape: RoiShape): readonly [number, number, number, number] {
  if (shape.kind === 'ellipse') {
    const { centre: [x, y], radii: [u, v] } = shape;
    const [across, down] = [Math.hypot(u[0], v[0]), Math.hypot(u[1], v[1])];
    return [x - across, y - down, x + across, y + down];
  }
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [x, y] of shape.points) {
    left = Math.min(left, x);
    right = Math.max(right, x);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y);
  }
  return [left, top, right, bottom];
}

/** Corners of the polygon that stands for an ellipse where pixels are summed, and where the image's border cuts it; its area is 0.03 % too small. */
const ELLIPSE_CORNERS = 144;

/** The area of what of the shape lies on an image of this size, in pixels. */
export function areaOn(shape: RoiShape, columns: number, rows: number): number {
  const [left, top, right, bottom] = boundsOf(shape);
  const whole = left >= 0 && top >= 0 && right <= columns && bottom <= rows;
  if (shape.kind === 'ellipse' && whole) {
    const [u, v] = shape.radii;
    return Math.PI * Math.abs(u[0] * v[1] - u[1] * v[0]);
  }
  const corners = cornersOf(shape);
  return areaOfPolygon(whole ? corners : clip(corners, columns, rows));
}

/** The pixels of an image whose centre lies inside, row by row: from a column up to, and without, another. */
export function* spansOf(shape: RoiShape, columns: number, rows: number): Generator<readonly [row: number, from: number, to: number]> {
  const corners = cornersOf(shape);
  const [, top, , bottom] = boundsOf(shape);
  for (let row = Math.max(0, Math.floor(top - 0.5)); row < Math.min(rows, Math.ceil(bottom)); row++) {
    const y = row + 0.5;
    const crossings: number[] = [];
    for (let i = 0, j = corners.length - 1; i < corners.length; j = i++) {
      const [[ax, ay], [bx, by]] = [corners[i]!, corners[j]!];
      if (ay > y !== by > y) crossings.push(((bx - ax) * (y - ay)) / (by - ay) + ax);
    }
    crossings.sort((a, b) => a - b);
    for (let i = 0; i + 1 < crossings.length; i += 2) {
      const [from, to] = [Math.max(0, Math.ceil(crossings[i]! - 0.5)), Math.min(columns, Math.ceil(crossings[i + 1]! - 0.5))];
      if (to > from) yield [row, from, to];
    }
  }
}

/** Those of a polygon; of an ellipse, the ones that stand for it. */
function cornersOf(shape: RoiShape): readonly Point[] {
  if (shape.kind === 'polygon') return shape.points;
  const { centre, radii: [u, v] } = shape;
  return Array.from({ length: ELLIPSE_CORNERS }, (_, i): Point => {
    const angle = (2 * Math.PI * i) / ELLIPSE_CORNERS;
    const [s, t] = [Math.cos(angle), Math.sin(angle)];
    return [centre[0] + s * u[0] + t * v[0], centre[1] + s * u[1] + t * v[1]];
  });
}

function ellipse(centre: Point, u: Point, v: Point): RoiShape | undefined {
  return Math.abs(u[0] * v[1] - u[1] * v[0]) > 1e-9 ? { kind: 'ellipse', centre, radii: [u, v] } : undefined;
}

function half(a: Point, b: Point): Point {
  return [(b[0] - a[0]) / 2, (b[1] - a[1]) / 2];
}

function areaOfPolygon(points: readonly Point[]): number {
  let twice = 0;
  for (let i = 0, j = points.length - 1; i < points.length; j = i++) twice += points[j]![0] * points[i]![1] - points[i]![0] * points[j]![1];
  return Math.abs(twice) / 2;
}

/** Sutherland and Hodgman (1974): what of a polygon lies in the window [0, columns] × [0, rows], with its area right for concave ones too. */
function clip(points: readonly Point[], columns: number, rows: number): readonly Point[] {
  const sides: readonly (readonly [axis: 0 | 1, sign: 1 | -1, at: number])[] = [[0, 1, 0], [0, -1, columns], [1, 1, 0], [1, -1, rows]];
  let left = points;
  for (const [axis, sign, at] of sides) {
    const inside = (point: Point) => sign * (point[axis] - at) >= 0;
    const out: Point[] = [];
    for (let i = 0, j = left.length - 1; i < left.length; j = i++) {
      const [from, to] = [left[j]!, left[i]!];
      if (inside(from) !== inside(to)) {
        const share = (at - from[axis]) / (to[axis] - from[axis]);
        out.push([from[0] + share * (to[0] - from[0]), from[1] + share * (to[1] - from[1])]);
      }
      if (inside(to)) out.push(to);
    }
    left = out;
  }
  return left;
}
