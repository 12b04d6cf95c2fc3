import type { Tensor } from '@tensorflow/tfjs-core';
import type { Image } from '../image/image.ts';
import type { ModelManifest } from '../manifest.ts';
import type { Result } from '../results/result.ts';

type Provenance = 'model' | 'device' | 'timingMs' | 'createdAt';
/** A result as a task makes it, before the engine adds where it came from. */
export type Finding = Result extends infer R ? (R extends Result ? Omit<R, Provenance> : never) : never;
export type FindingOf<K extends Result['kind']> = Extract<Finding, { kind: K }>;

/** An input tensor and the way back from its pixel coordinates to the source's. */
export interface Encoded {
  /** [1, ...input.shape] */
  readonly tensor: Tensor;
  readonly placement: Placement;
}

/**
 * Where the source plane lies in the network's input. Image coordinates start at a pixel's corner, so pixel i covers
 * [i, i + 1): input = source · scale + offset, for x (columns) and y (rows).
 */
export interface Placement {
  readonly scale: readonly [x: number, y: number];
  readonly offset: readonly [x: number, y: number];
  readonly inputSize: readonly [columns: number, rows: number];
  readonly sourceSize: readonly [columns: number, rows: number];
}

export interface Task<F extends Finding = Finding> {
  readonly id: string;
  readonly kind: F['kind'];
  /**
   * Refuses an image that the model was not made for.
   * @throws OverreadError `input/refused`
   */
  accept(image: Image, manifest: ModelManifest): void;
  encode(image: Image, manifest: ModelManifest): Encoded;
  decode(output: Tensor, encoded: Encoded, image: Image, manifest: ModelManifest): Promise<F>;
}
