import type { Affine, Image } from '../image/image.ts';

/** The planes of an image as images of their own, for models that read one plane; the image itself when it is one. */
export function planesOf(image: Image): readonly Image[] {
  const [columns, rows, slices] = image.shape;
  if (slices === 1) return [image];
  const size = columns * rows * image.channels;
  return Array.from({ length: slices }, (_, slice) => {
    const { indexToPatient, ...rest } = image;
    return {
      ...rest,
      sliceSpacingMm: undefined,
      sources: [image.sources[slice]!],
      shape: [columns, rows, 1] as const,
      pixels: image.pixels.subarray(slice * size, (slice + 1) * size),
      ...(indexToPatient && { indexToPatient: shifted(indexToPatient, slice) }),
    };
  });
}

/** The affine of the image that begins at `slice`. */
function shifted(affine: Affine, slice: number): Affine {
  return affine.map((value, i) => (i % 4 === 3 && i < 12 ? value + slice * affine[i - 1]! : value));
}
