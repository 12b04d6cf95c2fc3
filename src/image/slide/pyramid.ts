import type { DicomJson } from '../../dicom/dicomjson.ts';
import type { SynthesisRule } from '../../dicom/synthesis.ts';
import { OverreadError, toOverreadError } from '../../errors.ts';
import { readSlideImage, type SlideImage } from './slide-image.ts';
import { tileGrid, type TileGrid } from './tile-grid.ts';

/** One resolution of a slide. */
export interface SlideLevel {
  /** What describes it: the image, or the first part of a concatenation. */
  readonly image: SlideImage;
  readonly grid: TileGrid;
  readonly columns: number;
  readonly rows: number;
  /** Pixels of the finest level to one of this level, along a row. */
  readonly downsample: number;
  /** Absent where the slide does not say. */
  readonly spacingMm?: readonly [column: number, row: number];
}

/** An instance that is no level, and why. */
export interface LeftOutImage {
  readonly sopInstanceUID?: string;
  readonly reason: string;
}

export interface SlidePyramid {
  /** The finest first; at least one. */
  readonly levels: readonly SlideLevel[];
  readonly opticalPath: string;
  /** Labels, overviews and thumbnails, and instances that could not be read. */
  readonly leftOut: readonly LeftOutImage[];
}

export interface PyramidOptions {
  /** Identifier of the one to read, where a slide has several. */
  readonly opticalPath?: string;
  /** Of the site, on what was synthesised. */
  readonly synthesisRules?: readonly SynthesisRule[];
}

/**
 * The levels of one slide.
 * @param instances of its series, in any order: DICOM JSON of the headers
 * @throws OverreadError `input/no-pixels` when no instance is a level; `input/refused` for several slides, or for several
 *   optical paths where none was chosen; `input/unsupported-pixels`, `input/inconsistent` for a level that cannot be read
 */
export function slidePyramid(instances: readonly DicomJson[], { opticalPath, synthesisRules }: PyramidOptions = {}): SlidePyramid {
  const leftOut: LeftOutImage[] = [];
  const volumes: SlideImage[] = [];
  let firstError: OverreadError | undefined;
  for (const json of instances) {
    try {
      const image = readSlideImage(json, synthesisRules);
      if (image.flavour === 'VOLUME') volumes.push(image);
      else leftOut.push({ sopInstanceUID: image.sopInstanceUID, reason: `a picture beside the slide: ${image.flavour}` });
    } catch (error) {
      const known = toOverreadError(error);
      firstError ??= known;
      const uid = json['00080018']?.Value?.[0];
      leftOut.push({ ...(typeof uid === 'string' && { sopInstanceUID: uid }), reason: known.message });
    }
  }
  if (volumes.length === 0) {
    if (firstError) throw firstError;
    throw new OverreadError('input/no-pixels', `Expected a slide with an image of its tissue (Image Type VOLUME), got ${leftOut.map(({ reason }) => reason).join('; ') || 'no instances'}. Choose the series of the slide.`, { expected: 'VOLUME', got: leftOut.length });
  }
  checkOneSlide(volumes);
  const path = chosenPath(volumes, opticalPath);
  const levels = assembled(volumes, path).map(parts => levelOf(parts, path)).sort((a, b) => b.columns - a.columns);
  checkSizes(levels);
  const finest = levels[0]!;
  return { levels: levels.map(level => ({ ...level, downsample: finest.columns / level.columns })), opticalPath: path ?? finest.image.opticalPaths[0]!, leftOut };
}

function checkOneSlide(images: readonly SlideImage[]): void {
  for (const [what, of] of [['series', (i: SlideImage) => i.seriesInstanceUID], ['pyramid', (i: SlideImage) => i.pyramidUID], ['frame of reference', (i: SlideImage) => i.frameOfReferenceUID]] as const) {
    const all = [...new Set(images.map(of))];
    if (all.length < 2) continue;
    throw new OverreadError('input/refused', `Expected the images of one slide, got ${all.length} of different ${what}: ${all.map(uid => uid ?? 'none').join(', ')}. Choose one slide.`, { expected: 1, got: all });
  }
}

/** Undefined where each image has one and they need not be told apart. */
function chosenPath(images: readonly SlideImage[], asked: string | undefined): string | undefined {
  const all = [...new Set(images.flatMap(({ opticalPaths }) => opticalPaths))];
  if (asked !== undefined) {
    if (all.includes(asked)) return asked;
    throw new OverreadError('input/refused', `Expected an optical path of the slide (${all.join(', ')}), got ${asked}. Choose one that is there.`, { expected: all, got: asked });
  }
  if (all.length === 1) return all[0];
  const sizes = new Set(images.map(sizeKey));
  if (images.every(({ opticalPaths }) => opticalPaths.length === 1) && sizes.size === images.length) return undefined;
  throw new OverreadError('input/refused', `The slide has ${all.length} optical paths (${all.join(', ')}), and a model reads one. Choose one of them.`, { expected: 1, got: all });
}

const sizeKey = ({ totalColumns, totalRows, concatenation }: SlideImage): string => `${totalColumns}×${totalRows} ${concatenation?.uid ?? ''}`;

/** Images of the path, those of a concatenation together and in their order. */
function assembled(images: readonly SlideImage[], path: string | undefined): SlideImage[][] {
  const groups = new Map<string, SlideImage[]>();
  for (const image of images) {
    if (path !== undefined && !image.opticalPaths.includes(path)) continue;
    const key = image.concatenation?.uid ?? image.sopInstanceUID;
    groups.set(key, [...(groups.get(key) ?? []), image]);
  }
  return [...groups.values()].map(group => (group[0]!.concatenation ? wholeConcatenation(group) : group));
}

/** @throws OverreadError `input/inconsistent` when a part is missing */
function wholeConcatenation(group: readonly SlideImage[]): SlideImage[] {
  const parts = [...group].sort((a, b) => a.concatenation!.firstFrame - b.concatenation!.firstFrame);
  const { uid, parts: stated } = parts[0]!.concatenation!;
  let next = 0;
  for (const { concatenation, format } of parts) {
    if (concatenation!.firstFrame !== next) {
      throw new OverreadError('input/inconsistent', `Of the concatenation ${uid}, the part that begins with frame ${next + 1} is missing. Fetch all of its instances.`, { expected: next, got: concatenation!.firstFrame });
    }
    next += format.numberOfFrames;
  }
  if (stated !== undefined && stated !== parts.length) {
    throw new OverreadError('input/inconsistent', `The concatenation ${uid} has ${stated} parts, got ${parts.length}. Fetch all of its instances.`, { expected: stated, got: parts.length });
  }
  return parts;
}

function levelOf(parts: readonly SlideImage[], path: string | undefined): SlideLevel {
  const [image] = parts as readonly [SlideImage];
  return {
    image,
    grid: tileGrid(parts, path ?? image.opticalPaths[0]!),
    columns: image.totalColumns,
    rows: image.totalRows,
    downsample: 1,
    ...(image.spacing && { spacingMm: image.spacing.mm }),
  };
}

function checkSizes(levels: readonly SlideLevel[]): void {
  for (const [i, { columns, rows }] of levels.entries()) {
    const next = levels[i + 1];
    if (next?.columns !== columns || next.rows !== rows) continue;
    throw new OverreadError('input/inconsistent', `Two images of the slide have ${columns} × ${rows} pixels: which one to read is not known. Take one of them away.`, { expected: 'one image a resolution', got: 2 });
  }
}
