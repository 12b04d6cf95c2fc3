import type { HeatmapResult } from '../../src/results/result.ts';
import { imageOnScreen, imageToCanvas, type CanvasTransform, type StackViewport } from './heatmap-placement.ts';
import { colourPlane, planeOf, type HeatmapStyle, type Plane } from './heatmap-raster.ts';

/** A slice of a heat map, for one image. */
export interface MapSlice {
  readonly result: HeatmapResult;
  readonly slice: number;
}

/** A coloured slice, ready to be drawn. */
interface Raster {
  readonly of: MapSlice;
  readonly plane: Plane;
  readonly canvas: HTMLCanvasElement;
  /** What it was coloured with. */
  readonly style: HeatmapStyle;
}

/** Draws slices of heat maps; the last one stays coloured, so that a frame costs no more than an image. */
export class HeatmapPainter {
  readonly #page: Document;
  #raster: Raster | undefined;

  constructor(page: Document) {
    this.#page = page;
  }

  /** @param transform from pixels of the image to pixels of the canvas */
  paint(context: CanvasRenderingContext2D, transform: CanvasTransform, map: MapSlice, style: HeatmapStyle): void {
    const { canvas: raster, plane: { step } } = this.#rasterOf(map, style);
    const [columns, rows] = map.result.source.shape;
    context.setTransform(...transform);
    context.imageSmoothingEnabled = true;
    context.globalAlpha = style.opacity;
    context.drawImage(raster, 0, 0, columns / step, rows / step, 0, 0, columns, rows);
  }

  forget(): void {
    this.#raster = undefined;
  }

  #rasterOf(of: MapSlice, style: HeatmapStyle): Raster {
    const before = this.#raster;
    const same = before !== undefined && before.of.result === of.result && before.of.slice === of.slice;
    if (same && before.style.threshold === style.threshold && before.style.table === style.table) return before;
    const plane = same ? before.plane : planeOf(of.result, of.slice);
    const canvas = before?.canvas ?? this.#page.createElement('canvas');
    canvas.width = plane.columns;
    canvas.height = plane.rows;
    const context = canvas.getContext('2d')!;
    const pixels = context.createImageData(plane.columns, plane.rows);
    colourPlane(plane, of.result, style, pixels.data);
    context.putImageData(pixels, 0, 0);
    return (this.#raster = { of, plane, canvas, style });
  }
}

/**
 * A canvas between the image of one stack viewport and the viewer's annotations. It is drawn anew each time that
 * Cornerstone has drawn the image, in the same frame, so both always lie as one.
 */
export class HeatmapCanvas {
  readonly viewport: StackViewport;
  readonly #canvas: HTMLCanvasElement;
  readonly #renderedEvent: string;
  readonly #isCurrent: () => boolean;
  #maps: ReadonlyMap<string, MapSlice> = new Map();
  #style: HeatmapStyle | undefined;
  readonly #painter: HeatmapPainter;

  /**
   * @param parts `isCurrent` says whether the viewer still has this viewport: another one may take over its element;
   *   `renderedEvent` is Cornerstone's IMAGE_RENDERED
   */
  constructor({ viewport, renderedEvent, isCurrent }: { viewport: StackViewport; renderedEvent: string; isCurrent: () => boolean }) {
    this.viewport = viewport;
    this.#renderedEvent = renderedEvent;
    this.#isCurrent = isCurrent;
    const canvas = (this.#canvas = viewport.element.ownerDocument.createElement('canvas'));
    this.#painter = new HeatmapPainter(viewport.element.ownerDocument);
    canvas.className = 'overread-heatmap';
    canvas.dataset['overread'] = 'heatmap';
    canvas.setAttribute('aria-hidden', 'true');
    Object.assign(canvas.style, { position: 'absolute', left: '0', top: '0', width: '100%', height: '100%', pointerEvents: 'none' });
    canvas.hidden = true;
    // Right after the image: the layer of annotations follows, and so lies above.
    viewport.canvas.after(canvas);
    viewport.element.addEventListener(renderedEvent, this.paint);
  }

  get isConnected(): boolean {
    return this.#canvas.isConnected;
  }

  /** @param maps by the imageId that each lies on */
  show(maps: ReadonlyMap<string, MapSlice>, style: HeatmapStyle): void {
    this.#maps = maps;
    this.#style = style;
    this.paint();
  }

  remove(): void {
    this.viewport.element.removeEventListener(this.#renderedEvent, this.paint);
    this.#canvas.remove();
    this.#painter.forget();
  }

  /** Draws the map of the image that can be seen now, or nothing. */
  readonly paint = (): void => {
    const canvas = this.#canvas;
    const imageId = this.#isCurrent() ? imageOnScreen(this.viewport) : undefined;
    const map = imageId === undefined ? undefined : this.#maps.get(imageId);
    const page = canvas.ownerDocument.defaultView;
    const transform = map && fits(map, this.viewport) ? imageToCanvas(this.viewport, page?.devicePixelRatio || 1) : undefined;
    const context = transform && canvas.getContext('2d');
    canvas.hidden = !context;
    if (!map || !transform || !context) return;
    const { width, height } = this.viewport.canvas;
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    context.resetTransform();
    context.clearRect(0, 0, width, height);
    this.#painter.paint(context, transform, map, this.#style!);
  };
}

/** Whether the image under it has the map's size; `heatmap.ts` says so in words where it has not. */
export function fits({ result: { source: { shape } } }: MapSlice, viewport: StackViewport): boolean {
  const dimensions = viewport.getImageData()?.dimensions;
  return dimensions !== undefined && dimensions[0] === shape[0] && dimensions[1] === shape[1];
}
