import { OverreadError } from '../errors.ts';

/** The grid that masks lie on. Values are laid out x fastest, then y, then z. */
export interface Grid {
  /** [columns, rows, slices]; one slice for a plane. */
  readonly shape: readonly [columns: number, rows: number, slices: number];
  /** Distance of neighbours' centres along each axis, each above 0. Millimetres, or whatever the answer shall be in. */
  readonly spacing: readonly [x: number, y: number, z: number];
}

/**
 * Exact squared Euclidean distance of every element to the nearest one that is set, on a grid of any spacing: 0 on those
 * that are set, Infinity everywhere when none is. Linear in the number of elements.
 *
 * P. F. Felzenszwalb and D. P. Huttenlocher, "Distance transforms of sampled functions", Theory of Computing 8, 2012.
 * @param set columns·rows·slices values, not 0 where set
 * @throws OverreadError `internal` when the length is not the grid's
 */
export function squaredDistances(set: ArrayLike<number>, { shape, spacing }: Grid): Float64Array {
  const [columns, rows, slices] = shape;
  const elements = columns * rows * slices;
  if (set.length !== elements) {
    throw new OverreadError('internal', `Expected ${shape.join(' × ')} = ${elements} values, got ${set.length}. Please report this.`, { expected: elements, got: set.length });
  }
  const distances = new Float64Array(elements);
  for (let i = 0; i < elements; i++) distances[i] = set[i] ? 0 : Infinity;
  const strides = [1, columns, columns * rows] as const;
  const envelope = new Envelope(Math.max(...shape));
  shape.forEach((length, axis) => {
    if (length === 1) return;
    const stride = strides[axis]!;
    for (let i = 0; i < elements; i++) {
      // The first element of every line along this axis.
      if (Math.floor(i / stride) % length === 0) envelope.transform(distances, i, stride, length, spacing[axis]!);
    }
  });
  return distances;
}

/** The lower envelope of parabolas over one line; its arrays serve line after line. */
class Envelope {
  readonly #line: Float64Array;
  /** Where the parabolas of the envelope stand, and from which position on each is the lowest. */
  readonly #vertex: Int32Array;
  readonly #from: Float64Array;

  constructor(length: number) {
    this.#line = new Float64Array(length);
    this.#vertex = new Int32Array(length);
    this.#from = new Float64Array(length);
  }

  transform(values: Float64Array, start: number, stride: number, length: number, spacing: number): void {
    const [line, vertex, from] = [this.#line, this.#vertex, this.#from];
    const square = spacing * spacing;
    let last = -1;
    for (let q = 0; q < length; q++) {
      const height = (line[q] = values[start + q * stride]!);
      // A parabola at infinite height is nowhere the lowest.
      if (height === Infinity) continue;
      let position = -Infinity;
      while (last >= 0) {
        const v = vertex[last]!;
        position = (height - line[v]! + square * (q * q - v * v)) / (2 * square * (q - v));
        if (position > from[last]!) break;
        last--;
        position = -Infinity;
      }
      last++;
      vertex[last] = q;
      from[last] = position;
    }
    if (last < 0) return;
    for (let q = 0, k = 0; q < length; q++) {
      while (k < last && from[k + 1]! < q) k++;
      const v = vertex[k]!;
      values[start + q * stride] = square * (q - v) * (q - v) + line[v]!;
    }
  }
}
