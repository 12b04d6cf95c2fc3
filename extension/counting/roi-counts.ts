import type { OverreadError } from '../../src/errors.ts';
import { toOverreadError } from '../../src/errors.ts';
import { apply, compose, invert, scaling } from '../overlays/affine.ts';
import type { MarkerLabel } from '../overlays/marker-canvas.ts';
import { planeToCanvas } from '../overlays/marker-drawing.ts';
import type { MarkerSurface } from '../overlays/points.ts';
import { Observable } from '../state.ts';
import type { DrawnAnnotation } from '../types/annotations.ts';
import { countInside, type RoiCount } from './roi-count.ts';
import { boundsOf, ROI_TOOLS, shapeOf, type Point, type RoiShape } from './roi-shape.ts';

/** A region on an image and what of one count lies inside. */
export interface CountedRoi extends RoiCount {
  readonly annotationUID: string;
  /** What the user called it, or its tool's name and number. */
  readonly name: string;
  /** Of the kept result. */
  readonly key: string;
  readonly viewportId: string;
}

interface Parts {
  readonly surfaces: () => readonly MarkerSurface[];
  readonly annotations: () => readonly DrawnAnnotation[];
  readonly onError: (error: OverreadError) => void;
}

export interface RoiState {
  readonly rois: readonly CountedRoi[];
}

/**
 * Counts inside of the regions that a user draws with the viewer's own tools, on the images that are on screen: anew
 * whenever a region, a count or what is shown has changed.
 */
export class RoiCounts {
  readonly state = new Observable<RoiState>({ rois: [] });
  readonly #parts: Parts;
  readonly #labels = new Map<string, readonly MarkerLabel[]>();
  #told = '';

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  labelsOf(viewportId: string, imageId?: string): readonly MarkerLabel[] {
    return this.#labels.get(placeOf(viewportId, imageId)) ?? NONE;
  }

  /** @returns whether anything is other than before */
  look(): boolean {
    try {
      return this.#count();
    } catch (error) {
      this.#parts.onError(toOverreadError(error));
      return false;
    }
  }

  clear(): void {
    this.#labels.clear();
    this.#told = '';
    this.state.set({ rois: [] });
  }

  #count(): boolean {
    const rois: CountedRoi[] = [];
    const labels = new Map<string, MarkerLabel[]>();
    const annotations = this.#parts.annotations().filter(({ metadata: { toolName } }) => ROI_TOOLS.includes(toolName));
    for (const surface of this.#parts.surfaces()) {
      for (const [i, annotation] of annotations.entries()) {
        if (annotation.isVisible === false || !liesOn(annotation, surface)) continue;
        const name = annotation.data.label?.trim() || `${readable(annotation.metadata.toolName)} ${i + 1}`;
        const texts: string[] = [];
        let corner: Point | undefined;
        for (const { key, result, scale } of surface.shown) {
          const toPlane = invert(planeToCanvas({ scale }, surface.toPage));
          const shape = shapeOf(drawn(annotation, surface), toPlane);
          if (!shape) continue;
          const counted = countInside(result, shape);
          rois.push({ annotationUID: annotation.annotationUID, name, key, viewportId: surface.viewportId, ...counted });
          texts.push(labelText(counted, result.classes.map(({ target }) => target.label)));
          corner ??= lowerLeft(shape, compose(surface.toPage, scaling(...scale)), surface.toPage);
        }
        const place = placeOf(surface.viewportId, surface.imageId);
        if (corner) labels.set(place, [...(labels.get(place) ?? []), { at: corner, text: texts.join('\n') }]);
      }
    }
    const told = JSON.stringify([rois, [...labels]]);
    if (told === this.#told) return false;
    this.#told = told;
    this.#labels.clear();
    for (const [place, of] of labels) this.#labels.set(place, of);
    this.state.set({ rois });
    return true;
  }
}

const NONE: readonly MarkerLabel[] = [];

/** A label goes with its image, not with the viewport that another image has come to. */
function placeOf(viewportId: string, imageId = ''): string {
  return `${viewportId} ${imageId}`;
}

function liesOn({ metadata }: DrawnAnnotation, { imageId, frameOfReferenceUID }: MarkerSurface): boolean {
  if (imageId !== undefined) return metadata.referencedImageId === imageId;
  return frameOfReferenceUID !== undefined && metadata.FrameOfReferenceUID === frameOfReferenceUID;
}

function drawn({ metadata: { toolName }, data: { handles, contour } }: DrawnAnnotation, { worldToPage }: MarkerSurface) {
  return {
    toolName,
    handles: (handles?.points ?? []).map(worldToPage),
    ...(contour?.polyline && { contour: { points: contour.polyline.map(worldToPage), closed: contour.closed !== false } }),
  };
}

/** Under the region, on its left, however the image is turned: the viewer writes its own words on its right. */
function lowerLeft(shape: RoiShape, planeToPage: Parameters<typeof invert>[0], imageToPage: Parameters<typeof invert>[0]): Point {
  const [left, top, right, bottom] = boundsOf(shape);
  const corners = ([[left, top], [right, top], [left, bottom], [right, bottom]] as const).map(([x, y]) => apply(planeToPage, x, y));
  const [x, y] = [Math.min(...corners.map(at => at[0])), Math.max(...corners.map(at => at[1]))];
  return apply(invert(imageToPage), x, y + 4);
}

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** More than this beside a region covers what is read there. */
const LONGEST_LINE = 40;

/**
 * '87 cells · 1,240 / mm²', with the classes where there are several: '87 cells: 60 live, 27 dead'. Classes with long names,
 * as a difference of two results has, stand below, one a line.
 */
export function labelText({ markers, classes, cellsPerMm2 }: RoiCount, names: readonly string[]): string {
  const cells = `${whole.format(markers)} ${markers === 1 ? 'cell' : 'cells'}`;
  const density = cellsPerMm2 === undefined ? '' : ` · ${whole.format(cellsPerMm2)} / mm²`;
  if (names.length < 2) return cells + density;
  const parts = classes.map((n, i) => `${whole.format(n)} ${names[i]!}`);
  const line = `${cells}: ${parts.join(', ')}${density}`;
  return line.length <= LONGEST_LINE ? line : [cells + density, ...parts].join('\n');
}

/** 'Rectangle', 'Planar freehand': a tool's name without what is said anyway. */
function readable(toolName: string): string {
  const words = toolName.replace(/ROI(Threshold)?$|Contour$/, '').replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
