type Values = Float32Array | Float64Array;

/** The values of an array that lies in another one with a stride of its own along each axis, one after the other. */
export function strided<T extends Values>(values: T, shape: readonly number[], strides: readonly number[], offset = 0): T {
  const count = shape.reduce((product, side) => product * side, 1);
  const out = (values instanceof Float32Array ? new Float32Array(count) : new Float64Array(count)) as T;
  const index = shape.map(() => 0);
  let at = offset;
  for (let i = 0; i < count; i++) {
    out[i] = values[at]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      at -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return out;
}

/**
 * With its axes in another order: in plain arrays, not by tf.transpose, which on a GPU backend would send every weight there and back.
 * @param order of each axis of the outcome, which one it was
 */
export function transposedValues<T extends Values>(values: T, shape: readonly number[], order: readonly number[]): T {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  return strided(values, order.map(axis => shape[axis]!), order.map(axis => strides[axis]!));
}
