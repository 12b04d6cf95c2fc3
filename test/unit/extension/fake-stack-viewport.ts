import type { StackViewport } from '../../../extension/overlays/heatmap-placement.ts';

/** A 2D canvas that writes down what was drawn on it. */
export class FakeCanvas {
  width = 300;
  height = 150;
  hidden = false;
  className = '';
  isConnected = false;
  readonly style: Record<string, string> = {};
  readonly dataset: Record<string, string> = {};
  readonly attributes: Record<string, string> = {};
  transform: readonly number[] = [1, 0, 0, 1, 0, 0];
  drawn: { image: FakeCanvas; args: number[]; transform: readonly number[]; alpha: number } | undefined;
  pixels: Uint8ClampedArray | undefined;
  colourings = 0;
  siblings: FakeCanvas[] = [];

  constructor(readonly ownerDocument: FakeDocument) {}

  setAttribute(name: string, value: string): void { this.attributes[name] = value; }
  after(canvas: FakeCanvas): void {
    this.siblings.splice(this.siblings.indexOf(this) + 1, 0, canvas);
    canvas.siblings = this.siblings;
    canvas.isConnected = true;
  }
  remove(): void {
    const at = this.siblings.indexOf(this);
    if (at >= 0) this.siblings.splice(at, 1);
    this.isConnected = false;
  }
  getContext() { return this.context; }

  readonly context = {
    globalAlpha: 1,
    imageSmoothingEnabled: false,
    resetTransform: () => { this.transform = [1, 0, 0, 1, 0, 0]; },
    setTransform: (...transform: number[]) => { this.transform = transform; },
    clearRect: () => { this.drawn = undefined; },
    drawImage: (image: FakeCanvas, ...args: number[]) => { this.drawn = { image, args, transform: this.transform, alpha: this.context.globalAlpha }; },
    createImageData: (width: number, height: number) => ({ data: new Uint8ClampedArray(4 * width * height), width, height }),
    putImageData: ({ data }: { data: Uint8ClampedArray }) => { this.pixels = data; this.colourings++; },
  };
}

export class FakeDocument {
  readonly defaultView = { devicePixelRatio: 1 };
  createElement(): FakeCanvas { return new FakeCanvas(this); }
}

interface FakeImage {
  readonly dimensions: readonly [columns: number, rows: number];
  readonly spacing?: readonly [column: number, row: number];
  readonly origin?: readonly [number, number, number];
  readonly direction?: readonly number[];
}

export const RENDERED = 'IMAGE_RENDERED';

/**
 * A stack viewport of 100 × 100 px of the page with a camera in the image's plane: what lies at `focal` (mm along the
 * image's rows and columns from its middle) is drawn in the middle, `zoom` px of the page a mm, flipped, then rotated
 * clockwise.
 */
export class FakeStackViewport {
  zoom = 5;
  rotation = 0;
  flipHorizontal = false;
  flipVertical = false;
  focal: [number, number] = [0, 0];
  useCPURendering = false;
  current: string | undefined;
  arrived: string | undefined;
  readonly document = new FakeDocument();
  readonly canvas = new FakeCanvas(this.document);
  readonly annotations = new FakeCanvas(this.document);
  readonly element = Object.assign(new EventTarget(), { ownerDocument: this.document });

  constructor(readonly id: string, readonly image: FakeImage, imageId: string) {
    this.canvas.siblings = this.annotations.siblings = [this.canvas, this.annotations];
    this.canvas.width = this.canvas.height = 100;
    this.current = this.arrived = imageId;
  }

  get overlay(): FakeCanvas | undefined {
    return this.canvas.siblings.find(canvas => canvas.dataset['overread'] === 'heatmap');
  }
  /** As Cornerstone does it after every frame. */
  render(): void { this.element.dispatchEvent(new Event(RENDERED)); }

  getCurrentImageId = () => this.current;
  getCornerstoneImage = () => (this.arrived === undefined ? undefined : { imageId: this.arrived });
  getImageData = () => {
    const { dimensions, spacing, origin, direction } = this.#geometry();
    return { dimensions: [...dimensions, 1], spacing: [...spacing, 1], origin, direction };
  };
  worldToCanvas = (world: readonly number[]) => {
    const { dimensions: [columns, rows], spacing, origin, direction } = this.#geometry();
    const from = world.map((at, axis) => at - origin[axis]!);
    const along = (axis: 0 | 1) => from.reduce((sum, v, i) => sum + v * direction[3 * axis + i]!, 0);
    // The GPU draws pixel centres at whole indices, the CPU corners.
    const half = this.useCPURendering ? 0 : 0.5;
    let u = along(0) - (columns / 2 - half) * spacing[0] - this.focal[0];
    let v = along(1) - (rows / 2 - half) * spacing[1] - this.focal[1];
    if (this.flipHorizontal) u = -u;
    if (this.flipVertical) v = -v;
    const angle = (this.rotation * Math.PI) / 180;
    const ratio = this.useCPURendering ? this.canvas.width / 100 : 1;
    return [50 + this.zoom * (Math.cos(angle) * u - Math.sin(angle) * v), 50 + this.zoom * (Math.sin(angle) * u + Math.cos(angle) * v)].map(at => at * ratio) as [number, number];
  };

  #geometry(): Required<FakeImage> {
    return { spacing: [1, 1], origin: [0, 0, 0], direction: [1, 0, 0, 0, 1, 0, 0, 0, 1], ...this.image };
  }

  asViewport(): StackViewport { return this as unknown as StackViewport; }
}
