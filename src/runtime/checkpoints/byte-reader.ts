import { OverreadError } from '../../errors.ts';

/** Walks over little-endian bytes and never past their end. */
export class ByteReader {
  readonly #view: DataView;

  constructor(readonly bytes: Uint8Array, public position: number, private readonly where: string) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** @throws OverreadError `input/truncated` */
  #take(count: number): number {
    const start = this.position;
    if (count > this.bytes.length - start) {
      throw new OverreadError('input/truncated',
        `${this.where} ends too early: expected ${count} more bytes at ${start}, got ${this.bytes.length - start}. The file was cut short; copy or download it again.`,
        { expected: count, got: this.bytes.length - start, where: this.where });
    }
    this.position = start + count;
    return start;
  }

  uint8(): number { return this.bytes[this.#take(1)]!; }
  uint16(): number { return this.#view.getUint16(this.#take(2), true); }
  int32(): number { return this.#view.getInt32(this.#take(4), true); }
  uint32(): number { return this.#view.getUint32(this.#take(4), true); }
  /** Pickle's only big-endian value. */
  float64BigEndian(): number { return this.#view.getFloat64(this.#take(8), false); }

  /** An unsigned length of eight bytes; one past 2^53 cannot be in any file and reads as one that overruns. */
  length64(): number { return Number(this.#view.getBigUint64(this.#take(8), true)); }

  /** A view, not a copy. */
  take(count: number): Uint8Array {
    const start = this.#take(count);
    return this.bytes.subarray(start, start + count);
  }

  utf8(count: number): string { return new TextDecoder().decode(this.take(count)); }
  latin1(count: number): string { return latin1(this.take(count)); }

  /** Up to the next line feed, which is read and left out. */
  line(): string {
    const end = this.bytes.indexOf(0x0a, this.position);
    const text = this.utf8((end < 0 ? this.bytes.length + 1 : end) - this.position);
    this.position++;
    return text;
  }

  /** A two's complement integer of `count` bytes; a bigint when a number cannot hold it. */
  integer(count: number): number | bigint {
    const bytes = this.take(count);
    let value = 0n;
    for (let i = count - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
    if (count > 0 && bytes[count - 1]! & 0x80) value -= 1n << BigInt(8 * count);
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }
}

export function latin1(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
