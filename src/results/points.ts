import type { Target } from '../manifest.ts';
import type { ResultBase } from './result.ts';

/**
 * How many cells, and where. Every class has a density on the source grid, whose sum is its count; its markers are the
 * `markers` surest peaks of that density, as many as the count rounds to, so that the two numbers are told from one
 * another and never drift apart in silence.
 */
export interface PointsResult extends ResultBase {
  readonly kind: 'points';
  /** [x0, y0, x1, y1, …] in index coordinates of the source plane: a pixel's centre is a whole number. */
  readonly coordinates: Float32Array;
  /** Of each marker: index into `classes`. */
  readonly classOf: Uint8Array;
  /** Of each marker, 0..1. */
  readonly confidences: Float32Array;
  readonly classes: readonly CountedClass[];
  /** Over all classes. */
  readonly total: Count;
  /** Cells a pixel and class, [classes, rows, columns] on the source grid; absent where it would be too large, or where cells were found without one. */
  readonly density?: Float32Array;
  /** When a reader last added, deleted or re-classed a marker, ISO 8601, UTC: from then on counts are of markers and have no interval. */
  readonly editedAt?: string;
  /** What a reader has to know of this count: 'saturated picture', 'no PixelSpacing: no cells/mm²'. */
  readonly remarks?: readonly string[];
}

export interface CountedClass extends Count {
  readonly target: Target;
}

export interface Count {
  /** Sum of the density: not a whole number. Of classic counts and of edited ones, the number of markers. */
  readonly count: number;
  readonly markers: number;
  /** Holds the true count with this probability on the model's validation images; absent where none was calibrated. */
  readonly interval?: { readonly low: number; readonly high: number; readonly level: number };
  /** Where the source states its pixel spacing. */
  readonly cellsPerMm2?: number;
}
