import type { Rgba } from '../types/segmentation.ts';
import { apply, compose, invert, magnification, scaling } from './affine.ts';
import { cssColor } from './colors.ts';
import type { CanvasTransform } from './heatmap-placement.ts';
import type { Cluster, MarkerIndex } from './marker-index.ts';

/** Markers of one result. */
export interface MarkerSet {
  /** Of the kept result. */
  readonly key: string;
  readonly index: MarkerIndex;
  /** Of each class. */
  readonly colors: readonly Rgba[];
  /** Pixels of what the camera shows for one of the plane that the markers lie on; 1 where that is the same plane. */
  readonly scale: readonly [x: number, y: number];
}

/** Where more can be seen than so many, those that lie together are drawn as one. */
const MOST_MARKERS = 4000;
/** The side of the square whose markers become one, in pixels of the page. */
const CLUSTER_CSS = 46;
const MARKER_CSS = 4;
const OUTLINE = 'rgb(0 0 0 / 0.85)';

/** From pixels of the plane, counted from the outer corner of the first one, to pixels of the canvas. */
export function planeToCanvas(set: Pick<MarkerSet, 'scale'>, toCanvas: CanvasTransform): CanvasTransform {
  return compose(toCanvas, scaling(...set.scale));
}

/** Which markers of a set can be seen in the canvas, with a margin for those whose middle lies outside. */
function visible({ index }: MarkerSet, toCanvas: CanvasTransform, [width, height]: readonly [number, number], margin: number): readonly number[] {
  const back = invert(toCanvas);
  const corners = [[-margin, -margin], [width + margin, -margin], [-margin, height + margin], [width + margin, height + margin]].map(([x, y]) => apply(back, x!, y!));
  const [xs, ys] = [corners.map(([x]) => x - 0.5), corners.map(([, y]) => y - 0.5)];
  return index.within(Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys));
}

/**
 * Draws markers where they lie: each for itself, or, where there are too many to be told apart, clusters with their number.
 * @param context of an empty canvas
 * @param toCanvas from what the camera shows to pixels of the canvas
 * @returns whether they are drawn as clusters
 */
export function drawMarkers(context: CanvasRenderingContext2D, sets: readonly MarkerSet[], toCanvas: CanvasTransform, ratio: number): boolean {
  const size = [context.canvas.width, context.canvas.height] as const;
  const seen = sets.map(set => {
    const toSet = planeToCanvas(set, toCanvas);
    return { set, toSet, markers: visible(set, toSet, size, 2 * MARKER_CSS * ratio) };
  });
  const clustered = seen.reduce((sum, { markers }) => sum + markers.length, 0) > MOST_MARKERS;
  for (const { set, toSet, markers } of seen) {
    if (clustered) drawClusters(context, set, toSet, ratio);
    else drawEach(context, set, toSet, markers, ratio);
  }
  return clustered;
}

function drawEach(context: CanvasRenderingContext2D, { index: { markers: { coordinates, classOf } }, colors }: MarkerSet, toCanvas: CanvasTransform, markers: readonly number[], ratio: number): void {
  const sprites = colors.map((color, i) => sprite(context.canvas.ownerDocument, color, i, ratio));
  for (const i of markers) {
    const [x, y] = apply(toCanvas, coordinates[2 * i]! + 0.5, coordinates[2 * i + 1]! + 0.5);
    const image = sprites[classOf[i]!]!;
    context.drawImage(image, Math.round(x - image.width / 2), Math.round(y - image.height / 2));
  }
}

/** A marker as a small picture: much faster to draw a thousand times than its outline. Classes differ in shape as well as in colour. */
function sprite(page: Document, color: Rgba, classIndex: number, ratio: number): HTMLCanvasElement {
  const canvas = page.createElement('canvas');
  const radius = MARKER_CSS * ratio;
  canvas.width = canvas.height = 2 * Math.ceil(radius + 2 * ratio) + 1;
  const context = canvas.getContext('2d')!;
  const middle = canvas.width / 2;
  context.beginPath();
  const corners = [0, 4, 3, 4][classIndex % 4]!;
  if (corners === 0) context.arc(middle, middle, radius, 0, 2 * Math.PI);
  else {
    const turn = [0, Math.PI / 4, -Math.PI / 2, 0][classIndex % 4]!;
    for (let i = 0; i < corners; i++) {
      const angle = turn + (2 * Math.PI * i) / corners;
      context.lineTo(middle + 1.2 * radius * Math.cos(angle), middle + 1.2 * radius * Math.sin(angle));
    }
    context.closePath();
  }
  context.lineWidth = 2.5 * ratio;
  context.strokeStyle = OUTLINE;
  context.stroke();
  context.fillStyle = cssColor(color);
  context.fill();
  return canvas;
}

/** The side of a cluster's square in pixels of the plane: a power of two, so that zooming a little changes nothing. */
export function clusterStep(toCanvas: CanvasTransform, ratio: number): number {
  return 2 ** Math.max(0, Math.ceil(Math.log2((CLUSTER_CSS * ratio) / magnification(toCanvas))));
}

function drawClusters(context: CanvasRenderingContext2D, { index, colors }: MarkerSet, toCanvas: CanvasTransform, ratio: number): void {
  const { width, height } = context.canvas;
  const reach = CLUSTER_CSS * ratio;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.font = `600 ${11 * ratio}px system-ui, sans-serif`;
  for (const cluster of index.clusters(clusterStep(toCanvas, ratio))) {
    const [x, y] = apply(toCanvas, cluster.x + 0.5, cluster.y + 0.5);
    if (x < -reach || y < -reach || x > width + reach || y > height + reach) continue;
    drawCluster(context, cluster, colors, Math.round(x), Math.round(y), ratio);
  }
}

function drawCluster(context: CanvasRenderingContext2D, { count, byClass }: Cluster, colors: readonly Rgba[], x: number, y: number, ratio: number): void {
  const radius = (9 + Math.min(8, 2.2 * Math.log10(count + 1) ** 1.3)) * ratio;
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fillStyle = 'rgb(8 14 26 / 0.78)';
  context.fill();
  context.lineWidth = 3 * ratio;
  // A ring of the classes, each with its share.
  let from = -Math.PI / 2;
  for (const [i, n] of byClass.entries()) {
    if (n === 0) continue;
    const to = from + (2 * Math.PI * n) / count;
    context.beginPath();
    context.arc(x, y, radius, from, to);
    context.strokeStyle = cssColor(colors[i]!);
    context.stroke();
    from = to;
  }
  context.fillStyle = 'white';
  context.fillText(shortCount(count), x, y);
}

/** '87', '1.2k', '34k': what fits into a cluster. */
export function shortCount(count: number): string {
  if (count < 1000) return String(count);
  return count < 10_000 ? `${(Math.floor(count / 100) / 10).toFixed(1)}k` : `${Math.floor(count / 1000)}k`;
}
