import type { Shape } from './network.ts';

/** [n, rows, columns, channels] → [n, channels, rows, columns]; of other ranks a copy. */
export function channelsFirst(values: ArrayLike<number>, shape: readonly number[]): { values: Float32Array; shape: readonly number[] } {
  if (shape.length !== 4) return { values: Float32Array.from(values), shape };
  const [n, rows, columns, channels] = shape as [number, number, number, number];
  return { values: swapped(values, n, rows * columns, channels), shape: [n, channels, rows, columns] };
}

/** [n, channels, rows, columns] → [n, rows, columns, channels]; of other ranks a copy. */
export function channelsLast(values: ArrayLike<number>, shape: readonly number[]): { values: Float32Array; shape: readonly number[] } {
  if (shape.length !== 4) return { values: Float32Array.from(values), shape };
  const [n, channels, rows, columns] = shape as [number, number, number, number];
  return { values: swapped(values, n, channels, rows * columns), shape: [n, rows, columns, channels] };
}

/** A shape as ONNX has it, channels first, as the engine has it. A name (a string) is a size that is open. */
export function shapeChannelsLast(shape: readonly (number | string)[]): Shape {
  const sizes = shape.map(size => (typeof size === 'number' && size > 0 ? size : null));
  if (sizes.length !== 4) return sizes;
  const [n, channels, rows, columns] = sizes as [number | null, number | null, number | null, number | null];
  return [n, rows, columns, channels];
}

/** The last two axes of [n, rows, columns], exchanged. */
function swapped(values: ArrayLike<number>, n: number, rows: number, columns: number): Float32Array {
  const out = new Float32Array(values.length);
  for (let i = 0, at = 0; i < n; i++) {
    const start = i * rows * columns;
    for (let row = 0; row < rows; row++) for (let column = 0; column < columns; column++) out[start + column * rows + row] = values[at++]!;
  }
  return out;
}
