import { OverreadError } from '../../src/errors.ts';
import type { HeatmapResult, LabelmapResult, Result } from '../../src/results/result.ts';
import type { PointsResult } from '../../src/results/points.ts';
import type { OverlayStyle } from '../configuration.ts';
import { Divider } from './divider.ts';
import { HeatmapPainter } from './heatmap-canvas.ts';
import { imageOnScreen, imageToCanvas, type CanvasTransform, type StackViewport } from './heatmap-placement.ts';
import type { HeatmapStyle } from './heatmap-raster.ts';
import { drawMarkers } from './marker-drawing.ts';
import { MaskPainter } from './mask-painter.ts';
import { markerSet } from './points.ts';

export type Side = 'a' | 'b';

/** A slice of a result on one image. */
export interface SideSlice {
  readonly result: Result;
  readonly slice: number;
}

/** How much of a viewport each side has: a share of its width for A and the rest for B, or all of it for one. */
export interface Split {
  readonly share: number;
  /** Whether the share is the reader's to move. */
  readonly divided: boolean;
  readonly names: { readonly [S in Side]: string };
  readonly style: OverlayStyle;
  readonly heatmap: HeatmapStyle;
}

export type Sides = { readonly [S in Side]?: SideSlice };

type Paint = (context: CanvasRenderingContext2D, transform: CanvasTransform, ratio: number, split: Split) => void;

/** Two results over one stack viewport, each on its part of it, with a divider that is dragged. */
export class SplitCanvas {
  readonly viewport: StackViewport;
  readonly #canvas: HTMLCanvasElement;
  readonly #controls: HTMLElement;
  readonly #divider: Divider;
  readonly #labels: { readonly [S in Side]: HTMLElement };
  readonly #isCurrent: () => boolean;
  readonly #renderedEvent: string;
  #on: ReadonlyMap<string, Sides> = new Map();
  #split: Split | undefined;
  /** How each side's slice is drawn, for as long as it is the same one. */
  readonly #painters = new Map<Side, { readonly of: SideSlice; readonly paint: Paint }>();

  constructor({ viewport, isCurrent, renderedEvent, onDivider }: { viewport: StackViewport; isCurrent: () => boolean; renderedEvent: string; onDivider: (share: number) => void }) {
    this.viewport = viewport;
    this.#isCurrent = isCurrent;
    this.#renderedEvent = renderedEvent;
    const page = viewport.element.ownerDocument;
    const canvas = (this.#canvas = page.createElement('canvas'));
    canvas.dataset['overread'] = 'split';
    canvas.setAttribute('aria-hidden', 'true');
    Object.assign(canvas.style, { position: 'absolute', left: '0', top: '0', width: '100%', height: '100%', pointerEvents: 'none' });
    viewport.canvas.after(canvas);
    const controls = (this.#controls = page.createElement('div'));
    Object.assign(controls.style, { position: 'absolute', inset: '0', overflow: 'hidden', pointerEvents: 'none', zIndex: '5' });
    this.#divider = new Divider({ page, onMove: onDivider, box: () => viewport.canvas.getBoundingClientRect() });
    this.#labels = { a: label(page, 'a'), b: label(page, 'b') };
    controls.append(this.#labels.a, this.#labels.b, this.#divider.element);
    viewport.canvas.parentElement?.append(controls);
    viewport.element.addEventListener(renderedEvent, this.paint);
  }

  get isConnected(): boolean {
    return this.#canvas.isConnected;
  }

  /** @param on by the imageId that each lies on */
  show(on: ReadonlyMap<string, Sides>, split: Split): void {
    this.#on = on;
    this.#split = split;
    this.paint();
  }

  remove(): void {
    this.viewport.element.removeEventListener(this.#renderedEvent, this.paint);
    this.#canvas.remove();
    this.#controls.remove();
    this.#painters.clear();
  }

  /** Draws what belongs to the image that can be seen now, in the frame in which it was drawn. */
  readonly paint = (): void => {
    const { viewport } = this;
    const split = this.#split;
    const imageId = this.#isCurrent() ? imageOnScreen(viewport) : undefined;
    const sides = imageId === undefined ? undefined : this.#on.get(imageId);
    const ratio = this.#canvas.ownerDocument.defaultView?.devicePixelRatio || 1;
    const transform = sides && imageToCanvas(viewport, ratio);
    const context = transform && this.#canvas.getContext('2d');
    this.#canvas.hidden = this.#controls.hidden = !context || !split;
    if (!sides || !split || !transform || !context) return;
    const { width, height } = viewport.canvas;
    if (this.#canvas.width !== width) this.#canvas.width = width;
    if (this.#canvas.height !== height) this.#canvas.height = height;
    context.resetTransform();
    context.clearRect(0, 0, width, height);
    const at = Math.round(split.share * width);
    for (const [side, from, to] of [['a', 0, at], ['b', at, width]] as const) {
      const slice = sides[side];
      if (!slice || to <= from || !fits(slice, viewport)) continue;
      context.save();
      context.resetTransform();
      context.beginPath();
      context.rect(from, 0, to - from, height);
      context.clip();
      this.#painterOf(side, slice)(context, transform, ratio, split);
      context.restore();
    }
    this.#placeControls(split);
  };

  refuseOtherSize(): void {
    const imageId = this.#isCurrent() ? imageOnScreen(this.viewport) : undefined;
    const sides = imageId === undefined ? undefined : this.#on.get(imageId);
    const dimensions = this.viewport.getImageData()?.dimensions;
    for (const slice of [sides?.a, sides?.b]) {
      if (!slice || !dimensions || fits(slice, this.viewport)) continue;
      const [columns, rows] = slice.result.source.shape;
      throw new OverreadError('input/inconsistent', `Expected an image of ${columns} × ${rows} pixels under what is compared, got ${dimensions[0]} × ${dimensions[1]}. It is not drawn: open the study again.`, { expected: [columns, rows], got: dimensions.slice(0, 2) });
    }
  }

  #placeControls({ share, divided, names }: Split): void {
    this.#divider.element.hidden = !divided;
    this.#divider.place(share);
    const { a, b } = this.#labels;
    a.textContent = names.a;
    b.textContent = names.b;
    a.hidden = share === 0;
    b.hidden = share === 1;
    // Beside the divider; alone, in the middle.
    a.style.right = divided ? `${100 * (1 - share)}%` : '50%';
    a.style.transform = divided ? 'translateX(-14px)' : 'translateX(50%)';
    b.style.left = divided ? `${100 * share}%` : '50%';
    b.style.transform = divided ? 'translateX(14px)' : 'translateX(-50%)';
    // What has no room is cut, never pushed out of the image.
    a.style.maxWidth = `max(0px, calc(${100 * share}% - 20px))`;
    b.style.maxWidth = `max(0px, calc(${100 * (1 - share)}% - 20px))`;
    a.style.visibility = divided && share < 0.08 ? 'hidden' : 'visible';
    b.style.visibility = divided && share > 0.92 ? 'hidden' : 'visible';
  }

  #painterOf(side: Side, of: SideSlice): Paint {
    const before = this.#painters.get(side);
    if (before && before.of.result === of.result && before.of.slice === of.slice) return before.paint;
    const made = painterOf(of, this.#canvas.ownerDocument);
    this.#painters.set(side, { of, paint: made });
    return made;
  }
}

function painterOf({ result, slice }: SideSlice, page: Document): Paint {
  if (result.kind === 'labelmap') {
    const painter = new MaskPainter(result as LabelmapResult, slice, page);
    return (context, transform, ratio, { style }) => painter.paint(context, transform, ratio, style);
  }
  if (result.kind === 'heatmap') {
    const painter = new HeatmapPainter(page);
    return (context, transform, _, { heatmap }) => painter.paint(context, transform, { result: result as HeatmapResult, slice }, heatmap);
  }
  if (result.kind === 'points') {
    const set = markerSet({ key: '', result: result as PointsResult }, [1, 1]);
    return (context, transform, ratio) => void drawMarkers(context, [set], transform, ratio);
  }
  return () => undefined;
}

function fits({ result: { source: { shape } } }: SideSlice, viewport: StackViewport): boolean {
  const dimensions = viewport.getImageData()?.dimensions;
  return dimensions !== undefined && dimensions[0] === shape[0] && dimensions[1] === shape[1];
}

function label(page: Document, side: Side): HTMLElement {
  const element = page.createElement('div');
  element.dataset['overread'] = `side-${side}`;
  Object.assign(element.style, {
    position: 'absolute', bottom: '18%', padding: '2px 10px', borderRadius: '10px', whiteSpace: 'nowrap', overflow: 'hidden', textOverflow: 'ellipsis',
    font: '600 12px/1.5 system-ui, sans-serif', color: 'white', background: 'rgb(8 14 26 / 0.8)', border: '1px solid rgb(255 255 255 / 0.35)',
  });
  return element;
}
