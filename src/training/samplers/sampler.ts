import { OverreadError } from '../../errors.ts';

/** A picture's labels: what a sampler knows of it. */
export interface LabelledPicture {
  readonly columns: number;
  readonly rows: number;
  /** columns · rows class indices, row by row; 0 is the background. */
  readonly labels: ArrayLike<number>;
}

/** Where a patch lies: its centre is a pixel of a picture. */
export interface Patch {
  /** Index into the pictures. */
  readonly picture: number;
  readonly column: number;
  readonly row: number;
  /** The class at the centre. */
  readonly label: number;
}

/** A source of patches without end; the same seed gives the same ones. */
export interface Sampler {
  next(): Patch;
  /** Goes on with the numbers of another seed, so that what is drawn in a step is known from the step. */
  reseed(seed: number): void;
}

/** @throws OverreadError `config/invalid` for no pictures, or labels that are not the picture's */
export function checkPictures(pictures: readonly LabelledPicture[]): void {
  if (pictures.length === 0) throw new OverreadError('config/invalid', 'Expected pictures to sample patches from, got none. Give at least one.', { expected: 'pictures', got: 0 });
  for (const [i, { columns, rows, labels }] of pictures.entries()) {
    if (columns >= 1 && rows >= 1 && labels.length === columns * rows) continue;
    throw new OverreadError('config/invalid', `Expected ${columns} × ${rows} labels for picture ${i}, at least one, got ${labels.length}. Give the mask of the same picture.`, { expected: columns * rows, got: labels.length });
  }
}
