import type { Region } from '../image/tiles.ts';
import { splitInstances, statistics, type InstanceRule, type SizeStatistics } from './instances.ts';

/** A mask too large to be in memory, read piece by piece. */
export interface LabelPlane {
  readonly columns: number;
  readonly rows: number;
  /** Labels of a region inside the plane, row by row; 0 where nothing is known. Undefined where all are 0. */
  read(region: Region): Uint8Array | undefined;
}

/** An object of a plane. */
export interface PlaneObject {
  /** Its mean place; the centre of the plane's first pixel is 0. */
  readonly x: number;
  readonly y: number;
  readonly pixels: number;
}

/** The objects of a mask that was never whole. */
export interface ObjectCount {
  readonly count: number;
  /** Of `count`, those that the plane's border may have cut. */
  readonly atBorder: number;
  /** Of `count`, those that reach as far as was looked: what they are beyond it is not known. */
  readonly cut: number;
  readonly sizes?: SizeStatistics;
}

export interface BlockOptions {
  readonly rule: InstanceRule;
  readonly onObject?: (object: PlaneObject) => void;
  /** Pixels of a block's side. */
  readonly block?: number;
  /** Pixels around it that are looked at too: more than an object and what touches it have. */
  readonly halo?: number;
}

const BLOCK = 1024;
const HALO = 128;

/**
 * The objects of a large mask, block by block with the memory of one: as `splitInstances` finds them on the whole, for
 * objects that, with all others that they touch, are no larger than the halo. An object counts in the block that has its
 * first pixel; every block that shows all of it finds the same one.
 * @returns yields after each block how many blocks are done, of how many; so its user may breathe
 */
export function* countInstances(plane: LabelPlane, { rule, onObject, block = BLOCK, halo = HALO }: BlockOptions): Generator<readonly [done: number, of: number], ObjectCount> {
  const { columns, rows } = plane;
  const [across, down] = [Math.ceil(columns / block), Math.ceil(rows / block)];
  const sizes: number[] = [];
  let [atBorder, cut] = [0, 0];
  for (let n = 0; n < across * down; n++) {
    const [left, top] = [(n % across) * block, Math.floor(n / across) * block];
    const core = { x: left, y: top, columns: Math.min(block, columns - left), rows: Math.min(block, rows - top) };
    const window = around(core, halo, plane);
    const labels = plane.read(window);
    if (labels) {
      for (const object of objectsOf(labels, window, rule)) {
        if (!contains(core, object.firstX, object.firstY)) continue;
        sizes.push(object.pixels);
        const reaches = (x: number, y: number, toX: number, toY: number) => object.left === x || object.top === y || object.right === toX - 1 || object.bottom === toY - 1;
        if (reaches(0, 0, columns, rows)) atBorder++;
        const inner = (edge: number, border: number) => (edge === border ? -1 : edge);
        if (reaches(inner(window.x, 0), inner(window.y, 0), inner(window.x + window.columns, columns), inner(window.y + window.rows, rows))) cut++;
        onObject?.({ x: object.sumX / object.pixels, y: object.sumY / object.pixels, pixels: object.pixels });
      }
    }
    yield [n + 1, across * down];
  }
  return { count: sizes.length, atBorder, cut, ...(sizes.length > 0 && { sizes: statistics(sizes) }) };
}

interface Found {
  readonly firstX: number;
  readonly firstY: number;
  pixels: number;
  sumX: number;
  sumY: number;
  left: number;
  top: number;
  right: number;
  bottom: number;
}

function objectsOf(labels: Uint8Array, { x: left, y: top, columns }: Region, rule: InstanceRule): Found[] {
  const { labels: numbers } = splitInstances(labels, columns, rule);
  const found: Found[] = [];
  for (let i = 0; i < numbers.length; i++) {
    const number = numbers[i]!;
    if (number === 0) continue;
    const [x, y] = [left + (i % columns), top + Math.floor(i / columns)];
    const object = (found[number - 1] ??= { firstX: x, firstY: y, pixels: 0, sumX: 0, sumY: 0, left: x, top: y, right: x, bottom: y });
    object.pixels++;
    object.sumX += x;
    object.sumY += y;
    object.left = Math.min(object.left, x);
    object.right = Math.max(object.right, x);
    object.bottom = y;
  }
  return found;
}

function around({ x, y, columns, rows }: Region, halo: number, plane: LabelPlane): Region {
  const [left, top] = [Math.max(0, x - halo), Math.max(0, y - halo)];
  return { x: left, y: top, columns: Math.min(plane.columns, x + columns + halo) - left, rows: Math.min(plane.rows, y + rows + halo) - top };
}

function contains({ x, y, columns, rows }: Region, u: number, v: number): boolean {
  return u >= x && v >= y && u < x + columns && v < y + rows;
}
