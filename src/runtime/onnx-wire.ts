/** Just enough of Protocol Buffers' wire format to write an ONNX file: numbers, texts, bytes and nested messages. */
export type Field = readonly [number: number, value: number | Float | string | Uint8Array | Message];
export type Message = readonly Field[];

/** A 32-bit float; a bare number is an integer. */
export class Float {
  constructor(readonly value: number) {}
}

const VARINT = 0;
const BYTES = 2;
const FIXED32 = 5;

export function encode(message: Message): Uint8Array {
  const parts = message.flatMap(([number, value]) => field(number, value));
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

function field(number: number, value: Field[1]): Uint8Array[] {
  const key = (type: number) => varint(number * 8 + type);
  if (typeof value === 'number') return [key(VARINT), varint(value)];
  if (value instanceof Float) return [key(FIXED32), new Uint8Array(Float32Array.of(value.value).buffer)];
  const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value instanceof Uint8Array ? value : encode(value);
  return [key(BYTES), varint(bytes.length), bytes];
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    const low = Number(rest & 127n);
    rest >>= 7n;
    bytes.push(rest ? low | 128 : low);
  } while (rest);
  return Uint8Array.from(bytes);
}
