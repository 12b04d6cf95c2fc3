import { decodeFrame } from '../../dicom/decode.ts';
import { readImageInstance } from '../../dicom/instance.ts';
import { OverreadError } from '../../errors.ts';
import type { ImageReference } from '../../image/image.ts';
import type { Region } from '../../image/tiles.ts';
import type { Target } from '../../manifest.ts';
import { measureSegments } from '../../results/measure.ts';
import type { LabelmapResult, Segment } from '../../results/result.ts';
import { srgbOf } from '../cielab.ts';
import { items, numbers, text, texts, type Naturalized, type SourceInstance } from '../source.ts';
import { bytesOf, type ReadFile } from './data-set.ts';
import { framesOf, gridOf, referenced } from './grid.ts';
import { conceptIn, parametersIn, provenanceOf, targetOf, type Provenance } from './provenance.ts';

export interface ReadMask {
  readonly result: LabelmapResult;
  readonly provenance: Provenance;
}

/** A frame may lie this far from a slice's place along each axis, mm. */
const PLACE_MM = 0.01;

/**
 * A Segmentation of ours or of others as a mask on its source's grid. BINARY, LABELMAP, and FRACTIONAL from half upwards. Where
 * segments overlap, the last has the pixel.
 * @param file the whole file, of which `read` was made
 * @param sources of the study: every image that the object may be about
 * @throws OverreadError `input/inconsistent` when its images are not among them, or a frame lies on none of their slices;
 *   `input/unsupported-pixels`
 */
export async function readSegmentation(file: Uint8Array, read: ReadFile, sources: readonly SourceInstance[]): Promise<ReadMask> {
  const { set } = read;
  const segmentItems = items(set.SegmentSequence);
  const provenance = provenanceOf(set, parametersIn(text(items(segmentItems[0]?.SegmentationAlgorithmIdentificationSequence)[0]?.AlgorithmParameters)));
  const shared = items(set.SharedFunctionalGroupsSequence)[0];
  const frames = items(set.PerFrameFunctionalGroupsSequence);
  const [rows, columns] = [numbers(set.Rows)![0]!, numbers(set.Columns)![0]!];
  const spacing = numbers((items(shared?.PixelMeasuresSequence)[0] ?? items(frames[0]?.PixelMeasuresSequence)[0])?.PixelSpacing);
  const grid = gridOfMask(set, frames, sources, provenance.ours, spacing);
  const tiled = set.TotalPixelMatrixColumns !== undefined;
  if (!tiled && (grid.shape[0] !== columns || grid.shape[1] !== rows)) {
    throw new OverreadError('input/inconsistent', `The segmentation has ${columns} × ${rows} pixels, its images ${grid.shape[0]} × ${grid.shape[1]}. It is not shown.`, { expected: grid.shape, got: [columns, rows] });
  }
  const labels = new Uint8Array(grid.shape[0] * grid.shape[1] * grid.shape[2]);
  const labelMap = text(set.SegmentationType) === 'LABELMAP';
  const valuesOf = await frameValues(file, read, columns * rows);
  const slices = new Map(grid.sources.map((source, i) => ['sopInstanceUID' in source ? `${source.sopInstanceUID}#${source.frame}` : '', i]));
  for (const [i, frame] of frames.entries()) {
    const segment = numbers((items(frame.SegmentIdentificationSequence)[0] ?? items(shared?.SegmentIdentificationSequence)[0])?.ReferencedSegmentNumber)?.[0] ?? 1;
    const values = await valuesOf(i);
    const at = tiled ? tileOf(frame) : { x: 0, y: 0, slice: sliceOf(frame, slices, grid) };
    for (let y = 0; y < rows && at.y + y < grid.shape[1]; y++) {
      for (let x = 0; x < columns && at.x + x < grid.shape[0]; x++) {
        const value = values[y * columns + x]!;
        if (value !== 0) labels[(at.slice * grid.shape[1] + at.y + y) * grid.shape[0] + at.x + x] = labelMap ? value : segment;
      }
    }
  }
  const { ours: _, ...made } = provenance;
  const edited = segmentItems.some(item => text(item.SegmentAlgorithmType) === 'SEMIAUTOMATIC');
  return { provenance, result: { ...made, kind: 'labelmap', source: grid, labels, segments: segmentsOf(segmentItems, labels, grid), ...(edited && { editedAt: made.createdAt }) } };
}

/** A mask of a slide of ours, tile by tile. */
export interface ReadTiles extends Pick<LabelmapResult, 'model' | 'device' | 'createdAt'> {
  readonly source: ImageReference;
  readonly targets: readonly Target[];
  /** One a place that has a pixel; within the level. */
  readonly tiles: readonly { readonly region: Region; readonly labels: Uint8Array }[];
  /** The grid that the tiles lie on, pixels. */
  readonly tileSize: number;
  readonly glassTiles: number;
}

/**
 * A Segmentation of ours on a level of a slide, without ever making it whole.
 * @throws OverreadError as {@link readSegmentation}
 */
export async function readTiles(file: Uint8Array, read: ReadFile, sources: readonly SourceInstance[]): Promise<{ readonly tiles: ReadTiles; readonly provenance: Provenance }> {
  const { set } = read;
  const segmentItems = items(set.SegmentSequence);
  const parameters = parametersIn(text(items(segmentItems[0]?.SegmentationAlgorithmIdentificationSequence)[0]?.AlgorithmParameters));
  const provenance = provenanceOf(set, parameters);
  const frames = items(set.PerFrameFunctionalGroupsSequence);
  const [rows, columns] = [numbers(set.Rows)![0]!, numbers(set.Columns)![0]!];
  const grid = gridOfMask(set, frames, sources, provenance.ours, undefined);
  const valuesOf = await frameValues(file, read, columns * rows);
  const tiles = new Map<string, { region: Region; labels: Uint8Array }>();
  for (const [i, frame] of frames.entries()) {
    const segment = numbers(items(frame.SegmentIdentificationSequence)[0]?.ReferencedSegmentNumber)?.[0] ?? 1;
    const { x, y } = tileOf(frame);
    const region = { x, y, columns: Math.min(columns, grid.shape[0] - x), rows: Math.min(rows, grid.shape[1] - y) };
    if (region.columns <= 0 || region.rows <= 0) throw new OverreadError('input/inconsistent', `A tile of the segmentation lies at ${x}, ${y}, beyond its slide of ${grid.shape[0]} × ${grid.shape[1]} pixels. It is not shown.`, { expected: grid.shape, got: [x, y] });
    const tile = tiles.get(`${x} ${y}`) ?? { region, labels: new Uint8Array(region.columns * region.rows) };
    tiles.set(`${x} ${y}`, tile);
    const values = await valuesOf(i);
    for (let v = 0; v < region.rows; v++) for (let u = 0; u < region.columns; u++) if (values[v * columns + u] !== 0) tile.labels[v * region.columns + u] = segment;
  }
  const { model, device, createdAt } = provenance;
  return { provenance, tiles: { model, device, createdAt, source: grid, targets: targetsOf(segmentItems), tiles: [...tiles.values()], tileSize: columns, glassTiles: Number(parameters.get('glassTiles') ?? 0) } };
}

function segmentsOf(segmentItems: readonly Naturalized[], labels: Uint8Array, grid: ImageReference): Segment[] {
  const numbersOf = new Set(segmentItems.map(item => numbers(item.SegmentNumber)?.[0] ?? 0));
  return measureSegments(labels, targetsOf(segmentItems), grid).filter(({ segmentNumber }) => numbersOf.has(segmentNumber));
}

/** Counted by number, whatever numbers others gave. */
function targetsOf(segmentItems: readonly Naturalized[]): Target[] {
  const known = segmentItems.map(item => ({ number: numbers(item.SegmentNumber)?.[0] ?? 0, item })).filter(({ number }) => number > 0);
  return Array.from({ length: Math.max(0, ...known.map(({ number }) => number)) }, (_, i) => {
    const item = known.find(({ number }) => number === i + 1)?.item;
    const colour = numbers(item?.RecommendedDisplayCIELabValue);
    return {
      ...targetOf(text(item?.SegmentLabel) ?? `Segment ${i + 1}`, conceptIn(item?.SegmentedPropertyTypeCodeSequence)),
      ...(conceptIn(item?.SegmentedPropertyCategoryCodeSequence) && { category: conceptIn(item?.SegmentedPropertyCategoryCodeSequence)! }),
      ...(colour?.length === 3 && { color: srgbOf(colour as unknown as [number, number, number]) }),
    };
  });
}

/** The frames that were read: of ours exactly those it names; of others the whole series that they belong to. */
function gridOfMask(set: Naturalized, frames: readonly Naturalized[], sources: readonly SourceInstance[], ours: boolean, spacing: readonly number[] | undefined): ImageReference {
  const derived = frames.flatMap(frame => items(items(frame.DerivationImageSequence)[0]?.SourceImageSequence));
  const named = derived.flatMap(item => text(item.ReferencedSOPInstanceUID) ?? []);
  const listed = items(set.ReferencedSeriesSequence).map(series => ({
    uid: text(series.SeriesInstanceUID), instances: items(series.ReferencedInstanceSequence).flatMap(item => text(item.ReferencedSOPInstanceUID) ?? []),
  }));
  const [anchor] = named.length > 0 ? named : listed.flatMap(({ instances }) => instances);
  if (anchor === undefined) throw new OverreadError('input/inconsistent', 'The segmentation does not say of which images it is. It is not shown.', { expected: 'referenced images', got: 'none' });
  const [first] = referenced([anchor], sources);
  const ofSeries = listed.find(({ uid }) => uid === first!.seriesInstanceUID)?.instances ?? [];
  const instances = ours && ofSeries.length > 0 ? referenced(ofSeries, sources)
    : named.length > 0 && first!.planes.length === 0 ? referenced([anchor], sources)
      : sources.filter(({ seriesInstanceUID }) => seriesInstanceUID === first!.seriesInstanceUID);
  const all = framesOf(instances);
  // One frame of several that make no volume.
  const frameNumber = numbers(derived[0]?.ReferencedFrameNumber)?.[0];
  return gridOf(all.length > 1 && first!.planes.length === 0 ? all.filter(({ sopInstanceUID, frame }) => sopInstanceUID === anchor && frame === (frameNumber ?? 1)) : all, spacing);
}

function sliceOf(frame: Naturalized, slices: ReadonlyMap<string, number>, { indexToPatient: m, shape }: ImageReference): number {
  for (const source of items(items(frame.DerivationImageSequence)[0]?.SourceImageSequence)) {
    const found = slices.get(`${text(source.ReferencedSOPInstanceUID)}#${numbers(source.ReferencedFrameNumber)?.[0] ?? 1}`);
    if (found !== undefined) return found;
  }
  const position = numbers(items(frame.PlanePositionSequence)[0]?.ImagePositionPatient);
  if (position && m) {
    for (let slice = 0; slice < shape[2]; slice++) {
      if ([0, 1, 2].every(k => Math.abs(m[4 * k + 2]! * slice + m[4 * k + 3]! - position[k]!) < PLACE_MM)) return slice;
    }
  }
  throw new OverreadError('input/inconsistent', `A frame of the segmentation lies at ${position?.join(', ') ?? 'no stated place'}, where its images have no slice. It is not shown.`, { expected: 'a slice of the series', got: position });
}

function tileOf(frame: Naturalized): { x: number; y: number; slice: number } {
  const place = items(frame.PlanePositionSlideSequence)[0];
  const [x, y] = [numbers(place?.ColumnPositionInTotalImagePixelMatrix)?.[0], numbers(place?.RowPositionInTotalImagePixelMatrix)?.[0]];
  if (x === undefined || y === undefined) throw new OverreadError('input/inconsistent', 'A tile of the segmentation does not say where it lies. It is not shown.', { expected: 'PlanePositionSlideSequence', got: 'nothing' });
  return { x: x - 1, y: y - 1, slice: 0 };
}

/** What is not 0 is in. */
async function frameValues(file: Uint8Array, read: ReadFile, plane: number): Promise<(frame: number) => Uint8Array | Promise<Uint8Array>> {
  const bits = numbers(read.set.BitsAllocated)?.[0];
  const native = bytesOf(read, read.elements, '7FE00010');
  const frames = items(read.set.PerFrameFunctionalGroupsSequence).length;
  if (native && (bits === 1 || bits === 8)) {
    const expected = Math.ceil((frames * plane * bits) / 8);
    if (native.length < expected) throw new OverreadError('input/truncated', `The pixel data is shorter than its attributes promise: expected ${expected} bytes, got ${native.length}.`, { expected, got: native.length });
  }
  const half = text(read.set.SegmentationType) === 'FRACTIONAL' ? Math.ceil((numbers(read.set.MaximumFractionalValue)?.[0] ?? 255) / 2) : 1;
  if (native && bits === 1) return frame => Uint8Array.from({ length: plane }, (_, i) => (native[(frame * plane + i) >> 3]! >> ((frame * plane + i) & 7)) & 1);
  if (native && bits === 8) return frame => native.subarray(frame * plane, (frame + 1) * plane).map(value => (value >= half ? value : 0));
  if (bits === 1) throw new OverreadError('input/unsupported-pixels', `A compressed segmentation of one bit is not read (${texts(read.set.AvailableTransferSyntaxUID) ?? 'its transfer syntax'}).`, { expected: 'native', got: 'compressed' });
  const instance = readImageInstance(file);
  return async frame => Uint8Array.from((await decodeFrame(instance, frame)).values, value => (value >= half ? value : 0));
}
