/** Optical densities of stains, red green blue, a stain a row; the third row completes the space. */
type Matrix = readonly [readonly number[], readonly number[], readonly number[]];

const HEMATOXYLIN = [0.65, 0.7, 0.29];
/** As scikit-image's `rgb_from_hed` and `rgb_from_hdx` have them. */
const STAINS = {
  'h-e-dab': [HEMATOXYLIN, [0.07, 0.99, 0.11], [0.27, 0.57, 0.78]],
  'h-e': withCross(HEMATOXYLIN, [0.07, 0.99, 0.11]),
  'h-dab': withCross([0.65, 0.704, 0.286], [0.268, 0.57, 0.776]),
} as const satisfies Record<string, Matrix>;
export type StainSet = keyof typeof STAINS;

/** Darker than any picture: a logarithm needs something. */
const LEAST = 1e-6;

/**
 * How much of each stain a pixel holds, from its colour (A. C. Ruifrok and D. A. Johnston, "Quantification of histochemical staining
 * by color deconvolution", Anal. Quant. Cytol. Histol. 23(4), 2001); equal to scikit-image's `separate_stains`.
 * @param rgb interleaved, 0..255
 * @returns as many values, interleaved: the first stain, the second, and what is left; none below 0
 */
export function separateStains(rgb: Float32Array, stains: StainSet): Float32Array {
  const inverse = inverted(STAINS[stains]);
  const scale = 1 / Math.log(LEAST);
  const out = new Float32Array(rgb.length);
  for (let p = 0; p + 2 < rgb.length; p += 3) {
    const [r, g, b] = [density(rgb[p]!, scale), density(rgb[p + 1]!, scale), density(rgb[p + 2]!, scale)];
    for (let stain = 0; stain < 3; stain++) {
      const amount = r * inverse[0]![stain]! + g * inverse[1]![stain]! + b * inverse[2]![stain]!;
      if (amount > 0) out[p + stain] = amount;
    }
  }
  return out;
}

function density(value: number, scale: number): number {
  return Math.log(Math.max(value / 255, LEAST)) * scale;
}

function withCross(a: readonly number[], b: readonly number[]): Matrix {
  return [a, b, [a[1]! * b[2]! - a[2]! * b[1]!, a[2]! * b[0]! - a[0]! * b[2]!, a[0]! * b[1]! - a[1]! * b[0]!]];
}

function inverted(m: Matrix): number[][] {
  const minor = (row: number, column: number) => {
    const [r1, r2] = [(row + 1) % 3, (row + 2) % 3];
    const [c1, c2] = [(column + 1) % 3, (column + 2) % 3];
    return m[r1]![c1]! * m[r2]![c2]! - m[r1]![c2]! * m[r2]![c1]!;
  };
  const determinant = m[0][0]! * minor(0, 0) + m[0][1]! * minor(0, 1) + m[0][2]! * minor(0, 2);
  return [0, 1, 2].map(row => [0, 1, 2].map(column => minor(column, row) / determinant));
}
