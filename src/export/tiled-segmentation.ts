import { OverreadError } from '../errors.ts';
import type { ImageReference } from '../image/image.ts';
import type { Region } from '../image/tiles.ts';
import type { Target } from '../manifest.ts';
import type { Segment } from '../results/result.ts';
import { sourceOf, type ExportContext, type Made } from './derived.ts';
import { dimensions, planeGroups, SEGMENT_DIMENSION, slideGeometry, TILE_DIMENSIONS } from './frames.ts';
import { code } from './identity.ts';
import type { DicomObject } from './part10.ts';
import { packBits, segmentationModules, segmentationPixels } from './segmentation.ts';
import { freshUid } from './uid.ts';

/** A mask of a level of a slide, which is never whole in memory. */
export interface TiledMask extends Made {
  /** The level that was read. */
  readonly source: ImageReference;
  /** Segment 1 is the first. */
  readonly targets: readonly Target[];
  /** Labels of a region within the level, row by row; undefined where all are 0. */
  labelsIn(region: Region): Uint8Array | undefined;
  /** Tiles that were not read, since they show nothing but glass. */
  readonly glassTiles?: number;
}

/** Of pixels in one object. */
const MOST_BYTES = 2 ** 30;

/** A frame's side, pixels. */
export const TILE = 512;

/**
 * A mask of a slide as BINARY Segmentation, TILED_SPARSE: a frame for each tile and segment that has a pixel; an empty mask
 * has one empty frame. What lies beyond the slide's edge is 0.
 * @throws OverreadError as `sourceOf` and `slideGeometry`; `input/refused` for one of more than 1 GiB
 */
export function tiledSegmentation(mask: TiledMask, context: ExportContext): DicomObject {
  const { source: image, targets } = mask;
  const [columns, rows] = image.shape;
  const source = sourceOf(image.sources[0]!, context);
  const { organisation, shared, positionAt, frameOfReference } = slideGeometry(image, source);
  // The tiles of a level have no order in common with its frames: the instance is the source, not one of its frames.
  const of = { ...source, numberOfFrames: 1 };
  const segments: Segment[] = targets.map((target, i) => ({ target, segmentNumber: i + 1, pixels: 0 }));
  const groups: DicomObject[] = [];
  const frames: Uint8Array[] = [];
  const add = (segmentNumber: number, x: number, y: number, values: Uint8Array): void => {
    groups.push({
      FrameContentSequence: [{ DimensionIndexValues: [segmentNumber, y / TILE + 1, x / TILE + 1] }],
      ...planeGroups({ source: of, position: positionAt(x, y) }, code('113076', 'DCM', 'Segmentation')),
      SegmentIdentificationSequence: [{ ReferencedSegmentNumber: segmentNumber }],
    });
    if ((frames.length + 1) * TILE * TILE > 8 * MOST_BYTES) {
      throw new OverreadError('input/refused', 'The mask of this slide comes to more than 1 GiB. It is not written: read a smaller level.', { expected: MOST_BYTES });
    }
    // A bit a pixel, at once: a slide has many.
    frames.push(new Uint8Array(packBits([values], TILE * TILE), 0, (TILE * TILE) / 8));
  };
  for (let y = 0; y < rows; y += TILE) {
    for (let x = 0; x < columns; x += TILE) {
      const region = { x, y, columns: Math.min(TILE, columns - x), rows: Math.min(TILE, rows - y) };
      const labels = mask.labelsIn(region);
      if (!labels) continue;
      for (const { segmentNumber } of segments) if (labels.includes(segmentNumber)) add(segmentNumber, x, y, framed(labels, region, segmentNumber));
    }
  }
  if (frames.length === 0) add(1, 0, 0, new Uint8Array(TILE * TILE));
  const pixels = new Uint8Array((frames.length * TILE * TILE) / 8);
  frames.forEach((bits, i) => pixels.set(bits, (i * TILE * TILE) / 8));
  return {
    ...segmentationModules(mask, { type: 'BINARY', segments, sources: [source], context, parameters: { glassTiles: mask.glassTiles ?? 0 } }),
    ...frameOfReference,
    ...organisation,
    ...dimensions([SEGMENT_DIMENSION, ...TILE_DIMENSIONS], freshUid()),
    SharedFunctionalGroupsSequence: [shared],
    PerFrameFunctionalGroupsSequence: groups,
    ...segmentationPixels('BINARY', TILE, TILE, frames.length),
    PixelData: pixels.buffer,
  };
}

function framed(labels: Uint8Array, { columns, rows }: Region, segmentNumber: number): Uint8Array {
  const out = new Uint8Array(TILE * TILE);
  for (let y = 0; y < rows; y++) for (let x = 0; x < columns; x++) if (labels[y * columns + x] === segmentNumber) out[y * TILE + x] = 1;
  return out;
}
