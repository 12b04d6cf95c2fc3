import {
  AC_CHROMINANCE, AC_LUMINANCE, CHROMINANCE_QUANTA, DC_CHROMINANCE, DC_LUMINANCE, LUMINANCE_QUANTA, ZIGZAG, type HuffmanSpec,
} from './jpeg-tables.ts';

/** Taken once: in the inner loops a global costs a look-up, and much in a test runner's sandbox. */
const { clz32, floor, max, min, round } = Math;

interface Codes {
  /** By symbol. */
  readonly code: Uint16Array;
  readonly length: Uint8Array;
}

function codesOf({ counts, symbols }: HuffmanSpec): Codes {
  const code = new Uint16Array(256);
  const length = new Uint8Array(256);
  let next = 0;
  let at = 0;
  for (let bits = 1; bits <= 16; bits++) {
    for (let k = 0; k < counts[bits - 1]!; k++) {
      code[symbols[at]!] = next++;
      length[symbols[at++]!] = bits;
    }
    next <<= 1;
  }
  return { code, length };
}

/** Scale factors of the AAN transform, which leaves them to the quantiser. */
const AAN = [1, 1.387039845, 1.306562965, 1.175875602, 1, 0.785694958, 0.541196100, 0.275899379] as const;

interface Component {
  readonly quanta: Uint8Array;
  /** 1 / (8 · quantum · AAN scales), row-major. */
  readonly divisors: Float32Array;
  readonly dc: Codes;
  readonly ac: Codes;
}

function componentOf(base: Uint8Array, quality: number, dc: HuffmanSpec, ac: HuffmanSpec): Component {
  const scale = quality < 50 ? 5000 / quality : 200 - 2 * quality;
  const quanta = base.map((value) => max(1, min(255, floor((value * scale + 50) / 100))));
  const divisors = Float32Array.from(quanta, (value, i) => 1 / (8 * value * AAN[i >> 3]! * AAN[i & 7]!));
  return { quanta, divisors, dc: codesOf(dc), ac: codesOf(ac) };
}

/**
 * Encodes RGB frames of one size as baseline JPEG (ITU-T T.81), YCbCr with chroma halved across, as DICOM's
 * YBR_FULL_422 says. Tables and buffers are made once: many tiles leave little to collect.
 */
export class JpegEncoder {
  private readonly y: Component;
  private readonly c: Component;
  private out = new Uint8Array(1 << 16);
  private at = 0;
  private bits = 0;
  private bitCount = 0;
  private readonly block = new Float32Array(64);
  private readonly levels = new Int16Array(64);
  private readonly planes: readonly [Float32Array, Float32Array, Float32Array];

  /**
   * @param columns a multiple of 16
   * @param rows a multiple of 8
   * @param quality 1..100 as libjpeg counts
   */
  constructor(readonly columns: number, readonly rows: number, readonly quality: number) {
    if (columns % 16 !== 0 || rows % 8 !== 0) throw new RangeError(`Expected columns by 16 and rows by 8, got ${columns} × ${rows}.`);
    this.y = componentOf(LUMINANCE_QUANTA, quality, DC_LUMINANCE, AC_LUMINANCE);
    this.c = componentOf(CHROMINANCE_QUANTA, quality, DC_CHROMINANCE, AC_CHROMINANCE);
    this.planes = [new Float32Array(columns * rows), new Float32Array((columns * rows) / 2), new Float32Array((columns * rows) / 2)];
  }

  /**
   * @param rgb interleaved, columns · rows · 3
   * @returns a whole JPEG, a copy of its own
   */
  encode(rgb: Uint8Array): Uint8Array {
    this.at = 0;
    this.bits = 0;
    this.bitCount = 0;
    this.split(rgb);
    this.header();
    const previous = [0, 0, 0];
    const [y, cb, cr] = this.planes;
    const { columns, rows } = this;
    for (let top = 0; top < rows; top += 8) {
      for (let left = 0; left < columns; left += 16) {
        previous[0] = this.encodeBlock(y, columns, left, top, this.y, previous[0]!);
        previous[0] = this.encodeBlock(y, columns, left + 8, top, this.y, previous[0]);
        previous[1] = this.encodeBlock(cb, columns / 2, left / 2, top, this.c, previous[1]!);
        previous[2] = this.encodeBlock(cr, columns / 2, left / 2, top, this.c, previous[2]!);
      }
    }
    if (this.bitCount > 0) this.put(0x7f, 7);
    this.marker(0xd9);
    return this.out.slice(0, this.at);
  }

  private split(rgb: Uint8Array): void {
    const [luma, blue, red] = this.planes;
    for (let i = 0, j = 0, k = 0; i < luma.length; i += 2, j += 6, k++) {
      const r0 = rgb[j]!;
      const g0 = rgb[j + 1]!;
      const b0 = rgb[j + 2]!;
      const r1 = rgb[j + 3]!;
      const g1 = rgb[j + 4]!;
      const b1 = rgb[j + 5]!;
      luma[i] = 0.299 * r0 + 0.587 * g0 + 0.114 * b0 - 128;
      luma[i + 1] = 0.299 * r1 + 0.587 * g1 + 0.114 * b1 - 128;
      const r = (r0 + r1) / 2;
      const g = (g0 + g1) / 2;
      const b = (b0 + b1) / 2;
      blue[k] = -0.168736 * r - 0.331264 * g + 0.5 * b;
      red[k] = 0.5 * r - 0.418688 * g - 0.081312 * b;
    }
  }

  private encodeBlock(plane: Float32Array, stride: number, left: number, top: number, component: Component, previous: number): number {
    const { block, levels } = this;
    for (let row = 0, i = 0; row < 8; row++) {
      const from = (top + row) * stride + left;
      for (let column = 0; column < 8; column++) block[i++] = plane[from + column]!;
    }
    transform(block);
    const { divisors, dc, ac } = component;
    for (let k = 0; k < 64; k++) {
      const i = ZIGZAG[k]!;
      levels[k] = round(block[i]! * divisors[i]!);
    }
    const difference = levels[0]! - previous;
    const size = bitLength(difference);
    this.put(dc.code[size]!, dc.length[size]!);
    if (size > 0) this.put(difference < 0 ? difference + (1 << size) - 1 : difference, size);
    let last = 63;
    while (last > 0 && levels[last] === 0) last--;
    let zeros = 0;
    for (let k = 1; k <= last; k++) {
      const level = levels[k]!;
      if (level === 0) {
        zeros++;
        continue;
      }
      for (; zeros > 15; zeros -= 16) this.put(ac.code[0xf0]!, ac.length[0xf0]!);
      const bits = bitLength(level);
      const symbol = (zeros << 4) | bits;
      this.put(ac.code[symbol]!, ac.length[symbol]!);
      this.put(level < 0 ? level + (1 << bits) - 1 : level, bits);
      zeros = 0;
    }
    if (last < 63) this.put(ac.code[0]!, ac.length[0]!);
    return levels[0]!;
  }

  /** At most 16 bits, after at most 7 that wait. */
  private put(value: number, length: number): void {
    this.bits = (this.bits << length) | value;
    this.bitCount += length;
    while (this.bitCount >= 8) {
      const byte = (this.bits >>> (this.bitCount - 8)) & 0xff;
      this.byte(byte);
      if (byte === 0xff) this.byte(0);
      this.bitCount -= 8;
    }
    this.bits &= (1 << this.bitCount) - 1;
  }

  private byte(value: number): void {
    if (this.at === this.out.length) {
      const larger = new Uint8Array(this.out.length * 2);
      larger.set(this.out);
      this.out = larger;
    }
    this.out[this.at++] = value;
  }

  private marker(code: number, ...payload: readonly number[]): void {
    this.byte(0xff);
    this.byte(code);
    if (payload.length === 0) return;
    this.byte((payload.length + 2) >> 8);
    this.byte((payload.length + 2) & 0xff);
    for (const value of payload) this.byte(value);
  }

  private header(): void {
    const { columns, rows } = this;
    this.marker(0xd8);
    this.marker(0xe0, 0x4a, 0x46, 0x49, 0x46, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0);
    this.marker(0xdb, 0, ...zigzagged(this.y.quanta), 1, ...zigzagged(this.c.quanta));
    this.marker(0xc0, 8, rows >> 8, rows & 255, columns >> 8, columns & 255, 3, 1, 0x21, 0, 2, 0x11, 1, 3, 0x11, 1);
    const tables = [[0x00, DC_LUMINANCE], [0x10, AC_LUMINANCE], [0x01, DC_CHROMINANCE], [0x11, AC_CHROMINANCE]] as const;
    for (const [id, { counts, symbols }] of tables) this.marker(0xc4, id, ...counts, ...symbols);
    this.marker(0xda, 3, 1, 0x00, 2, 0x11, 3, 0x11, 0, 63, 0);
  }
}

const zigzagged = (quanta: Uint8Array): number[] => Array.from(ZIGZAG, (i) => quanta[i]!);

const bitLength = (value: number): number => 32 - clz32(value < 0 ? -value : value);

/** Forward DCT of Arai, Agui and Nakajima (1988), unscaled, in place: rows, then columns. */
function transform(block: Float32Array): void {
  for (let line = 0; line < 64; line += 8) pass(block, line, 1);
  for (let line = 0; line < 8; line++) pass(block, line, 8);
}

function pass(b: Float32Array, at: number, step: number): void {
  const i1 = at + step;
  const i2 = at + 2 * step;
  const i3 = at + 3 * step;
  const i4 = at + 4 * step;
  const i5 = at + 5 * step;
  const i6 = at + 6 * step;
  const i7 = at + 7 * step;
  const d0 = b[at]!;
  const d1 = b[i1]!;
  const d2 = b[i2]!;
  const d3 = b[i3]!;
  const d4 = b[i4]!;
  const d5 = b[i5]!;
  const d6 = b[i6]!;
  const d7 = b[i7]!;
  const s0 = d0 + d7;
  const s7 = d0 - d7;
  const s1 = d1 + d6;
  const s6 = d1 - d6;
  const s2 = d2 + d5;
  const s5 = d2 - d5;
  const s3 = d3 + d4;
  const s4 = d3 - d4;
  const e0 = s0 + s3;
  const e3 = s0 - s3;
  const e1 = s1 + s2;
  const e2 = s1 - s2;
  b[at] = e0 + e1;
  b[i4] = e0 - e1;
  const z1 = (e2 + e3) * 0.707106781;
  b[i2] = e3 + z1;
  b[i6] = e3 - z1;
  const o0 = s4 + s5;
  const o1 = s5 + s6;
  const o2 = s6 + s7;
  const z5 = (o0 - o2) * 0.382683433;
  const z2 = 0.541196100 * o0 + z5;
  const z4 = 1.306562965 * o2 + z5;
  const z3 = o1 * 0.707106781;
  const z11 = s7 + z3;
  const z13 = s7 - z3;
  b[i5] = z13 + z2;
  b[i3] = z13 - z2;
  b[i1] = z11 + z4;
  b[i7] = z11 - z4;
}
