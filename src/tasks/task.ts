import type { Tensor } from '@tensorflow/tfjs-core';
import type { Image } from '../image/image.ts';
import type { ModelManifest } from '../manifest.ts';
import type { Result } from '../results/result.ts';
import type { Picture } from './picture.ts';

type Provenance = 'model' | 'device' | 'timingMs' | 'createdAt' | 'outOfDistribution';
/** A result as a task makes it, before the engine adds where it came from. */
export type Finding = Result extends infer R ? (R extends Result ? Omit<R, Provenance> : never) : never;
export type FindingOf<K extends Result['kind']> = Extract<Finding, { kind: K }>;

/** One plane as an input tensor and the way back from its pixel coordinates to the source's. */
export interface EncodedPlane {
  /** [1, ...input.shape] */
  readonly tensor: Tensor;
  readonly placement: Placement;
}

/** The network's inputs, in the order in which it is fed. */
export interface Encoded {
  readonly inputs: readonly Tensor[];
  /** Of the first picture. */
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
   * Refuses images that the model was not made for, and more or fewer of them than it reads.
   * @throws OverreadError `input/refused`, `input/views`
   */
  accept(images: readonly Image[], manifest: ModelManifest): void;
}

/** A task whose network may be given a picture, fitted, in one piece. */
export interface WholeTask<F extends Finding = Finding> extends Task<F> {
  encode(pictures: readonly Picture[], manifest: ModelManifest): Encoded;
  /** @param outputs the network's last tensors, as many as the manifest's `outputsRead` */
  decode(outputs: readonly Tensor[], encoded: Encoded, pictures: readonly Picture[], manifest: ModelManifest): Promise<F>;
}
