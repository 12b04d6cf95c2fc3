import { apply, compose, invert, scaling } from './affine.ts';
import type { CanvasTransform } from './heatmap-placement.ts';
import { drawMarkers, type MarkerSet } from './marker-drawing.ts';

/** A few words beside a place of the image. */
export interface MarkerLabel {
  readonly at: readonly [x: number, y: number];
  readonly text: string;
}

/** What a viewport shows now. */
export interface View {
  /** From pixels of the image, (0, 0) the outer corner of the first one, to pixels of the page within the viewport. */
  readonly toPage: CanvasTransform;
  /** Of the viewport, in pixels of the page. */
  readonly size: readonly [width: number, height: number];
  /** The same array while nothing has changed in it. */
  readonly sets: readonly MarkerSet[];
  readonly labels: readonly MarkerLabel[];
}

/** What is drawn beyond each side of the viewport, as a share of it: so far the image is moved before it is drawn again. */
const MARGIN = 0.25;

interface Drawn {
  readonly sets: readonly MarkerSet[];
  readonly toPage: CanvasTransform;
  readonly size: readonly [width: number, height: number];
  readonly ratio: number;
}

/**
 * Markers over one viewport. They are drawn once, a little beyond what can be seen, and then moved as a whole with the
 * image: while it is panned, a frame with 100,000 markers costs what one without costs. Another zoom or rotation draws
 * them again.
 */
export class MarkerCanvas {
  readonly #root: HTMLElement;
  readonly #canvas: HTMLCanvasElement;
  readonly #look: () => View | undefined;
  #labels: { readonly of: readonly MarkerLabel[]; readonly elements: readonly HTMLElement[] } = { of: [], elements: [] };
  #drawn: Drawn | undefined;

  /**
   * @param insert puts the layer between the image and the viewer's annotations
   * @param look what the viewport shows now; undefined where there is nothing to mark
   */
  constructor(page: Document, insert: (root: HTMLElement) => void, look: () => View | undefined) {
    this.#look = look;
    const root = (this.#root = page.createElement('div'));
    const canvas = (this.#canvas = page.createElement('canvas'));
    root.className = 'overread-markers';
    root.dataset['overread'] = 'markers';
    root.setAttribute('aria-hidden', 'true');
    Object.assign(root.style, { position: 'absolute', left: '0', top: '0', width: '100%', height: '100%', overflow: 'hidden', pointerEvents: 'none' });
    Object.assign(canvas.style, { position: 'absolute', left: '0', top: '0' });
    root.hidden = true;
    root.append(canvas);
    insert(root);
  }

  get isConnected(): boolean {
    return this.#root.isConnected;
  }

  remove(): void {
    this.#root.remove();
    this.#drawn = undefined;
  }

  /** Draws what the viewport shows now; to be called in the frame in which its image was drawn. */
  readonly paint = (): void => {
    const view = this.#look();
    this.#root.hidden = !view;
    if (!view) return;
    const ratio = this.#root.ownerDocument.defaultView?.devicePixelRatio || 1;
    const margin = view.size.map(side => Math.ceil(side * MARGIN)) as [number, number];
    if (!this.#drawn || !fits(this.#drawn, view, ratio, margin)) this.#draw(view, ratio, margin);
    const [x, y] = moved(this.#drawn!, view);
    this.#canvas.style.transform = `translate(${x - margin[0]}px, ${y - margin[1]}px)`;
    this.#placeLabels(view);
  };

  #draw({ toPage, size, sets }: View, ratio: number, margin: readonly [number, number]): void {
    const canvas = this.#canvas;
    const [width, height] = [size[0] + 2 * margin[0], size[1] + 2 * margin[1]];
    const [columns, rows] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (canvas.width !== columns || canvas.height !== rows) {
      [canvas.width, canvas.height] = [columns, rows];
      Object.assign(canvas.style, { width: `${columns / ratio}px`, height: `${rows / ratio}px` });
    }
    const context = canvas.getContext('2d')!;
    context.clearRect(0, 0, columns, rows);
    const toCanvas = compose(scaling(ratio, ratio), compose([1, 0, 0, 1, ...margin], toPage));
    const clustered = drawMarkers(context, sets, toCanvas, ratio);
    this.#root.dataset['clustered'] = String(clustered);
    this.#drawn = { sets, toPage, size, ratio };
  }

  #placeLabels({ labels, toPage }: View): void {
    if (labels !== this.#labels.of) {
      for (const element of this.#labels.elements) element.remove();
      const elements = labels.map(({ text }) => {
        const element = this.#root.ownerDocument.createElement('div');
        element.dataset['overread'] = 'roi-label';
        element.textContent = text;
        Object.assign(element.style, {
          position: 'absolute', left: '0', top: '0', padding: '1px 6px', borderRadius: '4px', whiteSpace: 'pre', maxWidth: '240px', overflow: 'hidden', textOverflow: 'ellipsis', font: '600 12px/1.35 system-ui, sans-serif',
          color: 'white', background: 'rgb(8 14 26 / 0.8)',
        });
        return element;
      });
      this.#root.append(...elements);
      this.#labels = { of: labels, elements };
    }
    for (const [i, { at }] of labels.entries()) {
      const [x, y] = apply(toPage, ...at);
      this.#labels.elements[i]!.style.transform = `translate(${Math.round(x)}px, ${Math.round(y)}px)`;
    }
  }
}

/** Whether what is drawn need only be moved. */
function fits(drawn: Drawn, view: View, ratio: number, margin: readonly [number, number]): boolean {
  if (drawn.sets !== view.sets || drawn.ratio !== ratio || drawn.size[0] !== view.size[0] || drawn.size[1] !== view.size[1]) return false;
  // The far corner of what can be seen may be moved by a tenth of a pixel.
  const far = Math.max(...view.size.map((side, i) => side + 2 * margin[i]!));
  for (const i of [0, 1, 2, 3]) {
    const scale = Math.hypot(...view.toPage.slice(0, 4));
    if (Math.abs(drawn.toPage[i]! - view.toPage[i]!) * far > 0.1 * scale) return false;
  }
  const [x, y] = moved(drawn, view);
  return Math.abs(x) <= margin[0] && Math.abs(y) <= margin[1];
}

/** How far what is in the middle now has gone since it was drawn. An image's corner may be too far away to be measured by. */
function moved(drawn: Drawn, { toPage, size }: View): readonly [x: number, y: number] {
  const middle = [size[0] / 2, size[1] / 2] as const;
  const [x, y] = apply(drawn.toPage, ...apply(invert(toPage), ...middle));
  return [middle[0] - x, middle[1] - y];
}

