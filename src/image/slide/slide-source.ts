import { OverreadError } from '../../errors.ts';
import type { ImageReference } from '../image.ts';
import type { Region, TileSource } from '../tiles.ts';
import { DecodedFrames, slideChannels, slideRange } from './decoded-frames.ts';
import type { FrameReader } from './frames.ts';
import { absentValue, slideOverview, slideSample } from './overview.ts';
import type { SlideLevel, SlidePyramid } from './pyramid.ts';
import { WHOLE_SLIDE } from './slide-image.ts';
import { tissueMap } from './tissue.ts';

export interface SlideSourceOptions {
  /** Bytes of decoded frames that stay for the neighbours' tiles; 64 MiB when left out. */
  readonly keptBytes?: number;
}

/**
 * One level of a slide, read frame by frame as its regions are wanted. Tiles that a TILED_SPARSE image does not hold are
 * white, as glass is, or the darkest grey level. A frame that cannot be read fails the regions that show it, no others.
 * @param level one of `pyramid.levels`
 */
export function slideSource(pyramid: SlidePyramid, level: SlideLevel, reader: FrameReader, { keptBytes }: SlideSourceOptions = {}): TileSource {
  const frames = new DecodedFrames(reader, keptBytes);
  const reference = slideReference(level);
  const representableRange = slideRange(level.image);
  return {
    reference,
    representableRange,
    read: (region, signal) => readRegion(frames, level, region, signal),
    overview: async signal => ({ ...slideReference(pyramid.levels.at(-1)!), representableRange, ...(await slideOverview(frames, pyramid.levels.at(-1)!, signal)) }),
    sample: async (signal, tissue) => ({ ...reference, representableRange, ...(await slideSample(frames, level, signal, tissue)) }),
    tissue: (marginMm, signal) => tissueMap(pyramid, level, reader, { marginMm }, signal),
  };
}

/** What a result on this level lives on. */
export function slideReference({ image, columns, rows, spacingMm }: SlideLevel): ImageReference {
  const { studyInstanceUID, seriesInstanceUID, sopInstanceUID, modality, frameOfReferenceUID, patientID, seriesDescription, synthesised, transferSyntaxUID, format } = image;
  const attributes = { patientID, seriesDescription, synthesised, sopClassUID: WHOLE_SLIDE, photometricInterpretation: format.photometricInterpretation, transferSyntaxUID };
  return {
    sources: [{ studyInstanceUID, seriesInstanceUID, sopInstanceUID, frame: 1 }],
    modality,
    shape: [columns, rows, 1],
    channels: slideChannels(image),
    ...(frameOfReferenceUID !== undefined && { frameOfReferenceUID }),
    ...(spacingMm && { spacingMm, spacingSource: 'SharedFunctionalGroups' as const }),
    attributes: Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined)),
  };
}

async function readRegion(frames: DecodedFrames, level: SlideLevel, region: Region, signal?: AbortSignal): Promise<Float32Array> {
  const { image: { format }, columns, rows } = level;
  if (region.x < 0 || region.y < 0 || region.x + region.columns > columns || region.y + region.rows > rows) {
    throw new OverreadError('internal', `Expected a region inside ${columns} × ${rows} pixels, got ${JSON.stringify(region)}. Please report this.`, { expected: [columns, rows], got: region });
  }
  const out = new Float32Array(region.columns * region.rows * slideChannels(level.image));
  const [firstColumn, lastColumn] = [Math.floor(region.x / format.columns), Math.floor((region.x + region.columns - 1) / format.columns)];
  const [firstRow, lastRow] = [Math.floor(region.y / format.rows), Math.floor((region.y + region.rows - 1) / format.rows)];
  const parts: Promise<void>[] = [];
  for (let row = firstRow; row <= lastRow; row++) {
    for (let column = firstColumn; column <= lastColumn; column++) parts.push(place(frames, level, [column, row], region, out, signal));
  }
  // All are waited for: none may fail where nobody listens.
  const failed = (await Promise.allSettled(parts)).find(part => part.status === 'rejected');
  if (failed) throw failed.reason;
  return out;
}

/** Puts what a tile shows of the region into `out`. */
async function place(frames: DecodedFrames, { image, grid }: SlideLevel, [column, row]: readonly [number, number], region: Region, out: Float32Array, signal?: AbortSignal): Promise<void> {
  const { columns: width, rows: height } = image.format;
  const channels = slideChannels(image);
  const [left, top] = [column * width, row * height];
  const [fromX, fromY] = [Math.max(region.x, left), Math.max(region.y, top)];
  const [toX, toY] = [Math.min(region.x + region.columns, left + width), Math.min(region.y + region.rows, top + height)];
  const address = grid.frameAt(column, row);
  const values = address && (await frames.read(image, address, signal));
  const line = (toX - fromX) * channels;
  for (let y = fromY; y < toY; y++) {
    const at = ((y - region.y) * region.columns + fromX - region.x) * channels;
    const start = ((y - top) * width + fromX - left) * channels;
    if (values) out.set(values.subarray(start, start + line), at);
    else out.fill(absentValue(image), at, at + line);
  }
}
