import type { LabelmapResult } from '../../src/results/result.ts';
import type { OverlayStyle } from '../configuration.ts';
import type { Rgba } from '../types/segmentation.ts';
import { colorOf, cssColor } from './colors.ts';
import type { CanvasTransform } from './heatmap-placement.ts';

/** Of the outline, in pixels of the page: as the viewer draws its own. */
const WIDTH_CSS = 2.5;

/**
 * Draws one slice of a mask on a canvas of ours, where the viewer's own drawing cannot be cut: outlined along the edges of its
 * pixels, or filled.
 */
export class MaskPainter {
  readonly #columns: number;
  readonly #rows: number;
  readonly #classes: readonly { readonly color: Rgba; readonly edges: Float32Array }[];
  readonly #labels: Uint8Array;
  readonly #page: Document;
  readonly #colors: ReadonlyMap<number, Rgba>;
  #filled: HTMLCanvasElement | undefined;

  constructor({ labels, segments, source: { shape: [columns, rows] } }: LabelmapResult, slice: number, page: Document) {
    [this.#columns, this.#rows, this.#page] = [columns, rows, page];
    this.#labels = labels.subarray(slice * columns * rows, (slice + 1) * columns * rows);
    this.#classes = segments.map(({ target, segmentNumber }) => ({ color: colorOf(target, segmentNumber), edges: outlineOf(this.#labels, columns, rows, segmentNumber) }));
    this.#colors = new Map(segments.map(({ target, segmentNumber }) => [segmentNumber, colorOf(target, segmentNumber)]));
  }

  /** @param transform from pixels of the image, (0, 0) the outer corner of the first one, to pixels of the canvas */
  paint(context: CanvasRenderingContext2D, transform: CanvasTransform, ratio: number, { style, opacity }: OverlayStyle): void {
    if (style === 'fill') {
      context.setTransform(...transform);
      context.imageSmoothingEnabled = false;
      // Half of it, as the viewer's own: the anatomy under it can still be seen.
      context.globalAlpha = opacity / 2;
      context.drawImage((this.#filled ??= this.#fill()), 0, 0);
    }
    context.globalAlpha = opacity;
    context.lineWidth = (style === 'fill' ? 1.5 : WIDTH_CSS) * ratio;
    context.lineCap = 'round';
    for (const { color, edges } of this.#classes) {
      context.setTransform(...transform);
      context.beginPath();
      for (let i = 0; i < edges.length; i += 4) {
        context.moveTo(edges[i]!, edges[i + 1]!);
        context.lineTo(edges[i + 2]!, edges[i + 3]!);
      }
      // The line is as wide at every zoom.
      context.resetTransform();
      context.strokeStyle = cssColor(color);
      context.stroke();
    }
    context.globalAlpha = 1;
  }

  #fill(): HTMLCanvasElement {
    const canvas = this.#page.createElement('canvas');
    [canvas.width, canvas.height] = [this.#columns, this.#rows];
    const context = canvas.getContext('2d')!;
    const pixels = context.createImageData(this.#columns, this.#rows);
    this.#labels.forEach((label, i) => {
      const color = this.#colors.get(label);
      if (color) pixels.data.set(color, 4 * i);
    });
    context.putImageData(pixels, 0, 0);
    return canvas;
  }
}

/**
 * Where one label borders on others or on the picture's side, as lines along the edges of pixels: [x0, y0, x1, y1, …] in pixels, (0, 0) the
 * outer corner of the first one; edges in a row are one line.
 */
export function outlineOf(labels: ArrayLike<number>, columns: number, rows: number, label: number): Float32Array {
  const out: number[] = [];
  const has = (x: number, y: number) => x >= 0 && y >= 0 && x < columns && y < rows && labels[y * columns + x] === label;
  const along = (lines: number, length: number, edge: (line: number, at: number) => boolean, write: (line: number, from: number, to: number) => void) => {
    for (let line = 0; line <= lines; line++) {
      let from = -1;
      for (let at = 0; at <= length; at++) {
        const is = at < length && edge(line, at);
        if (is && from < 0) from = at;
        else if (!is && from >= 0) {
          write(line, from, at);
          from = -1;
        }
      }
    }
  };
  along(rows, columns, (y, x) => has(x, y - 1) !== has(x, y), (y, from, to) => out.push(from, y, to, y));
  along(columns, rows, (x, y) => has(x - 1, y) !== has(x, y), (x, from, to) => out.push(x, from, x, to));
  return Float32Array.from(out);
}
