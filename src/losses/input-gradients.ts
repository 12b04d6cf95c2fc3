import type { Tensor } from '@tensorflow/tfjs-core';
import { OverreadError } from '../errors.ts';
import type { Activation } from './loss.ts';

/** What losses on a network's derivatives by its pictures are given. */
export interface Guidance {
  /** [n, rows, columns, channels] → logits [n, targets]; computed under tfjs's tape. */
  readonly network: (pictures: Tensor) => Tensor;
  readonly pictures: Tensor;
  /** [n, rows, columns, 1]: 1 where a pixel is no reason for the answer, 0 within the mask, and 0 everywhere in a picture without a mask. */
  readonly outside: Tensor;
  readonly activation: Activation;
}

/** @throws OverreadError `internal` for masks of another size: tfjs would repeat one along the other */
export function checkGuidance(pictures: Tensor, outside: Tensor): void {
  const wanted = [...pictures.shape.slice(0, -1), 1];
  if (outside.shape.join() === wanted.join()) return;
  throw new OverreadError('internal', `Expected masks of shape [${wanted}], got [${outside.shape}]. Please report this.`, { expected: wanted, got: outside.shape });
}
