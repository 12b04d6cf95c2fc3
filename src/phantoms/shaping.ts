/** Taken once: in the inner loops a global costs a look-up, and much in a test runner's sandbox. */
const { exp, floor, max, min, sqrt } = Math;

const superellipses = new Map<number, Float64Array>();
/** (1 − t^power)^(1/power), looked up; the table is in √(1 − t), along which the curve is smooth to its end. */
export function superellipse(t: number, power: number): number {
  if (t >= 1) return 0;
  let table = superellipses.get(power);
  if (!table) {
    table = Float64Array.from({ length: 514 }, (_, i) => (1 - max(0, 1 - (i / 512) ** 2) ** power) ** (1 / power));
    superellipses.set(power, table);
  }
  const at = sqrt(1 - t) * 512;
  const i = floor(at);
  return table[i]! + (table[i + 1]! - table[i]!) * (at - i);
}

/** The larger of two thicknesses, without a crease where they meet. */
export const softMax = (a: number, b: number): number => {
  const d = a - b;
  return 0.5 * (a + b + sqrt(d * d + 260)) - 8.06 * exp(-(a + b) / 30);
};

/** 0 up to a, 1 from b on, smooth between; a > b falls. */
export const smoothstep = (a: number, b: number, x: number): number => {
  const t = max(0, min(1, (x - a) / (b - a)));
  return t * t * (3 - 2 * t);
};
