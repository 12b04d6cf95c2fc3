import type { OverreadError } from '../../src/errors.ts';
import type { Region } from '../../src/image/tiles.ts';
import { joinedGlass, withoutTiles, type GlassTiles } from '../../src/results/tiled-result.ts';
import { emptyRuns, encodeRuns, forEachStretch, type Runs } from './runs.ts';

/** A part of the mask that is there. */
export interface MaskPart {
  readonly region: Region;
  readonly runs: Runs;
}

/** A part that could not be read. */
export interface UnreadPart {
  readonly region: Region;
  readonly error: OverreadError;
}

export interface MaskPlane {
  /** Of the level that was read, in its own pixels. */
  readonly columns: number;
  readonly rows: number;
  /** How many parts the mask is made of; together they cover the plane. */
  readonly tiles: number;
}

/** What a mask tells of itself: a part that came, anew or in place of an earlier one, or that parts are marked otherwise. */
export interface MaskChange {
  readonly part?: MaskPart;
  readonly replaces?: boolean;
}
export type OnChange = (change: MaskChange) => void;

/**
 * A mask of a slide that comes part by part, in any order, and is kept small: a slide of 40,000 × 40,000 pixels would be
 * 1.6 GB of labels.
 */
export class SlideMask {
  readonly plane: MaskPlane;
  readonly #parts = new Map<number, MaskPart>();
  readonly #unread = new Map<number, UnreadPart>();
  #glass: GlassTiles | undefined;
  readonly #listeners = new Set<OnChange>();
  /** Pixels of each label. */
  readonly #pixels = new Map<number, number>();
  #bytes = 0;

  constructor(plane: MaskPlane) {
    this.plane = plane;
  }

  get parts(): ReadonlyMap<number, MaskPart> {
    return this.#parts;
  }

  get unread(): ReadonlyMap<number, UnreadPart> {
    return this.#unread;
  }

  /** What is not read, since it shows nothing but glass; undefined where nobody looked for any. */
  get glass(): GlassTiles | undefined {
    return this.#glass;
  }

  /** Parts that are to be read, those that were among them. */
  get wanted(): number {
    return this.plane.tiles - (this.#glass?.indices.length ?? 0);
  }

  /** Wanted, and neither there nor tried. */
  get missing(): number {
    return this.wanted - this.#parts.size - this.#unread.size;
  }

  /** Of all labels that are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  pixelsOf(label: number): number {
    return this.#pixels.get(label) ?? 0;
  }

  /** @param labels of the region, row by row; a part that was there is replaced */
  put(index: number, region: Region, labels: Uint8Array): void {
    this.putRuns(index, region, encodeRuns(labels));
  }

  /** As {@link put}, of a part that was kept. */
  putRuns(index: number, region: Region, runs: Runs): void {
    const before = this.#parts.get(index);
    const part = { region, runs };
    this.#count(before, -1);
    this.#count(part, 1);
    this.#parts.set(index, part);
    this.#unread.delete(index);
    this.#changed({ part, replaces: before !== undefined });
  }

  /** A part that was read and has no pixel of any label. */
  putEmpty(index: number, region: Region): void {
    const part = { region, runs: emptyRuns(region.columns * region.rows) };
    this.#bytes += part.runs.length;
    this.#parts.set(index, part);
    this.#changed({ part, replaces: false });
  }

  fail(index: number, region: Region, error: OverreadError): void {
    this.#unread.set(index, { region, error });
    this.#changed({});
  }

  /** Says what will not be read, in place of what was said before. What is there already is no such part. */
  leaveOut(glass: GlassTiles | undefined): void {
    this.#glass = glass && withoutTiles(glass, this.#parts);
    this.#changed({});
  }

  /** Forgets what could not be read, so that it is tried again. */
  retry(): void {
    if (this.#unread.size === 0) return;
    this.#unread.clear();
    this.#changed({});
  }

  /** The label of a pixel; undefined where the mask is not there yet. */
  labelAt(x: number, y: number): number | undefined {
    for (const { region, runs } of this.#parts.values()) {
      if (x < region.x || y < region.y || x >= region.x + region.columns || y >= region.y + region.rows) continue;
      let found = 0;
      forEachStretch(runs, region, (label, row, from, to) => {
        if (row === y - region.y && from <= x - region.x && x - region.x < to) found = label;
      });
      return found;
    }
    return undefined;
  }

  /** Labels of a region, row by row, 0 where none are there; undefined where all are 0. */
  labelsIn({ x, y, columns, rows }: Region): Uint8Array | undefined {
    let out: Uint8Array | undefined;
    for (const { region, runs } of this.#parts.values()) {
      if (region.x >= x + columns || region.y >= y + rows || region.x + region.columns <= x || region.y + region.rows <= y) continue;
      forEachStretch(runs, region, (label, row, from, to) => {
        const line = region.y + row - y;
        const [left, right] = [Math.max(0, region.x + from - x), Math.min(columns, region.x + to - x)];
        if (line < 0 || line >= rows || left >= right) return;
        out ??= new Uint8Array(columns * rows);
        out.fill(label, line * columns + left, line * columns + right);
      });
    }
    return out;
  }

  /** What is glass, neighbours along a row as one region. */
  glassRegions(): Region[] {
    return this.#glass ? joinedGlass(this.#glass) : [];
  }

  /** What is there or was tried, neighbours along a row as one region. */
  triedRegions(): Region[] {
    const out: { x: number; y: number; columns: number; rows: number }[] = [];
    const tried = [...this.#parts, ...this.#unread].sort(([a], [b]) => a - b);
    for (const [, { region }] of tried) {
      const last = out.at(-1);
      if (last && last.y === region.y && last.rows === region.rows && last.x + last.columns === region.x) last.columns += region.columns;
      else out.push({ ...region });
    }
    return out;
  }

  /** @returns what ends the subscription */
  subscribe(listener: OnChange): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #count(part: MaskPart | undefined, sign: 1 | -1): void {
    if (!part) return;
    this.#bytes += sign * part.runs.length;
    forEachStretch(part.runs, part.region, (label, _row, from, to) => {
      this.#pixels.set(label, (this.#pixels.get(label) ?? 0) + sign * (to - from));
    });
  }

  #changed(change: MaskChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}
