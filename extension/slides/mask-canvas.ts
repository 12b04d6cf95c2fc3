import type { Region } from '../../src/image/tiles.ts';
import { apply, compose, magnification, scaling } from '../overlays/affine.ts';
import type { CanvasTransform } from '../overlays/heatmap-placement.ts';
import { cssColor } from '../overlays/colors.ts';
import type { OverlayStyle } from '../configuration.ts';
import type { Rgba } from '../types/segmentation.ts';
import { matrixToMap, visibleRegion, type MatrixSize, type SlideMap } from './map.ts';
import type { SlideMask } from './mask.ts';
import { overlaps, SHEET_CELLS, sheetsOver, stepFor, type SheetLook } from './sheet.ts';
import { MaskSheets, type DrawnSheet } from './sheets.ts';

/** One mask over a slide. */
export interface SlideLayer {
  readonly mask: SlideMask;
  /** Pixels of the base level along a row and down a column for one of the mask's plane. */
  readonly scale: readonly [x: number, y: number];
  readonly colors: ReadonlyMap<number, Rgba>;
  readonly style: OverlayStyle;
}

/** Milliseconds that a frame may spend on what is not drawn yet; the rest comes with the next ones. */
const FRAME_MS = 8;
/** From so many screen pixels a mask pixel on, its outline is drawn along the pixels' borders. */
const BORDERS_FROM = 3;
const LINE_CSS = 2;
const HATCH_CSS = 9;
/** A fill gets half of the opacity: at its fullest the tissue under it can still be seen. */
const FILL = 0.5;

interface Shown {
  readonly layer: SlideLayer;
  readonly sheets: MaskSheets;
  readonly looks: { readonly raster: SheetLook; readonly plain: SheetLook };
  /** What the mask has tried, and what it leaves out; absent until it is asked for again after a change. */
  tried?: readonly Region[];
  glass?: readonly Region[];
}

interface Hatching {
  readonly line: string;
  readonly shade: string;
  readonly border?: string;
  /** Lines that fall to the right, in place of those that rise. */
  readonly falling?: boolean;
}
/** Nothing is known there yet. */
const NOT_YET: Hatching = { line: 'rgb(60 80 120 / 0.35)', shade: 'rgb(40 60 100 / 0.1)' };
/** Nothing is looked for there. */
const GLASS: Hatching = { line: 'rgb(90 90 90 / 0.28)', shade: 'rgb(120 120 120 / 0.06)', falling: true };
/** Nothing could be known there. */
const UNREAD: Hatching = { line: 'rgb(190 70 0 / 0.95)', shade: 'rgb(230 159 0 / 0.35)', border: 'rgb(190 70 0)' };

/**
 * A canvas over a slide's map that shows masks. It is painted with every frame of the map, in the map's own camera,
 * so that it moves as the slide does.
 */
export class MaskCanvas {
  readonly map: SlideMap;
  readonly #matrix: MatrixSize;
  readonly #canvas: HTMLCanvasElement;
  /** What of the sheets can be seen, cell by cell: sheets that are turned and scaled one by one would show their seams. */
  readonly #joined: HTMLCanvasElement;
  #shown: Shown[] = [];
  #frame: number | undefined;

  constructor(map: SlideMap, matrix: MatrixSize) {
    this.map = map;
    this.#matrix = matrix;
    const viewport = map.getViewport();
    const page = viewport.ownerDocument;
    this.#canvas = page.createElement('canvas');
    this.#joined = page.createElement('canvas');
    this.#canvas.className = 'overread-slide-mask';
    this.#canvas.dataset['overread'] = 'slide-mask';
    this.#canvas.setAttribute('aria-hidden', 'true');
    Object.assign(this.#canvas.style, { position: 'absolute', left: '0', top: '0', width: '100%', height: '100%', pointerEvents: 'none' });
    // Over the slide, under the map's scale, overview and the viewer's annotations.
    const layers = viewport.querySelector('.ol-layers');
    if (layers) layers.after(this.#canvas);
    else viewport.append(this.#canvas);
    map.on('postrender', this.paint);
  }

  get isConnected(): boolean {
    return this.#canvas.isConnected;
  }

  show(layers: readonly SlideLayer[]): void {
    const before = this.#shown;
    this.#shown = layers.map(layer => {
      const known = before.find(({ layer: { mask } }) => mask === layer.mask);
      const looks = known && sameLook(known.layer, layer) ? known.looks : looksOf(layer);
      const sheets = known?.sheets ?? new MaskSheets(layer.mask, this.#canvas.ownerDocument, () => this.#changed(layer.mask));
      return { layer, sheets, looks, ...(known?.tried && { tried: known.tried }), ...(known?.glass && { glass: known.glass }) };
    });
    for (const { layer, sheets } of before) {
      if (!this.#shown.some(shown => shown.layer.mask === layer.mask)) sheets.dispose();
    }
    this.paint();
  }

  remove(): void {
    this.map.un('postrender', this.paint);
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
    for (const { sheets } of this.#shown) sheets.dispose();
    this.#shown = [];
    this.#canvas.remove();
  }

  readonly paint = (): void => {
    const size = this.map.getSize();
    const toMap = this.#shown.length > 0 && size ? matrixToMap(this.map, this.#matrix) : undefined;
    this.#canvas.hidden = !toMap;
    if (!toMap || !size) return;
    const canvas = this.#canvas;
    const ratio = canvas.ownerDocument.defaultView?.devicePixelRatio || 1;
    const [width, height] = [Math.round(size[0]! * ratio), Math.round(size[1]! * ratio)];
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    const context = canvas.getContext('2d')!;
    context.resetTransform();
    context.clearRect(0, 0, width, height);
    const until = performance.now() + FRAME_MS;
    let done = true;
    for (const shown of this.#shown) {
      const toScreen = compose(scaling(ratio, ratio), compose(toMap, scaling(...shown.layer.scale)));
      done = this.#paintMask(context, shown, toScreen, ratio, until) && done;
    }
    canvas.dataset['drawn'] = String(done);
    if (!done) this.#again();
  };

  /** @returns whether all that can be seen is drawn */
  #paintMask(context: CanvasRenderingContext2D, shown: Shown, toScreen: CanvasTransform, ratio: number, until: number): boolean {
    const { layer: { mask, colors, style }, sheets, looks } = shown;
    const visible = visibleRegion(toScreen, [context.canvas.width, context.canvas.height], mask.plane);
    if (!visible) return true;
    const pixel = magnification(toScreen);
    const byBorders = pixel >= BORDERS_FROM;
    const look = byBorders ? looks.plain : looks.raster;
    const step = stepFor(1 / pixel);
    const wanted = sheetsIn(sheets, visible, step, true);
    sheets.work(wanted, look, until);
    const done = wanted.every(drawn => drawn.todo.length === 0 && drawn.look === look);
    const drawn = done ? wanted : (standIns(sheets, visible, step, look) ?? wanted);
    sheets.trim(wanted.length);

    context.globalAlpha = style.opacity;
    if (look.fill > 0 || look.line > 0) this.#paintSheets(context, drawn, visible, toScreen);
    if (byBorders) {
      context.setTransform(...toScreen);
      context.lineWidth = (LINE_CSS * ratio) / pixel;
      context.lineCap = 'round';
      for (const sheet of wanted) {
        for (const [label, path] of sheets.bordersOf(sheet)) {
          context.strokeStyle = cssColor(colors.get(label) ?? [255, 255, 255, 255]);
          context.stroke(path);
        }
      }
    }
    context.globalAlpha = 1;
    context.resetTransform();
    shown.glass ??= mask.glassRegions();
    if (mask.missing > 0) {
      shown.tried ??= mask.triedRegions();
      hatch(context, [{ x: 0, y: 0, columns: mask.plane.columns, rows: mask.plane.rows }, ...shown.tried, ...shown.glass], visible, toScreen, ratio, NOT_YET);
    }
    hatch(context, shown.glass, visible, toScreen, ratio, GLASS);
    hatch(context, [...mask.unread.values()].map(({ region }) => region), visible, toScreen, ratio, UNREAD);
    return done;
  }

  #paintSheets(context: CanvasRenderingContext2D, drawn: readonly DrawnSheet[], visible: Region, toScreen: CanvasTransform): void {
    const step = drawn[0]!.sheet.step;
    const [left, top] = [Math.floor(visible.x / step), Math.floor(visible.y / step)];
    const joined = this.#joined;
    const [columns, rows] = [Math.ceil((visible.x + visible.columns) / step) - left, Math.ceil((visible.y + visible.rows) / step) - top];
    // Setting a size clears it.
    joined.width = columns;
    joined.height = rows;
    const cells = joined.getContext('2d')!;
    for (const { sheet, canvas } of drawn) cells.drawImage(canvas, sheet.column * SHEET_CELLS - left, sheet.row * SHEET_CELLS - top);
    context.setTransform(...toScreen);
    // A pixel of the mask stays a square where it can be seen as one.
    context.imageSmoothingEnabled = magnification(toScreen) * step < 1.5;
    context.drawImage(joined, left * step, top * step, columns * step, rows * step);
  }

  #changed(mask: SlideMask): void {
    for (const shown of this.#shown) if (shown.layer.mask === mask) shown.tried = shown.glass = undefined;
    this.#again();
  }

  #again(): void {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = undefined;
      this.paint();
    });
  }
}

function sheetsIn(sheets: MaskSheets, visible: Region, step: number, make: boolean): DrawnSheet[] {
  const { columns, rows } = sheetsOver(visible, step);
  const out: DrawnSheet[] = [];
  for (let row = rows[0]; row < rows[1]; row++) {
    for (let column = columns[0]; column < columns[1]; column++) {
      const drawn = sheets.at(step, column, row, make);
      if (drawn) out.push(drawn);
    }
  }
  return out;
}

/** Sheets of another step that show all of the region, the nearest finer or coarser ones. */
function standIns(sheets: MaskSheets, visible: Region, step: number, look: SheetLook): DrawnSheet[] | undefined {
  for (const other of [step * 2, step / 2, step * 4, step / 4, step * 8]) {
    if (other < 1) continue;
    const { columns, rows } = sheetsOver(visible, other);
    const there = sheetsIn(sheets, visible, other, false).filter(drawn => drawn.todo.length === 0 && drawn.look === look);
    if (there.length === (columns[1] - columns[0]) * (rows[1] - rows[0])) return there;
  }
  return undefined;
}

/** Marks regions; where two lie over each other, neither is marked. */
function hatch(context: CanvasRenderingContext2D, regions: readonly Region[], visible: Region, toScreen: CanvasTransform, ratio: number, colors: Hatching): void {
  const path = new Path2D();
  let any = false;
  for (const region of regions) {
    const { x, y, columns, rows } = region;
    if (!overlaps(region, visible)) continue;
    const corners = [[x, y], [x + columns, y], [x + columns, y + rows], [x, y + rows]] as const;
    for (const [i, [column, row]] of corners.entries()) {
      const [left, top] = apply(toScreen, column, row);
      if (i === 0) path.moveTo(left, top);
      else path.lineTo(left, top);
    }
    path.closePath();
    any = true;
  }
  if (!any) return;
  context.save();
  context.fillStyle = colors.shade;
  context.fill(path, 'evenodd');
  if (colors.border) {
    context.strokeStyle = colors.border;
    context.lineWidth = LINE_CSS * ratio;
    context.stroke(path);
  }
  context.clip(path, 'evenodd');
  context.strokeStyle = colors.line;
  context.lineWidth = ratio;
  context.beginPath();
  const { width, height } = context.canvas;
  const gap = HATCH_CSS * ratio;
  // The lines are tied to the slide, so that they move with it.
  const [x, y] = apply(toScreen, 0, 0);
  const start = ((x + (colors.falling ? -y : y)) % gap) - gap;
  for (let at = start; at < width + height + gap; at += gap) {
    const [from, to] = colors.falling ? [at - height, at] : [at, at - height];
    context.moveTo(from, 0);
    context.lineTo(to, height);
  }
  context.stroke();
  context.restore();
}

function looksOf({ colors, style }: SlideLayer): Shown['looks'] {
  const fill = style.style === 'fill' ? FILL : 0;
  return { raster: { colors, line: 1, fill }, plain: { colors, line: fill, fill } };
}

function sameLook(a: SlideLayer, b: SlideLayer): boolean {
  return a.style.style === b.style.style && a.colors.size === b.colors.size && [...a.colors].every(([label, color]) => b.colors.get(label)?.join() === color.join());
}
