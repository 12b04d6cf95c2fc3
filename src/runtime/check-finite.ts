import { OverreadError } from '../errors.ts';

/** @throws OverreadError `model/output` */
export function checkFinite(values: ArrayLike<number>, modelId: string): void {
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i])) continue;
    throw new OverreadError(
      'model/output',
      `The model ${modelId} gave ${values[i]} where a finite number was expected (value ${i} of ${values.length}). ` +
        'No result was made; run on another backend, and if it happens there too, the weights are broken.',
      { expected: 'finite numbers', got: String(values[i]) },
    );
  }
}
