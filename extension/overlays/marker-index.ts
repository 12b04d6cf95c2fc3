import KDBush from 'kdbush';

/** What an index is made of: as in a result of points. */
export interface Markers {
  /** [x0, y0, x1, y1, …] in index coordinates: a pixel's centre is a whole number. */
  readonly coordinates: Float32Array;
  readonly classOf: Uint8Array;
}

/** Markers that lie close together, as one. */
export interface Cluster {
  /** The mean of its markers, in index coordinates. */
  readonly x: number;
  readonly y: number;
  readonly count: number;
  /** Markers of each class. */
  readonly byClass: Uint32Array;
}

/** So many grids of clusters are kept; each is of another zoom. */
const KEPT_GRIDS = 4;

/** Finds markers by place: the ones in a window, the one under the pointer, and those that are to be drawn as one. */
export class MarkerIndex {
  readonly markers: Markers;
  readonly #classes: number;
  readonly #tree: KDBush;
  readonly #grids = new Map<number, readonly Cluster[]>();

  constructor(markers: Markers, classes: number) {
    this.markers = markers;
    this.#classes = classes;
    const { coordinates } = markers;
    this.#tree = new KDBush(coordinates.length / 2, 64, Float32Array);
    for (let i = 0; i < coordinates.length; i += 2) this.#tree.add(coordinates[i]!, coordinates[i + 1]!);
    this.#tree.finish();
  }

  get count(): number {
    return this.markers.classOf.length;
  }

  /** The markers in a window, its borders with it, in no order. */
  within(left: number, top: number, right: number, bottom: number): readonly number[] {
    return this.#tree.range(left, top, right, bottom);
  }

  /** The marker that is nearest to a place and no farther than `reach`; of two as near, the later one. */
  nearest(x: number, y: number, reach: number): number | undefined {
    const { coordinates } = this.markers;
    let best: number | undefined;
    let least = reach * reach;
    for (const i of this.#tree.within(x, y, reach)) {
      const away = (coordinates[2 * i]! - x) ** 2 + (coordinates[2 * i + 1]! - y) ** 2;
      if (away < least || (away === least && (best === undefined || i > best))) [best, least] = [i, away];
    }
    return best;
  }

  /** All markers, one cluster for each square of so many pixels that has any. The squares are tied to the picture. */
  clusters(step: number): readonly Cluster[] {
    const known = this.#grids.get(step);
    if (known) return known;
    const { coordinates, classOf } = this.markers;
    const cells = new Map<number, { x: number; y: number; count: number; byClass: Uint32Array }>();
    for (let i = 0; i < classOf.length; i++) {
      const [x, y] = [coordinates[2 * i]!, coordinates[2 * i + 1]!];
      const key = Math.floor(y / step) * 2 ** 24 + Math.floor(x / step);
      let cell = cells.get(key);
      if (!cell) cells.set(key, (cell = { x: 0, y: 0, count: 0, byClass: new Uint32Array(this.#classes) }));
      cell.x += x;
      cell.y += y;
      cell.count++;
      cell.byClass[classOf[i]!]!++;
    }
    const clusters = [...cells.values()].map(({ x, y, count, byClass }): Cluster => ({ x: x / count, y: y / count, count, byClass }));
    const [oldest] = this.#grids.keys();
    if (this.#grids.size >= KEPT_GRIDS) this.#grids.delete(oldest!);
    this.#grids.set(step, clusters);
    return clusters;
  }
}

const INDEXES = new WeakMap<Markers, MarkerIndex>();

/** The index of a result, which never changes: made when it is first asked for. */
export function markerIndexOf(markers: Markers & { readonly classes: readonly unknown[] }): MarkerIndex {
  let index = INDEXES.get(markers);
  if (!index) INDEXES.set(markers, (index = new MarkerIndex(markers, markers.classes.length)));
  return index;
}
