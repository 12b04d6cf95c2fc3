/** IEEE 754 binary16 → number. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const single = new Float32Array(1);
const bitsOf = new Uint32Array(single.buffer);

/** A float32 number → the bits of the nearest binary16, of two the even one; beyond the largest, infinity. */
export function numberToHalf(value: number): number {
  single[0] = value;
  const bits = bitsOf[0]!;
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  // From half a step beyond 65504 on.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  // Below 2^-14 steps are 2^-24 each, and float64 has room for the exact quotient.
  if (magnitude < 0x38800000) return sign | evenly(Math.abs(single[0]) * 2 ** 24);
  // The carry out of the fraction goes where it belongs, into the exponent.
  return sign | ((magnitude + 0xfff + ((magnitude >>> 13) & 1) - 0x38000000) >>> 13);
}

function evenly(value: number): number {
  const whole = Math.floor(value);
  const rest = value - whole;
  return rest > 0.5 || (rest === 0.5 && whole % 2 === 1) ? whole + 1 : whole;
}

export function toHalves(values: Float32Array): Uint16Array {
  return Uint16Array.from(values, numberToHalf);
}
