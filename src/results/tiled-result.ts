import type { OverreadError } from '../errors.ts';
import type { Region } from '../image/tiles.ts';
import type { Candidates } from './density-peaks.ts';
import type { ResultBase, Segment } from './result.ts';

/** One part of a mask on the source grid; all parts together cover it, each pixel once. */
export interface LabelledTile {
  readonly index: number;
  readonly region: Region;
  /** As of a labelmap result, of the region, row by row. */
  readonly labels: Uint8Array;
  /** Where asked for: as of `ProbabilityPlanes`, of the region. */
  readonly probabilities?: Uint8Array;
}

/** The cells of one part of a plane; the sums of all parts together are the plane's, each cell once. */
export interface CountedTile {
  readonly index: number;
  readonly region: Region;
  /** Cells of each class: not whole numbers. */
  readonly sums: Float64Array;
  /** Where they may be, in coordinates of the plane; `CountedTiles` chooses among those of all parts. */
  readonly candidates: Candidates;
  /** What outputs below 0, which count as 0, would have taken away, in cells: at most 0. */
  readonly negative: number;
}

/** A part that could not be read: nothing is known there, which is not the same as nothing found. */
export interface UnreadTile {
  readonly index: number;
  readonly region: Region;
  readonly error: OverreadError;
}

/**
 * The parts of a slide that show nothing but glass and are not read: nothing was looked for there, which is neither
 * nothing found nor a part that could not be read.
 */
export interface GlassTiles {
  /** How glass was told from tissue, or why all of the slide is read: for the user. */
  readonly reason: string;
  /** Ascending. */
  readonly indices: Uint32Array;
  /** x, y, columns and rows of each. */
  readonly regions: Uint32Array;
}

/** Regions of glass, neighbours along a row joined. */
export function joinedGlass({ indices, regions }: GlassTiles): Region[] {
  const out: { x: number; y: number; columns: number; rows: number }[] = [];
  for (let i = 0; i < indices.length; i++) {
    const [x, y, columns, rows] = regions.subarray(4 * i, 4 * i + 4) as unknown as [number, number, number, number];
    const last = out.at(-1);
    if (last && last.y === y && last.rows === rows && last.x + last.columns === x) last.columns += columns;
    else out.push({ x, y, columns, rows });
  }
  return out;
}

/** The tiles of glass that are not among others. */
export function withoutTiles(glass: GlassTiles, others: { has(index: number): boolean }): GlassTiles {
  const kept = [...glass.indices.keys()].filter(i => !others.has(glass.indices[i]!));
  if (kept.length === glass.indices.length) return glass;
  return { ...glass, indices: Uint32Array.from(kept, i => glass.indices[i]!), regions: Uint32Array.from(kept.flatMap(i => [...glass.regions.subarray(4 * i, 4 * i + 4)])) };
}

/** How a slide or a large picture is cut up, told before the first tile. */
export interface TiledRun {
  /** Equal for runs whose tiles fit together: same weights, same image, same tiles. */
  readonly fingerprint: string;
  readonly source: ResultBase['source'];
  readonly model: ResultBase['model'];
  /** How many tiles the whole has; their indices are 0 to `tiles` − 1. */
  readonly tiles: number;
  /** Of a slide. */
  readonly level?: LevelRead;
  /** Of a slide and a model whose manifest has a rule for it: what will not be read. */
  readonly glass?: GlassTiles;
}

/** Which of a slide's levels was read. */
export interface LevelRead {
  /** From 0, the finest. */
  readonly index: number;
  readonly of: number;
  /** Pixels of the finest level to one of this. */
  readonly downsample: number;
  readonly opticalPath: string;
  readonly chosenBy: 'user' | 'spacing' | 'finest';
  /** For the user. */
  readonly reason: string;
}

/** The end of a run whose mask, or whose cells, were handed out in tiles: all about it but these. */
export interface TiledResult extends ResultBase {
  /** Points: of a model that counts. */
  readonly kind: 'tiled labelmap' | 'tiled points';
  readonly fingerprint: string;
  readonly tiles: number;
  /** Handed out by this run, whole. */
  readonly labelled: number;
  readonly unread: readonly UnreadTile[];
  /** Of counts: cells of each class in the tiles that this run handed out. */
  readonly sums?: readonly number[];
  /** Pixels and areas of the tiles that this run handed out; none of counts. */
  readonly segments: readonly Segment[];
  readonly level?: LevelRead;
  /** What was not read, since it shows nothing but glass. */
  readonly glass?: GlassTiles;
}
