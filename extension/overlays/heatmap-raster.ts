import { COLOUR_TABLES, heatmapRgba, type ColourTableName } from '../../src/results/heatmap-colours.ts';
import type { HeatmapResult } from '../../src/results/result.ts';

/** How heat maps are drawn. */
export interface HeatmapStyle {
  /** 0..1, of the largest magnitude; smaller ones let more of the picture through. */
  readonly opacity: number;
  /** 0..1: what is below this share of the largest magnitude is not drawn. */
  readonly threshold: number;
  /** Taken where it suits the map: a signed one wants a table of two sides. */
  readonly table?: ColourTableName;
}

export const DEFAULT_HEATMAP_STYLE: HeatmapStyle = { opacity: 0.6, threshold: 0.2 };

/** The tables that suit a map, the default one first. */
export function tablesFor({ saliency, range }: HeatmapResult): readonly ColourTableName[] {
  return (saliency?.signed ?? range[0] < 0) ? COLOUR_TABLES.signed : COLOUR_TABLES.unsigned;
}

export function tableOf(result: HeatmapResult, asked: ColourTableName | undefined): ColourTableName {
  const tables = tablesFor(result);
  return asked && tables.includes(asked) ? asked : tables[0]!;
}

/** Values of a plane, row by row; each stands for `step` × `step` pixels of the image, fewer at its far sides. */
export interface Plane {
  readonly values: Float32Array;
  readonly columns: number;
  readonly rows: number;
  readonly step: number;
}

/** As fine as what networks read, and few enough values that a slider is answered at once. */
const LONGEST_SIDE = 512;

/** One slice of a heat map for drawing: the means of as small blocks as make its longer side fit. */
export function planeOf({ values, source: { shape: [columns, rows] } }: HeatmapResult, slice: number, longestSide = LONGEST_SIDE): Plane {
  const plane = values.subarray(slice * columns * rows, (slice + 1) * columns * rows);
  const step = Math.max(1, Math.ceil(Math.max(columns, rows) / longestSide));
  if (step === 1) return { values: plane, columns, rows, step };
  const [across, down] = [Math.ceil(columns / step), Math.ceil(rows / step)];
  const means = new Float32Array(across * down);
  for (let y = 0; y < down; y++) {
    const bottom = Math.min(rows, (y + 1) * step);
    for (let x = 0; x < across; x++) {
      const right = Math.min(columns, (x + 1) * step);
      let sum = 0;
      for (let row = y * step; row < bottom; row++) {
        for (let at = row * columns + x * step; at < row * columns + right; at++) sum += plane[at]!;
      }
      means[y * across + x] = sum / ((bottom - y * step) * (right - x * step));
    }
  }
  return { values: means, columns: across, rows: down, step };
}

/** Writes red, green, blue, alpha of a plane, but for the opacity, which is cheaper to give where it is drawn. */
export function colourPlane({ values }: Plane, result: HeatmapResult, { threshold, table }: HeatmapStyle, into: Uint8ClampedArray<ArrayBuffer>): void {
  heatmapRgba(values, { table: tableOf(result, table), range: result.range, threshold, fade: true }, into);
}
