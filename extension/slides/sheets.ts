import type { MaskChange, MaskPart, SlideMask } from './mask.ts';
import { APRON, overlaps, Sheet, SHEET_CELLS, SHEET_SIDE, type SheetLook } from './sheet.ts';

/** About 2 MB each, with what they count: enough for a large screen at one step, and for the step before. */
const KEPT_SHEETS = 48;

/** A sheet with the picture that is made of it. */
export interface DrawnSheet {
  readonly sheet: Sheet;
  readonly canvas: HTMLCanvasElement;
  /** Parts that have still to be added. */
  todo: MaskPart[];
  /** What the picture was made with; absent when it does not show all that the sheet knows. */
  look?: SheetLook;
  borders?: ReadonlyMap<number, Path2D>;
}

/**
 * The sheets of one mask that are or were on screen, made when they are wanted and kept in step with the mask. The one
 * that was not used for longest goes first.
 */
export class MaskSheets {
  readonly mask: SlideMask;
  readonly #document: Document;
  /** In the order of their last use. */
  readonly #sheets = new Map<string, DrawnSheet>();
  readonly #unsubscribe: () => void;

  /** @param onChange hears when the mask has changed and what is drawn is old */
  constructor(mask: SlideMask, document: Document, onChange: () => void) {
    this.mask = mask;
    this.#document = document;
    this.#unsubscribe = mask.subscribe(change => {
      this.#follow(change);
      onChange();
    });
  }

  /** @param make false answers undefined for a sheet that is not there */
  at(step: number, column: number, row: number, make: boolean): DrawnSheet | undefined {
    const key = `${step} ${column} ${row}`;
    const known = this.#sheets.get(key) ?? (make ? this.#make(step, column, row) : undefined);
    if (!known) return undefined;
    this.#sheets.delete(key);
    this.#sheets.set(key, known);
    return known;
  }

  /** Adds what is to do, and paints, until the time is over; at least one part is added, so that it ends. */
  work(sheets: readonly DrawnSheet[], look: SheetLook, untilMs: number): void {
    for (const drawn of sheets) {
      while (drawn.todo.length > 0) {
        drawn.sheet.add(drawn.todo.pop()!);
        drawn.look = undefined;
        drawn.borders = undefined;
        if (performance.now() > untilMs) break;
      }
      if (drawn.look !== look) this.#paint(drawn, look);
      if (performance.now() > untilMs) return;
    }
  }

  bordersOf(drawn: DrawnSheet): ReadonlyMap<number, Path2D> {
    drawn.borders ??= new Map([...drawn.sheet.borders()].map(([label, lines]) => {
      const path = new Path2D();
      for (let i = 0; i < lines.length; i += 4) {
        path.moveTo(lines[i]!, lines[i + 1]!);
        path.lineTo(lines[i + 2]!, lines[i + 3]!);
      }
      return [label, path];
    }));
    return drawn.borders;
  }

  /** Lets go of all but what is wanted now. */
  trim(wanted: number): void {
    const kept = Math.max(KEPT_SHEETS, 2 * wanted);
    for (const key of this.#sheets.keys()) {
      if (this.#sheets.size <= kept) return;
      this.#sheets.delete(key);
    }
  }

  dispose(): void {
    this.#unsubscribe();
    this.#sheets.clear();
  }

  #make(step: number, column: number, row: number): DrawnSheet {
    const sheet = new Sheet(step, column, row);
    const canvas = this.#document.createElement('canvas');
    canvas.width = canvas.height = SHEET_CELLS;
    return { sheet, canvas, todo: [...this.mask.parts.values()].filter(({ region }) => overlaps(region, sheet.knows)) };
  }

  #paint(drawn: DrawnSheet, look: SheetLook): void {
    drawn.look = look;
    if (look.line === 0 && look.fill === 0) return;
    const context = drawn.canvas.getContext('2d')!;
    const picture = new ImageData(SHEET_SIDE, SHEET_SIDE);
    drawn.sheet.paint(look, picture.data);
    context.putImageData(picture, -APRON, -APRON);
  }

  #follow({ part, replaces }: MaskChange): void {
    if (!part) return;
    for (const [key, drawn] of this.#sheets) {
      if (!overlaps(part.region, drawn.sheet.knows)) continue;
      if (replaces) this.#sheets.delete(key);
      else drawn.todo.push(part);
    }
  }
}
