import type { Region } from '../../src/image/tiles.ts';
import type { Rgba } from '../types/segmentation.ts';
import type { MaskPart } from './mask.ts';
import { forEachStretch } from './runs.ts';

/** Cells of a sheet's side that are drawn. */
export const SHEET_CELLS = 512;
/** Cells around them that are known too: what makes an outline may lie on the next sheet. */
export const APRON = 2;
/** A sheet's side in its arrays. */
export const SHEET_SIDE = SHEET_CELLS + 2 * APRON;
/** An outline's width, in cells; at most the apron's. */
const LINE = 2;
/** The largest number of plane pixels along a cell's side: its square is what a count must hold. */
export const LARGEST_STEP = 128;

/** What of a mask is drawn in which colour; opacities are 0..1. */
export interface SheetLook {
  readonly colors: ReadonlyMap<number, Rgba>;
  readonly line: number;
  readonly fill: number;
}

/**
 * A square of a mask at a resolution: how many pixels of each cell have which label. Each cell is `step` × `step` pixels
 * of the plane.
 */
export class Sheet {
  readonly step: number;
  /** The plane's pixels that it knows, the apron's too; it may reach over the plane. */
  readonly knows: Region;
  readonly #counts = new Map<number, Uint16Array>();

  /** @param column which sheet, counted along a row of sheets of this step; `row` down */
  constructor(step: number, readonly column: number, readonly row: number) {
    this.step = step;
    const side = SHEET_SIDE * step;
    this.knows = { x: (column * SHEET_CELLS - APRON) * step, y: (row * SHEET_CELLS - APRON) * step, columns: side, rows: side };
  }

  /** Adds what a part has in here. To replace a part, the sheet has to be made anew. */
  add({ region, runs }: MaskPart): void {
    const { step, knows } = this;
    const [left, top] = [region.x - knows.x, region.y - knows.y];
    forEachStretch(runs, region, (label, row, from, to) => {
      const y = top + row;
      if (y < 0 || y >= knows.rows) return;
      const end = Math.min(knows.columns, left + to);
      let x = Math.max(0, left + from);
      if (x >= end) return;
      const counts = this.#of(label);
      const line = Math.floor(y / step) * SHEET_SIDE;
      for (let cell = Math.floor(x / step); x < end; cell++) {
        const next = Math.min(end, (cell + 1) * step);
        counts[line + cell]! += next - x;
        x = next;
      }
    });
  }

  /**
   * Red, green, blue, alpha of every cell, apron and all. A cell of which a part has a label is as opaque as that part is
   * large; the inside of what is larger than its outline has the fill's opacity.
   */
  paint({ colors, line, fill }: SheetLook, into: Uint8ClampedArray): void {
    into.fill(0);
    const whole = this.step ** 2;
    const cells = SHEET_SIDE ** 2;
    for (const [label, counts] of this.#counts) {
      const [red, green, blue] = colors.get(label) ?? [255, 255, 255];
      const inner = line === fill ? undefined : insides(counts, whole / 2);
      for (let i = 0; i < cells; i++) {
        const count = counts[i]!;
        if (count === 0) continue;
        const alpha = (count / whole) * 255 * (inner?.[i] === 1 ? fill : line);
        const at = i * 4;
        const before = into[at + 3]!;
        // Parts of a cell lie beside each other, not over each other: their shares add up.
        const share = alpha / (alpha + before || 1);
        into[at] = red * share + into[at]! * (1 - share);
        into[at + 1] = green * share + into[at + 1]! * (1 - share);
        into[at + 2] = blue * share + into[at + 2]! * (1 - share);
        into[at + 3] = alpha + before;
      }
    }
  }

  /**
   * The borders between pixels of a label and all others, on a sheet of step 1: stretches [x1, y1, x2, y2] in pixels of the
   * plane, from pixel corner to pixel corner.
   */
  borders(): ReadonlyMap<number, readonly number[]> {
    return new Map([...this.#counts].map(([label, counts]) => [label, this.#bordersOf(counts)]));
  }

  #bordersOf(counts: Uint16Array): number[] {
    const { x: x0, y: y0 } = this.knows;
    const out: number[] = [];
    const end = APRON + SHEET_CELLS;
    // A border belongs to the sheet of the cell after it.
    const along = (stride: number, across: number, push: (line: number, from: number, to: number) => void) => {
      for (let line = APRON; line < end; line++) {
        let from = -1;
        for (let i = APRON; i <= end; i++) {
          const at = line * across + i * stride;
          const border = i < end && (counts[at]! > 0) !== (counts[at - across]! > 0);
          if (border && from < 0) from = i;
          if (!border && from >= 0) {
            push(line, from, i);
            from = -1;
          }
        }
      }
    };
    along(1, SHEET_SIDE, (line, from, to) => out.push(x0 + from, y0 + line, x0 + to, y0 + line));
    along(SHEET_SIDE, 1, (line, from, to) => out.push(x0 + line, y0 + from, x0 + line, y0 + to));
    return out;
  }

  #of(label: number): Uint16Array {
    const known = this.#counts.get(label);
    if (known) return known;
    const counts = new Uint16Array(SHEET_SIDE ** 2);
    this.#counts.set(label, counts);
    return counts;
  }
}

/** 1 where a cell and all within a line's width of it have at least `least`. */
function insides(counts: Uint16Array, least: number): Uint8Array {
  const across = new Uint8Array(counts.length);
  const out = new Uint8Array(counts.length);
  // How many cells in a row have enough, up to here: 2 · LINE + 1 of them make the middle one an inner one.
  const wanted = 2 * LINE + 1;
  for (let y = 0; y < SHEET_SIDE; y++) {
    for (let x = 0, run = 0; x < SHEET_SIDE; x++) {
      const at = y * SHEET_SIDE + x;
      run = counts[at]! >= least ? run + 1 : 0;
      if (run >= wanted) across[at - LINE] = 1;
    }
  }
  for (let x = 0; x < SHEET_SIDE; x++) {
    for (let y = 0, run = 0; y < SHEET_SIDE; y++) {
      const at = y * SHEET_SIDE + x;
      run = across[at] === 1 ? run + 1 : 0;
      if (run >= wanted) out[at - LINE * SHEET_SIDE] = 1;
    }
  }
  return out;
}

/** As many of the plane's pixels along a cell's side as give each at least half a pixel of the screen: a power of two. */
export function stepFor(planePixelsPerScreenPixel: number): number {
  const step = 2 ** Math.floor(Math.log2(Math.max(1, planePixelsPerScreenPixel)));
  return Math.min(LARGEST_STEP, step);
}

/** Columns and rows of the sheets that have a region's pixels, from the first to the one after the last. */
export function sheetsOver({ x, y, columns, rows }: Region, step: number): { readonly columns: readonly [number, number]; readonly rows: readonly [number, number] } {
  const side = SHEET_CELLS * step;
  return {
    columns: [Math.floor(x / side), Math.ceil((x + columns) / side)],
    rows: [Math.floor(y / side), Math.ceil((y + rows) / side)],
  };
}

export function overlaps(a: Region, b: Region): boolean {
  return a.x < b.x + b.columns && b.x < a.x + a.columns && a.y < b.y + b.rows && b.y < a.y + a.rows;
}
