import { OverreadError } from '../../errors.ts';
import { halfToNumber } from '../half.ts';

/** A tensor of a checkpoint, row-major and contiguous. 16-bit floats are widened; integers and doubles keep 53 bits. */
export interface CheckpointTensor {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly values: Float32Array | Float64Array;
}

/** Parameters and buffers by their PyTorch names ('features.conv0.weight'), in the file's order. */
export type StateDict = ReadonlyMap<string, CheckpointTensor>;

const BYTES = { float64: 8, float32: 4, float16: 2, bfloat16: 2, int64: 8, int32: 4, int16: 2, int8: 1, uint8: 1, bool: 1 } as const;
export type Dtype = keyof typeof BYTES;

export function bytesPerValue(dtype: Dtype): number {
  return BYTES[dtype];
}

export function isDtype(name: string): name is Dtype {
  return Object.hasOwn(BYTES, name);
}

/** Reads `count` little-endian values of `dtype` that start at `offset` (in values). The caller has checked the bounds. */
export function decodeValues(bytes: Uint8Array, dtype: Dtype, offset: number, count: number): Float32Array | Float64Array {
  const size = BYTES[dtype];
  // A copy, since typed arrays want aligned starts and files give none.
  const raw = bytes.slice(offset * size, (offset + count) * size).buffer;
  switch (dtype) {
    case 'float32': return new Float32Array(raw);
    case 'float64': return new Float64Array(raw);
    case 'float16': return Float32Array.from(new Uint16Array(raw), halfToNumber);
    case 'bfloat16': return new Float32Array(Uint32Array.from(new Uint16Array(raw), v => v << 16).buffer);
    case 'int64': return Float64Array.from({ length: count }, int64At(new DataView(raw)));
    case 'int32': return Float64Array.from(new Int32Array(raw));
    case 'int16': return Float64Array.from(new Int16Array(raw));
    case 'int8': return Float64Array.from(new Int8Array(raw));
    case 'uint8': case 'bool': return Float64Array.from(new Uint8Array(raw));
  }
}

/** The most values that one tensor may have: a shape beyond it is an attack or a mistake, not a network of ours. */
const MOST_VALUES = 2 ** 29;

/**
 * The number of values of a shape.
 * @throws OverreadError `model/checkpoint` when a size is no size
 */
export function countOf(shape: readonly unknown[], name: string): number {
  let count = 1;
  for (const size of shape) {
    if (typeof size !== 'number' || !Number.isInteger(size) || size < 0) throw badShape(name, shape);
    count *= size;
    if (count > MOST_VALUES) throw badShape(name, shape);
  }
  return count;
}

function badShape(name: string, shape: readonly unknown[]): OverreadError {
  return new OverreadError('model/checkpoint',
    `The tensor ${name} of the checkpoint has the shape [${shape.map(String).join(', ')}]; expected whole numbers with a product of at most ${MOST_VALUES}. Save the checkpoint again.`,
    { name, got: shape.map(String), expected: MOST_VALUES });
}

function int64At(view: DataView): (_: unknown, index: number) => number {
  return (_, index) => Number(view.getBigInt64(index * 8, true));
}
