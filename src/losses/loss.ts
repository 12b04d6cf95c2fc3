import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import { OverreadError } from '../errors.ts';

/**
 * What training makes smaller.
 * @param labels as the logits' shape: 0 or 1 a target, or one-hot along the last axis
 * @param logits what the network gives, before any activation
 */
export type Loss = (labels: Tensor, logits: Tensor) => Scalar;

/** How a loss takes the logits' last axis: targets that may overlap, or classes of which each pixel has one. */
export type Activation = 'sigmoid' | 'softmax';

/** @throws OverreadError `internal` for shapes that do not fit: tfjs would repeat one along the other */
export function checkShapes(labels: Tensor, logits: Tensor, weights?: Tensor, weighs: readonly number[] = logits.shape): void {
  if (labels.shape.join() !== logits.shape.join()) throw shapes('labels of the logits\' shape', logits.shape, labels.shape);
  const fits = !weights || (weights.rank === weighs.length && weights.shape.every((size, axis) => size === weighs[axis] || (axis === weighs.length - 1 && size === 1)));
  if (!fits) throw shapes('weights a pixel, the last axis being 1 or as the logits\'', weighs, weights.shape);
}

function shapes(what: string, expected: readonly number[], got: readonly number[]): OverreadError {
  return new OverreadError('internal', `Expected ${what}, [${expected}], got [${got}]. Please report this.`, { expected, got });
}
